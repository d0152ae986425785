"""Writes the changes of a run of batches, and its position, into the read database in one transaction."""

from __future__ import annotations

import sqlite3
from itertools import chain
from operator import itemgetter
from typing import Any

from sqlalchemy import Table

from matching_engine.records import VENUE
from services.read_database import tables
from services.read_database.administrative_changes import insert_account
from services.read_database.changes import TURNOVER_COLUMNS, Changes, DayTurnover, Position, turnover_values
from services.read_database.order_changes import CHANGED
from services.read_database.tables import insert_into

_CHUNK = 64
"""Rows per INSERT. SQLite releases the interpreter's lock once per statement instead of once per row, so the gateway in the
same process is interrupted less; it is also faster."""


_NO_TURNOVER = turnover_values(DayTurnover())
_INSERT_ONE = {table: insert_into(table) for table in (tables.orders, tables.trades)}
_INSERT_MANY = {table: insert_into(table, rows=_CHUNK) for table in (tables.orders, tables.trades)}

_change_of = itemgetter(*CHANGED)
# Parameters: CHANGED in order, then the order_id. Where ?11 is NULL, the state follows from the quantities.
_CHANGE_ORDER = """
UPDATE orders SET
    quantity_lots = quantity_lots + ?1,
    leaves_lots = leaves_lots + ?2,
    filled_lots = filled_lots + ?3,
    filled_fen = filled_fen + ?4,
    fees_fen = fees_fen + ?5,
    reserved_fen = reserved_fen + ?6,
    price_ticks = coalesce(?7, price_ticks),
    trigger_ticks = coalesce(?8, trigger_ticks),
    display_lots = coalesce(?9, display_lots),
    triggered_seq = coalesce(?10, triggered_seq),
    state = coalesce(?11, CASE
        WHEN leaves_lots + ?2 = 0 THEN 'filled' WHEN filled_lots + ?3 > 0 THEN 'partially_filled' ELSE 'new'
    END),
    reason = coalesce(?12, reason),
    updated_ns = ?13,
    updated_seq = ?14
WHERE order_id = ?15
"""
_SET_LEVEL = insert_into(tables.levels, replace=True)
_REMOVE_LEVEL = "DELETE FROM levels WHERE instrument = ? AND side = ? AND price_ticks = ?"
_CHANGE_CASH = "UPDATE accounts SET cash_fen = cash_fen + ?, reserved_fen = reserved_fen + ? WHERE account = ?"
_CHANGE_LOTS = f"""
{insert_into(tables.holdings, ("account", "instrument", "lots", "reserved_lots"))}
ON CONFLICT DO UPDATE SET lots = lots + excluded.lots, reserved_lots = reserved_lots + excluded.reserved_lots
"""
_ADD_TURNOVER = f"""
{insert_into(tables.daily_turnover, ("trading_date", "instrument", *TURNOVER_COLUMNS))}
ON CONFLICT DO UPDATE SET
    trades = trades + excluded.trades,
    quantity_lots = quantity_lots + excluded.quantity_lots,
    amount_fen = amount_fen + excluded.amount_fen,
    busted = busted + excluded.busted,
    busted_lots = busted_lots + excluded.busted_lots,
    busted_fen = busted_fen + excluded.busted_fen,
    prevented = prevented + excluded.prevented,
    prevented_lots = prevented_lots + excluded.prevented_lots,
    largest_fen = max(largest_fen, excluded.largest_fen),
    largest_trade_id = CASE
        WHEN excluded.largest_fen > largest_fen THEN excluded.largest_trade_id ELSE largest_trade_id
    END
"""
_SETTLE = f"""
{insert_into(tables.daily_turnover, ("settlement_ticks", "trading_date", "instrument", *TURNOVER_COLUMNS))}
ON CONFLICT DO UPDATE SET settlement_ticks = excluded.settlement_ticks
"""
_INSERT_BUST = insert_into(tables.busts, ("trade_id", "seq", "time_ns", "actor", "reason"))
_MARK_BUSTED = "UPDATE trades SET busted_seq = ? WHERE trade_id = ?"
_LARGEST_THAT_STANDS = """
UPDATE daily_turnover SET (largest_fen, largest_trade_id) = (
    SELECT coalesce(max(amount_fen), 0), trade_id FROM (
        SELECT amount_fen, trade_id FROM trades WHERE trading_date = ?1 AND instrument = ?2 AND busted_seq IS NULL
        ORDER BY amount_fen DESC, trade_id LIMIT 1
    )
) WHERE trading_date = ?1 AND instrument = ?2
"""
_SET_POSITION = insert_into(tables.position, ("id", *Position._fields), replace=True)
_READ_POSITION = f"SELECT {', '.join(Position._fields)} FROM position"


