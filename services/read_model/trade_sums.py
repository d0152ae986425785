"""The SQL of `daily_members` and `daily_phases`: each is a sum over `trades`, so the database adds it up itself.

In SQLite that keeps the interpreter's lock free: a statement for a whole run instead of two rows for each trade. Each constant
has two statements, for accounts and for phases. The trades are in the table before.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from sqlalchemy import Table

from matching_engine.records import Side
from services.read_model import tables

_KEY = 3
"""Columns in the primary key of either table."""
_COUNTS = "busted_seq IS NULL AND excluded_seq IS NULL"
_TAKER_BUYS = f"taker_side = {Side.BUY:d}"


def _sums(condition: str) -> str:
    """Number, lots and amount of the trades for which this holds."""
    return (
        f"count(*) FILTER (WHERE {condition}), coalesce(sum(quantity_lots) FILTER (WHERE {condition}), 0), "
        f"coalesce(sum(amount_fen) FILTER (WHERE {condition}), 0)"
    )


def _members(which: str) -> str:
    """The rows of `daily_members` of these trades: each trade has two accounts."""
    same = "trading_date, instrument, quantity_lots, amount_fen, busted_seq, excluded_seq"
    return f"""
    SELECT trading_date, instrument, account, {_sums(f"buys AND {_COUNTS}")}, {_sums(f"NOT buys AND {_COUNTS}")},
        coalesce(sum(fee_fen) FILTER (WHERE busted_seq IS NULL), 0)
    FROM (
        SELECT {same}, taker_account AS account, {_TAKER_BUYS} AS buys, taker_fee_fen AS fee_fen FROM trades WHERE {which}
        UNION ALL
        SELECT {same}, maker_account AS account, NOT {_TAKER_BUYS} AS buys, maker_fee_fen AS fee_fen FROM trades WHERE {which}
    ) AS sides GROUP BY trading_date, instrument, account
    """


def _phases(which: str) -> str:
    """The rows of `daily_phases` of these trades."""
    return f"""
    SELECT trading_date, instrument, phase, {_sums(_COUNTS)} FROM trades WHERE {which}
    GROUP BY trading_date, instrument, phase
    """


class _Summed(NamedTuple):
    table: Table
    rows: Callable[[str], str]


def _statements(which: str, change: str) -> tuple[str, ...]:
    """Sums these trades up. `change` is the SQL of a column's new value in a row that is there already."""
    statements = []
    for table, rows in (_Summed(tables.daily_members, _members), _Summed(tables.daily_phases, _phases)):
        names = [column.name for column in table.columns]
        changes = ", ".join(f"{name} = {change.format(table=table.name, name=name)}" for name in names[_KEY:])
        statements.append(
            f"INSERT INTO {table.name} ({', '.join(names)}) {rows(which)}"
            f"ON CONFLICT ({', '.join(names[:_KEY])}) DO UPDATE SET {changes}"
        )
    return tuple(statements)


OF_DECIDED = """(trading_date, instrument) IN (
    SELECT trades.trading_date, trades.instrument FROM trades JOIN decided_trades USING (trade_id) WHERE decided_trades.seq = ?1
)"""
"""The days and instruments of the trades that a decision names."""
ADD_RUN = _statements("trade_id BETWEEN ?1 AND ?2", "{table}.{name} + excluded.{name}")
"""Adds the trades with these ids. Their parameters: the first and the last id."""
RECOUNT_DAY = _statements("trading_date = ?1 AND instrument = ?2", "excluded.{name}")
"""Sums up the trades of a day and instrument anew, as they are marked now. Their parameters: both."""
RECOUNT_DECIDED = _statements(OF_DECIDED, "excluded.{name}")
"""The same for every day and instrument of which a decision names a trade. Their parameter: its seq."""
