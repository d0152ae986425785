"""Writes the changes of a run of batches, and its position, into PostgreSQL in one transaction.

New orders and trades are copied (COPY). All other rows are changed by one statement per table. Its parameter is an array of the
rows of `orders`; for the smaller tables its parameters are arrays, one for each column.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from itertools import count
from typing import Any

from sqlalchemy import Dialect, Table
from sqlalchemy.dialects.postgresql.base import PGDialect

from services.journal.postgres.connections import Database, DatabaseConnection
from services.read_model import statements, tables
from services.read_model.administrative_changes import Statement
from services.read_model.errors import ReadDatabaseAway, ReadDatabaseBusy
from services.read_model.postgres.connecting import connect, name_of, trouble_named
from services.read_model.postgres.database import check_format
from services.read_model.write_batch import Position, WriteBatch

_BEGIN = """
BEGIN;
SET LOCAL synchronous_commit = local;
SET LOCAL lock_timeout = '15s';
SET LOCAL idle_in_transaction_session_timeout = '10s';
SET LOCAL enable_seqscan = off;
SET LOCAL enable_hashjoin = off;
SET LOCAL enable_mergejoin = off
"""
"""A standby may lack the last transactions: they are projected again. A transaction whose process is gone or stopped ends by
itself, and the next projector waits for that. Every row is found by its key: PostgreSQL plans a statement once, and for a table
that was small then it would read the whole table each time, however many rows come later."""

_WAIT_FOR_OTHERS = "LOCK TABLE position IN SHARE ROW EXCLUSIVE MODE"
"""Waits for the end of a transaction that this projector began on a connection that it has lost. Readers do not wait."""

_POSTGRES: Dialect = PGDialect()  # type: ignore[no-untyped-call]
_CHANGE_ORDERS = f"""
UPDATE orders SET {statements.order_changes(lambda name: f"change.{name}")}
FROM unnest($1::orders[]) AS change WHERE orders.order_id = change.order_id
"""
"""Its parameter is an array of rows of `orders`. The driver encodes, and PostgreSQL unpacks, one array with less work than one
for each column."""

_CASH = ("cash_fen", "reserved_fen", "account")
_LEVEL = ("instrument", "side", "price_ticks")


class PostgresWriter:
    """The writer of the database at `url`, which has the tables (`rex migrate`)."""

    def __init__(self, url: str) -> None:
        self._database = Database(url)
        self._connection: DatabaseConnection | None = None

    @property
    def name(self) -> str:
        """The server and its database."""
        return name_of(self._database)

    async def start(self, journal_id: bytes) -> Position:
        """Implements `ReadDatabaseWriter`."""
        self._connection = connection = await connect(self._database)
        with trouble_named(self._database):
            await connection.execute(_BEGIN)
            check_format(await connection.fetchval("SELECT format FROM read_format"), self._database)
            await connection.execute(_WAIT_FOR_OTHERS)
            found = await connection.fetchrow(statements.READ_POSITION)
            if found is None:
                found = start = Position(0, 0, 0, bytes(32), journal_id, 0)
                for statement in statements.first_position(start):
                    await _execute(connection, statement)
            await connection.execute("COMMIT")
        return Position(*found)

    async def write(self, changes: WriteBatch) -> None:
        """Implements `ReadDatabaseWriter`. After an error the connection is of no use: `close` ends it."""
        connection = self._connection
        assert connection is not None, "the writer has been started"
        with trouble_named(self._database):
            await connection.execute(_BEGIN)
            if await _execute(connection, statements.move_position(changes)) == "UPDATE 0":
                raise ReadDatabaseBusy(self.name, changes.after.seq)
            await _write(connection, changes)
            await connection.execute("COMMIT")

    async def check(self, position: Position) -> None:
        """Implements `ReadDatabaseWriter`."""
        connection = self._connection
        assert connection is not None, "the writer has been started"
        with trouble_named(self._database):
            found = await connection.fetchrow(statements.READ_POSITION)
        at = None if found is None else Position(*found)
        if at is not None and at.seq > position.seq:
            raise ReadDatabaseBusy(self.name, position.seq)
        if at is None or (at.seq, at.row_hash) != (position.seq, position.row_hash):
            stands = 0 if at is None else at.seq
            raise ReadDatabaseAway(
                f"{self.name} stands at seq {stands}, and this projector had reached seq {position.seq}"
            )

    async def close(self) -> None:
        """Cuts the connection; the server rolls back a transaction that is open."""
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None


async def _write(connection: DatabaseConnection, changes: WriteBatch) -> None:
    for statement in changes.statements:
        await _execute(connection, statement)
    await _copy(connection, tables.orders, changes.orders.new.values())
    if changes.orders.old:
        await connection.execute(_CHANGE_ORDERS, [tuple(change) for change in changes.orders.old.values()])
    await _copy(connection, tables.trades, changes.trades)
    await _copy(connection, tables.reserve_changes, statements.reserve_rows(changes))
    cash = [(*change, account) for account, change in changes.cash.items()]
    await _execute_with_all(connection, _change_cash(), cash)
    removed = [level for level, (lots, _) in changes.levels.items() if not lots]
    await _execute_with_all(connection, _remove_levels(), removed)
    for merge, rows in statements.merges(changes):
        await _execute_with_all(connection, _merge(merge), rows)
    for statement in statements.sums_of_trades(changes):
        await _execute(connection, statement)
    for found in changes.verdicts:  # after the trades, some of which may be new in this run
        for statement in statements.verdict(found):
            await _execute(connection, statement)


async def _copy(connection: DatabaseConnection, table: Table, rows: Any) -> None:
    if rows:
        columns = [column.name for column in table.columns]
        await connection.copy_records_to_table(table.name, records=rows, columns=columns)


async def _execute(connection: DatabaseConnection, statement: Statement) -> str:
    sql, values = statement
    return str(await connection.execute(numbered(sql), *values))


async def _execute_with_all(connection: DatabaseConnection, sql: str, rows: Sequence[Sequence[Any]]) -> None:
    """Executes a statement whose parameters are arrays: one for each column of the rows."""
    if rows:
        await connection.execute(sql, *zip(*rows, strict=True))


@cache
def numbered(sql: str) -> str:
    """The statement with PostgreSQL's parameters, `$1` for `?1`; those without a number are numbered in their order."""
    numbers = count(1)
    return re.sub(r"\?(\d*)", lambda found: f"${found[1] or next(numbers)}", sql)


def _arrays(table: Table, columns: Sequence[str]) -> str:
    """The rows of array parameters, with the types of the table's columns."""
    types = [table.columns[name].type.compile(_POSTGRES) for name in columns]
    arrays = ", ".join(f"${number}::{kind}[]" for number, kind in enumerate(types, start=1))
    return f"unnest({arrays})"


@cache
def _merge(merge: statements.Merge) -> str:
    names = ", ".join(merge.columns)
    return (
        f"INSERT INTO {merge.table.name} ({names}) SELECT * FROM {_arrays(merge.table, merge.columns)} {merge.conflict}"
    )


@cache
def _change_cash() -> str:
    return f"""
    UPDATE accounts SET
        cash_fen = accounts.cash_fen + change.cash_fen, reserved_fen = accounts.reserved_fen + change.reserved_fen
    FROM {_arrays(tables.accounts, _CASH)} AS change ({", ".join(_CASH)}) WHERE accounts.account = change.account
    """


@cache
def _remove_levels() -> str:
    same = " AND ".join(f"levels.{name} = removed.{name}" for name in _LEVEL)
    return f"DELETE FROM levels USING {_arrays(tables.levels, _LEVEL)} AS removed ({', '.join(_LEVEL)}) WHERE {same}"
