"""Writes a run of changes and the new position into the read database, in one transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from typing import Any

from sqlalchemy import Table

from matching_engine.records import VENUE
from services.read_database import tables
from services.reporting.changes import Changes, Position

_CHUNK = 64
"""Rows a statement inserts at once. SQLite lets go of the interpreter's lock once per statement instead of once per row, so
the gateway in the same process is interrupted less; and it is faster."""


def _insert(table: Table, rows: int) -> str:
    values = f"({', '.join('?' * len(table.columns))})"
    return f"INSERT INTO {table.name} VALUES {', '.join([values] * rows)}"


_INSERT_ONE = {table: _insert(table, 1) for table in (tables.orders, tables.trades)}
_INSERT_MANY = {table: _insert(table, _CHUNK) for table in (tables.orders, tables.trades)}

# What follows the colon of each value: 1 filled lots, 2 filled fen, 3 fees, 4 reserve change, 5 end state or NULL,
# 6 reason, 7 updated_ns, 8 updated_seq, 9 order_id. Only a fill changes an order that does not end.
_CHANGE_ORDER = """
UPDATE orders SET
    leaves_lots = CASE WHEN ?5 IS NULL THEN leaves_lots - ?1 ELSE 0 END,
    filled_lots = filled_lots + ?1,
    filled_fen = filled_fen + ?2,
    fees_fen = fees_fen + ?3,
    reserved_fen = reserved_fen + ?4,
    state = coalesce(?5, CASE WHEN leaves_lots = ?1 THEN 'filled' ELSE 'partially_filled' END),
    reason = ?6,
    updated_ns = ?7,
    updated_seq = ?8
WHERE order_id = ?9
"""
_CHANGE_CASH = "UPDATE accounts SET cash_fen = cash_fen + ?, reserved_fen = reserved_fen + ? WHERE account = ?"
_CHANGE_LOTS = """
INSERT INTO holdings VALUES (?, ?, ?, ?)
ON CONFLICT DO UPDATE SET lots = lots + excluded.lots, reserved_lots = reserved_lots + excluded.reserved_lots
"""
_ADD_TURNOVER = """
INSERT INTO daily_turnover VALUES (?, ?, ?, ?, ?, ?, ?, ?, NULL)
ON CONFLICT DO UPDATE SET
    trades = trades + excluded.trades,
    quantity_lots = quantity_lots + excluded.quantity_lots,
    amount_fen = amount_fen + excluded.amount_fen,
    prevented = prevented + excluded.prevented,
    largest_fen = max(largest_fen, excluded.largest_fen),
    largest_trade_id = CASE
        WHEN excluded.largest_fen > largest_fen THEN excluded.largest_trade_id ELSE largest_trade_id
    END
"""
_SET_POSITION = "INSERT OR REPLACE INTO position VALUES (1, ?, ?, ?, ?, ?, ?, ?)"
_READ_POSITION = """
SELECT seq, time_ns, trading_date, row_hash, journal_id, maker_rate_ppm, taker_rate_ppm FROM position
"""


def read_position(connection: sqlite3.Connection, journal_id: bytes) -> Position:
    """Where the read database has got to; an empty one is made to begin at the start of this journal."""
    found = connection.execute(_READ_POSITION).fetchone()
    if found is not None:
        return Position(*found)
    start = Position(0, 0, 0, bytes(32), journal_id, 0, 0)
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("INSERT INTO accounts VALUES (?, 'venue', 0, 0, 0, 0)", (VENUE,))
    _set_position(connection, start)
    connection.execute("COMMIT")
    return start


def write(connection: sqlite3.Connection, changes: Changes) -> None:
    """All of the changes and their position, or, where anything fails, nothing."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        for sql, values in changes.statements:
            connection.execute(sql, values)
        _insert_rows(connection, tables.orders, list(changes.new_orders.values()))
        connection.executemany(_CHANGE_ORDER, ((*change, order_id) for order_id, change in changes.old_orders.items()))
        _insert_rows(connection, tables.trades, changes.trades)
        connection.executemany(_CHANGE_CASH, ((*change, account) for account, change in changes.cash.items()))
        connection.executemany(_CHANGE_LOTS, ((*key, *change) for key, change in changes.lots.items()))
        connection.executemany(_ADD_TURNOVER, ((*key, *change) for key, change in changes.turnover.items()))
        _set_position(connection, changes.position)
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # after some errors, such as a full device, SQLite has rolled back already
            connection.execute("ROLLBACK")
        raise


def _insert_rows(connection: sqlite3.Connection, table: Table, rows: list[Any]) -> None:
    whole = len(rows) - len(rows) % _CHUNK
    for start in range(0, whole, _CHUNK):
        connection.execute(_INSERT_MANY[table], _flat(rows[start : start + _CHUNK]))
    connection.executemany(_INSERT_ONE[table], rows[whole:])


def _flat(rows: Iterable[Iterable[Any]]) -> list[Any]:
    return [value for row in rows for value in row]


def _set_position(connection: sqlite3.Connection, position: Position) -> None:
    values = (
        position.seq, position.time_ns, position.trading_date, position.row_hash, position.journal_id,
        position.maker_rate_ppm, position.taker_rate_ppm,
    )  # fmt: skip
    connection.execute(_SET_POSITION, values)
