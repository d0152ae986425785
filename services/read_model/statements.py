"""The SQL that both writers use. Each value is a `?`, which the writer of PostgreSQL turns into `$1`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Table

from matching_engine.records import VENUE
from services.read_model import tables
from services.read_model.administrative_changes import Statement, insert_account
from services.read_model.candle_changes import CANDLE_COLUMNS, MERGE_CANDLE, RECOUNT_CANDLE
from services.read_model.order_changes import ADDED, SET
from services.read_model.tables import insert_into, replacing
from services.read_model.trade_sums import ADD_RUN, OF_DECIDED, RECOUNT_DAY, RECOUNT_DECIDED
from services.read_model.write_batch import (
    TURNOVER_COLUMNS,
    BustedTrade,
    DayTurnover,
    DecidedTrades,
    Position,
    WriteBatch,
    turnover_values,
)

READ_POSITION = f"SELECT {', '.join(Position._fields)} FROM position"
_DAY = ("trading_date", "instrument")
_SETTLEMENT = ("settlement_ticks", "settlement_source")
_NO_TURNOVER = turnover_values(DayTurnover())
_MOVE_POSITION = f"""
UPDATE position SET {", ".join(f"{name} = ?" for name in Position._fields)} WHERE id = 1 AND seq = ? AND row_hash = ?
"""
_STANDS = """
FROM trades WHERE trades.trading_date = daily_turnover.trading_date AND trades.instrument = daily_turnover.instrument
AND busted_seq IS NULL
"""
_RECOUNTED = f"""
UPDATE daily_turnover SET (trades, quantity_lots, amount_fen, excluded, excluded_lots, excluded_fen) = (
    SELECT count(*) FILTER (WHERE excluded_seq IS NULL),
        coalesce(sum(trades.quantity_lots) FILTER (WHERE excluded_seq IS NULL), 0),
        coalesce(sum(trades.amount_fen) FILTER (WHERE excluded_seq IS NULL), 0),
        count(excluded_seq),
        coalesce(sum(trades.quantity_lots) FILTER (WHERE excluded_seq IS NOT NULL), 0),
        coalesce(sum(trades.amount_fen) FILTER (WHERE excluded_seq IS NOT NULL), 0)
    {_STANDS}
), (largest_trade_id, largest_fen) = (
    SELECT trade_id, trades.amount_fen {_STANDS} AND excluded_seq IS NULL
    UNION ALL SELECT NULL, 0
    ORDER BY 2 DESC, 1 LIMIT 1
)
"""
"""What counts, what does not by decision, and the largest trade that counts, anew from the trades. The days follow."""
_RECOUNT_DAY = f"{_RECOUNTED} WHERE trading_date = ? AND instrument = ?"
_RECOUNT_DECIDED = f"{_RECOUNTED} WHERE {OF_DECIDED}"
_MARKS = {
    "exclude": """
        UPDATE trades SET excluded_seq = ?1 WHERE trade_id IN (SELECT trade_id FROM decided_trades WHERE seq = ?1)
        AND seq < ?1 AND busted_seq IS NULL AND excluded_seq IS NULL
    """,
    "include": """
        UPDATE trades SET excluded_seq = NULL WHERE trade_id IN (SELECT trade_id FROM decided_trades WHERE seq = ?1)
        AND seq < ?1 AND excluded_seq IS NOT NULL
    """,
}
"""Only trades made before the decision: later ones of the same run are in the table already."""
_TRADES_AT_ONCE = 1_000


class Merge(NamedTuple):
    """Rows to insert; `conflict` says what changes where a row with the same key is there already."""

    table: Table
    columns: Sequence[str]
    conflict: str


_LOTS = Merge(
    tables.holdings,
    ("account", "instrument", "lots", "reserved_lots"),
    """
    ON CONFLICT (account, instrument) DO UPDATE SET
        lots = holdings.lots + excluded.lots, reserved_lots = holdings.reserved_lots + excluded.reserved_lots
    """,
)
_LEVEL_COLUMNS = ("instrument", "side", "price_ticks", "quantity_lots", "orders")
_LEVELS = Merge(tables.levels, _LEVEL_COLUMNS, replacing(_LEVEL_COLUMNS[:3], _LEVEL_COLUMNS))
_ADDED_TURNOVER = ", ".join(
    f"{name} = daily_turnover.{name} + excluded.{name}" for name in TURNOVER_COLUMNS if not name.startswith("largest")
)
_TURNOVER = Merge(
    tables.daily_turnover,
    (*_DAY, *TURNOVER_COLUMNS),
    f"""
    ON CONFLICT (trading_date, instrument) DO UPDATE SET {_ADDED_TURNOVER},
        largest_fen = CASE
            WHEN excluded.largest_fen > daily_turnover.largest_fen THEN excluded.largest_fen
            ELSE daily_turnover.largest_fen
        END,
        largest_trade_id = CASE
            WHEN excluded.largest_fen > daily_turnover.largest_fen THEN excluded.largest_trade_id
            ELSE daily_turnover.largest_trade_id
        END
    """,
)
_SETTLEMENTS = Merge(
    tables.daily_turnover,
    (*_DAY, *_SETTLEMENT, *TURNOVER_COLUMNS),
    replacing(_DAY, (*_DAY, *_SETTLEMENT)),
)
_DAYS = Merge(tables.trading_days, tuple(column.name for column in tables.trading_days.columns), "")
_CANDLES = Merge(tables.candles, CANDLE_COLUMNS, MERGE_CANDLE)
_CASH = Merge(tables.cash_movements, tuple(column.name for column in tables.cash_movements.columns), "")
_GOODS = Merge(tables.goods_movements, tuple(column.name for column in tables.goods_movements.columns), "")


def merges(changes: WriteBatch) -> Iterator[tuple[Merge, list[tuple[Any, ...]]]]:
    """The changes of the smaller tables, whose rows need not be known: no key is there twice."""
    yield _DAYS, [(date, *began) for date, began in changes.days.items()]
    yield _GOODS, changes.goods
    yield _CASH, changes.cash_movements
    yield _CANDLES, [(*key, *candle) for key, candle in changes.candles.items()]
    yield _SETTLEMENTS, [(*day, *settled, *_NO_TURNOVER) for day, settled in changes.settlements.items()]
    yield _LOTS, [(*key, *change) for key, change in changes.lots.items()]
    yield _LEVELS, [(*level, *now) for level, now in changes.levels.items() if now[0]]
    yield _TURNOVER, [(*day, *turnover_values(change)) for day, change in changes.turnover.items()]


def reserve_rows(changes: WriteBatch) -> list[tuple[int, ...]]:
    """The new rows of `reserve_changes`, in the order of their key."""
    return [(*key, *change) for key, change in sorted(changes.reserves.items())]


def sums_of_trades(changes: WriteBatch) -> Iterator[Statement]:
    """Adds the trades of the changes, which are in the table, to the sums of accounts and phases."""
    if changes.trades:
        of_run = changes.trades[0][0], changes.trades[-1][0]
        yield from ((sql, of_run) for sql in ADD_RUN)


def order_changes(value: Callable[[str], str]) -> str:
    """The SET clause that changes an order; `value` is the SQL of a column's change. A state of NULL follows from the
    quantities."""
    added = (f"{name} = orders.{name} + {value(name)}" for name in ADDED)
    changed = (f"{name} = coalesce({value(name)}, orders.{name})" for name in SET if name != "state")
    state = f"""state = coalesce({value("state")}, CASE
        WHEN orders.leaves_lots + {value("leaves_lots")} = 0 THEN 'filled'
        WHEN orders.filled_lots + {value("filled_lots")} > 0 THEN 'partially_filled' ELSE 'new'
    END)"""
    return ", ".join([*added, *changed, state])


def verdict(found: BustedTrade | DecidedTrades) -> Iterator[Statement]:
    """Records a bust or a decision, marks its trades, and counts their days anew. The trades are in the table."""
    return _bust(found) if isinstance(found, BustedTrade) else _decided(found)


def _bust(found: BustedTrade) -> Iterator[Statement]:
    """A busted trade is not excluded: what a decision had taken out is busted now."""
    yield insert_into(tables.busts, ("trade_id", "seq", "time_ns", "actor", "reason")), found[:5]
    yield "UPDATE trades SET busted_seq = ?, excluded_seq = NULL WHERE trade_id = ?", (found.seq, found.trade_id)
    day = found.trading_date, found.instrument
    yield _RECOUNT_DAY, day
    yield from ((sql, day) for sql in RECOUNT_DAY)
    yield from ((sql, (*day, found.trade_id)) for sql in RECOUNT_CANDLE)


def _decided(found: DecidedTrades) -> Iterator[Statement]:
    yield insert_into(tables.decisions), found[:-1]
    for start in range(0, len(found.trade_ids), _TRADES_AT_ONCE):
        some = found.trade_ids[start : start + _TRADES_AT_ONCE]
        values = tuple(value for trade_id in some for value in (found.seq, trade_id))
        yield insert_into(tables.decided_trades, rows=len(some)), values
    yield _MARKS[found.decision], (found.seq,)
    yield _RECOUNT_DECIDED, (found.seq,)
    yield from ((sql, (found.seq,)) for sql in RECOUNT_DECIDED)


def first_position(start: Position) -> Iterator[Statement]:
    """What an empty database holds: the account of the venue, and the position before the first command."""
    yield insert_account(VENUE, name="venue")
    yield insert_into(tables.position, ("id", *Position._fields)), (1, *start)


def move_position(changes: WriteBatch) -> Statement:
    """Sets the position if it is still the one that the changes begin at; else it changes no row."""
    return _MOVE_POSITION, (*changes.position, changes.after.seq, changes.after.row_hash)
