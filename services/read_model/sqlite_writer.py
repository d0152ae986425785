"""Writes the changes of a run of batches, and its position, into the SQLite file in one transaction."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from operator import itemgetter
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Table

from services.read_model import statements, tables
from services.read_model.database import connect_writer, trouble_with
from services.read_model.errors import ReadDatabaseBusy
from services.read_model.order_changes import ADDED, CHANGED, SET
from services.read_model.tables import insert_into
from services.read_model.write_batch import Position, WriteBatch

_CHUNK = 64
"""Rows per INSERT. SQLite releases the interpreter's lock once per statement instead of once per row, so the gateway in the
same process is interrupted less; it is also faster."""

_MANY_ROWS = (tables.orders, tables.trades, tables.reserve_changes)
_INSERT_ONE = {table: insert_into(table) for table in _MANY_ROWS}
_INSERT_MANY = {table: insert_into(table, rows=_CHUNK) for table in _MANY_ROWS}
_NUMBER = {name: number for number, name in enumerate((*ADDED, *SET, "order_id"), start=1)}
_CHANGE_ORDER = (
    f"UPDATE orders SET {statements.order_changes(lambda name: f'?{_NUMBER[name]}')} "
    f"WHERE order_id = ?{_NUMBER['order_id']}"
)
_change_of = itemgetter(*CHANGED)
_CHANGE_CASH = "UPDATE accounts SET cash_fen = cash_fen + ?, reserved_fen = reserved_fen + ? WHERE account = ?"
_REMOVE_LEVEL = "DELETE FROM levels WHERE instrument = ? AND side = ? AND price_ticks = ?"

T = TypeVar("T")


class SqliteWriter:
    """The writer of the file at path, which `open_read_database` has made.

    It has a connection and a thread of its own: a transaction has a dozen statements, and each would cost three thread switches
    through the async engine.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._thread: ThreadPoolExecutor | None = None
        self._connection: sqlite3.Connection | None = None

    @property
    def name(self) -> str:
        """The file's path."""
        return str(self._path)

    async def start(self, journal_id: bytes) -> Position:
        """Implements `ReadDatabaseWriter`."""
        self._thread = ThreadPoolExecutor(1, "projector")

        def connect() -> Position:
            self._connection = connect_writer(self._path)
            return read_position(self._connection, journal_id)

        return await self._in_thread(connect)

    async def write(self, changes: WriteBatch) -> None:
        """Implements `ReadDatabaseWriter`."""
        connection = self._connection
        assert connection is not None, "the writer has been started"
        if not await self._in_thread(lambda: write(connection, changes)):
            raise ReadDatabaseBusy(self._path, changes.after.seq)

    async def check(self, _position: Position) -> None:
        """Nothing: the file is locked, and no server stands behind it that could fail over."""

    async def close(self) -> None:
        """Waits for a transaction that is being written."""
        if self._thread is not None:
            self._thread.shutdown()
        if self._connection is not None:
            self._connection.close()

    async def _in_thread(self, work: Callable[[], T]) -> T:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, work)
        except sqlite3.Error as error:
            raise trouble_with(self._path, error) from error


def read_position(connection: sqlite3.Connection, journal_id: bytes) -> Position:
    """The position of the read database; initialises an empty one at the start of this journal."""
    found = connection.execute(statements.READ_POSITION).fetchone()
    if found is not None:
        position = Position(*found)
        if not position.is_one:
            raise sqlite3.DatabaseError("its position has values of the wrong types")
        return position
    start = Position(0, 0, 0, bytes(32), journal_id, 0)
    connection.execute("BEGIN IMMEDIATE")
    for statement in statements.first_position(start):
        connection.execute(*statement)
    connection.execute("COMMIT")
    return start


def write(connection: sqlite3.Connection, changes: WriteBatch) -> bool:
    """Writes all of the changes and their position; on an error nothing is written.

    Writes nothing and returns False if the position is not the one that the changes begin at.
    """
    connection.execute("BEGIN IMMEDIATE")
    try:
        if not connection.execute(*statements.move_position(changes)).rowcount:
            connection.execute("ROLLBACK")
            return False
        _write(connection, changes)
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # after some errors, such as a full device, SQLite has already rolled back
            connection.execute("ROLLBACK")
        raise
    return True


def _write(connection: sqlite3.Connection, changes: WriteBatch) -> None:
    for sql, values in changes.statements:
        connection.execute(sql, values)
    _insert_rows(connection, tables.orders, list(changes.orders.new.values()))
    changed = ((*_change_of(change), order_id) for order_id, change in changes.orders.old.items())
    connection.executemany(_CHANGE_ORDER, changed)
    _insert_rows(connection, tables.trades, changes.trades)
    _insert_rows(connection, tables.reserve_changes, statements.reserve_rows(changes))
    connection.executemany(_CHANGE_CASH, ((*change, account) for account, change in changes.cash.items()))
    connection.executemany(_REMOVE_LEVEL, (level for level, (lots, _) in changes.levels.items() if not lots))
    for merge, rows in statements.merges(changes):
        connection.executemany(f"{insert_into(merge.table, merge.columns)} {merge.conflict}", rows)
    for statement in statements.sums_of_trades(changes):
        connection.execute(*statement)
    for found in changes.verdicts:  # after the trades, some of which may be new in this run
        for statement in statements.verdict(found):
            connection.execute(*statement)


def _insert_rows(connection: sqlite3.Connection, table: Table, rows: list[Any]) -> None:
    whole = len(rows) - len(rows) % _CHUNK
    for start in range(0, whole, _CHUNK):
        connection.execute(_INSERT_MANY[table], list(chain.from_iterable(rows[start : start + _CHUNK])))
    connection.executemany(_INSERT_ONE[table], rows[whole:])
