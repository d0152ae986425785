"""The SQL that both writers use. Each value is a `?`, which the writer of PostgreSQL turns into `$1`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Table

from matching_engine.records import VENUE
from services.read_database import tables
from services.read_database.administrative_changes import Statement, insert_account
from services.read_database.changes import TURNOVER_COLUMNS, Bust, Changes, DayTurnover, Position, turnover_values
from services.read_database.order_changes import ADDED, SET
from services.read_database.tables import insert_into, replacing

READ_POSITION = f"SELECT {', '.join(Position._fields)} FROM position"
_DAY = ("trading_date", "instrument")
_SETTLEMENT = ("settlement_ticks", "settlement_source")
_NO_TURNOVER = turnover_values(DayTurnover())
_MOVE_POSITION = f"""
UPDATE position SET {", ".join(f"{name} = ?" for name in Position._fields)} WHERE id = 1 AND seq = ? AND row_hash = ?
"""
_LARGEST_THAT_STANDS = """
UPDATE daily_turnover SET (largest_trade_id, largest_fen) = (
    SELECT trade_id, amount_fen FROM trades WHERE trading_date = ?1 AND instrument = ?2 AND busted_seq IS NULL
    UNION ALL SELECT NULL, 0
    ORDER BY amount_fen DESC, trade_id LIMIT 1
) WHERE trading_date = ?1 AND instrument = ?2
"""


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


def merges(changes: Changes) -> Iterator[tuple[Merge, list[tuple[Any, ...]]]]:
    """The changes of the smaller tables, whose rows need not be known: no key is there twice."""
    yield _SETTLEMENTS, [(*day, *settled, *_NO_TURNOVER) for day, settled in changes.settlements.items()]
    yield _LOTS, [(*key, *change) for key, change in changes.lots.items()]
    yield _LEVELS, [(*level, *now) for level, now in changes.levels.items() if now[0]]
    yield _TURNOVER, [(*day, *turnover_values(change)) for day, change in changes.turnover.items()]


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


def bust(found: Bust) -> Iterator[Statement]:
    """Records a bust, marks its trade, and finds the day's largest trade that stands."""
    yield insert_into(tables.busts, ("trade_id", "seq", "time_ns", "actor", "reason")), found[:5]
    yield "UPDATE trades SET busted_seq = ? WHERE trade_id = ?", (found.seq, found.trade_id)
    yield _LARGEST_THAT_STANDS, (found.trading_date, found.instrument)


def first_position(start: Position) -> Iterator[Statement]:
    """What an empty database holds: the account of the venue, and the position before the first command."""
    yield insert_account(VENUE, name="venue")
    yield insert_into(tables.position, ("id", *Position._fields)), (1, *start)


def move_position(changes: Changes) -> Statement:
    """Sets the position if it is still the one that the changes begin at; else it changes no row."""
    return _MOVE_POSITION, (*changes.position, changes.after.seq, changes.after.row_hash)