def read_position(connection: sqlite3.Connection, journal_id: bytes) -> Position:
    """The position of the read database; initialises an empty one at the start of this journal."""
    found = connection.execute(_READ_POSITION).fetchone()
    if found is not None:
        position = Position(*found)
        if not position.is_one:
            raise sqlite3.DatabaseError("its position has values of the wrong types")
        return position
    start = Position(0, 0, 0, bytes(32), journal_id, 0)
    connection.execute("BEGIN IMMEDIATE")
    connection.execute(*insert_account(VENUE, name="venue"))
    _set_position(connection, start)
    connection.execute("COMMIT")
    return start


def write(connection: sqlite3.Connection, changes: Changes) -> None:
    """Writes all of the changes and their position; on an error nothing is written."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        for sql, values in changes.statements:
            connection.execute(sql, values)
        connection.executemany(_SETTLE, ((price, *day, *_NO_TURNOVER) for day, price in changes.settlements.items()))
        _insert_rows(connection, tables.orders, list(changes.orders.new.values()))
        changed = ((*_change_of(change), order_id) for order_id, change in changes.orders.old.items())
        connection.executemany(_CHANGE_ORDER, changed)
        _insert_rows(connection, tables.trades, changes.trades)
        connection.executemany(_CHANGE_CASH, ((*change, account) for account, change in changes.cash.items()))
        connection.executemany(_CHANGE_LOTS, ((*key, *change) for key, change in changes.lots.items()))
        _set_levels(connection, changes.levels)
        connection.executemany(
            _ADD_TURNOVER, ((*day, *turnover_values(change)) for day, change in changes.turnover.items())
        )
        for bust in changes.busts:  # after the trades, some of which may be new in this run
            connection.execute(_INSERT_BUST, (bust.trade_id, bust.seq, bust.time_ns, bust.actor, bust.reason))
            connection.execute(_MARK_BUSTED, (bust.seq, bust.trade_id))
            connection.execute(_LARGEST_THAT_STANDS, (bust.trading_date, bust.instrument))
        _set_position(connection, changes.position)
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # after some errors, such as a full device, SQLite has already rolled back
            connection.execute("ROLLBACK")
        raise


def _set_levels(connection: sqlite3.Connection, levels: dict[tuple[int, int, int], tuple[int, int]]) -> None:
    connection.executemany(_REMOVE_LEVEL, (level for level, (lots, _) in levels.items() if not lots))
    connection.executemany(_SET_LEVEL, ((*level, *now) for level, now in levels.items() if now[0]))


def _insert_rows(connection: sqlite3.Connection, table: Table, rows: list[Any]) -> None:
    whole = len(rows) - len(rows) % _CHUNK
    for start in range(0, whole, _CHUNK):
        connection.execute(_INSERT_MANY[table], list(chain.from_iterable(rows[start : start + _CHUNK])))
    connection.executemany(_INSERT_ONE[table], rows[whole:])


def _set_position(connection: sqlite3.Connection, position: Position) -> None:
    connection.execute(_SET_POSITION, (1, *position))
