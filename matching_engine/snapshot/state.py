"""The canonical bytes of an engine's state, and their hash.

Two engines that will answer every future command alike have the same bytes: orders stand in the order they would trade,
identifiers in order of their commands, and nothing tells how memory is laid out. `Engine` and the naive engine of the
tests both fill a `State`; natively compiled and plain Python engines must agree to the byte.

The bytes: MAGIC, STATE_FORMAT (u8, little-endian), then the sections in the order of `State`'s fields, each preceded by its
number of rows (u8). The layouts are packed, so no byte is undefined. `from_bytes(snapshot_bytes(state))` is the same state.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from typing import Any, NamedTuple

from numpy import dtype, frombuffer, zeros

MAGIC = b"REXSTATE"

STATE_FORMAT = 2
"""Number of the layouts in this file; `from_bytes` refuses another with a sentence."""

VENUE_STATE = dtype(
    [
        ("last_seq", "<u8"),
        ("trading_date", "<u4"),
        ("trading_day", "<u4"),
        ("phase", "u1"),
        ("halted", "u1"),
        ("kill_switch", "u1"),
    ]
)
"""`trading_day` counts the day rolls; `phase` and `halted` are what a newly listed instrument begins with."""

FEES_STATE = dtype([("account_class", "u1"), ("maker_rate_ppm", "<u4"), ("taker_rate_ppm", "<u4")])
"""The account classes with a rate that isn't 0, ascending."""

YEAR_STATE = dtype([("year", "<u4"), ("turnover_low", "<u8"), ("turnover_high", "<u8")])
"""Turnover in fen of the ended trading days of each calendar year that has any, as two 64-bit halves, ascending."""

INSTRUMENT_STATE = dtype(
    [
        ("tick_value_fen", "<i8"),
        ("reference_ticks", "<i8"),
        ("last_ticks", "<i8"),
        ("max_quantity_lots", "<i8"),
        ("day_lots", "<i8"),
        ("day_amount_fen", "<i8"),
        ("auction_ends_ns", "<i8"),
        ("band_ppm", "<u4"),
        ("collar_ppm", "<u4"),
        ("volatility_ppm", "<u4"),
        ("auction_s", "<u4"),
        ("phase", "u1"),
        ("halted", "u1"),
        ("in_auction", "u1"),
    ]
)
"""By number. `last_ticks` is the day's last price, 0 while there is none. `in_auction`: a volatility auction goes on, until
`auction_ends_ns` (0 without one). The day's price edges follow from the reference and the band."""

ACCOUNT_STATE = dtype(
    [
        ("cash_fen", "<i8"),
        ("reserved_fen", "<i8"),
        ("day_fen", "<i8"),
        ("max_order_lots", "<i8"),
        ("max_order_fen", "<i8"),
        ("max_day_fen", "<i8"),
        ("owner", "<u4"),
        ("max_open_orders", "<u2"),
        ("account_class", "u1"),
        ("kill_switch", "u1"),
    ]
)
"""By number, from VENUE. `day_fen` is what it has traded on the trading day."""

HOLDING_STATE = dtype([("account", "<u4"), ("instrument", "<u2"), ("lots", "<i8"), ("reserved_lots", "<i8")])
"""Where there are any lots, by account and instrument."""

ORDER_STATE = dtype(
    [
        ("order_id", "<u8"),
        ("price_ticks", "<i8"),
        ("trigger_ticks", "<i8"),
        ("lot_reserve_fen", "<i8"),
        ("shown_lots", "<u4"),
        ("hidden_lots", "<u4"),
        ("display_lots", "<u4"),
        ("filled_lots", "<u4"),
        ("account", "<u4"),
        ("time_s", "<u4"),
        ("instrument", "<u2"),
        ("side", "u1"),
        ("order_type", "u1"),
        ("time_in_force", "u1"),
        ("self_trade", "u1"),
        ("flags", "u1"),
    ]
)
"""By instrument, side (BUY first), those in the book before waiting stops; best price first, or first to be triggered; then
place in the queue. A waiting stop's order_type is STOP or STOP_LIMIT; triggered, it is LIMIT (or gone) and its trigger 0. A
STOP's price is its protection price; what waits is all shown."""

TRADE_STATE = dtype(
    [
        ("trade_id", "<u8"),
        ("price_ticks", "<i8"),
        ("quantity_lots", "<i8"),
        ("amount_fen", "<i8"),
        ("fee_fen", "<i8"),
        ("maker_fee_fen", "<i8"),
        ("account", "<u4"),
        ("maker_account", "<u4"),
        ("instrument", "<u2"),
        ("side", "u1"),
        ("busted", "u1"),
    ]
)
"""The trades of the trading day, which may be busted; by trade_id (seq << 20 | number)."""

CLIENT_ID_STATE = dtype(
    [("client_order_id", "S36"), ("account", "<u4"), ("order_id", "<u8"), ("body_digest", "<u8"), ("day", "<u4")]
)
"""By order_id. `day` is the trading day the order was last known to be open, or was refused."""


class State(NamedTuple):
    """Everything that determines an engine's future, as arrays of the layouts above."""

    venue: Any
    fees: Any
    years: Any
    instruments: Any
    accounts: Any
    holdings: Any
    orders: Any
    trades: Any
    client_ids: Any


LAYOUTS = State(
    VENUE_STATE,
    FEES_STATE,
    YEAR_STATE,
    INSTRUMENT_STATE,
    ACCOUNT_STATE,
    HOLDING_STATE,
    ORDER_STATE,
    TRADE_STATE,
    CLIENT_ID_STATE,
)
"""The layout of each section."""


class StateError(ValueError):
    """Bytes that are no state of this format; the message is a sentence for the operator."""


def from_bytes(data: bytes) -> State:
    """The state whose `snapshot_bytes` these are. Raises StateError for anything else."""
    if data[:8] != MAGIC:
        raise StateError("these bytes are no snapshot of an engine")
    found = int.from_bytes(data[8:16], "little")
    if found != STATE_FORMAT:
        raise StateError(f"the snapshot has format {found}, and this engine reads format {STATE_FORMAT}")
    position = 16
    sections = []
    for name, layout in LAYOUTS._asdict().items():
        count = int.from_bytes(data[position : position + 8], "little")
        start, position = position + 8, position + 8 + count * layout.itemsize
        if len(data) < position:
            raise StateError(f"the snapshot ends within its section {name!r}")
        sections.append(frombuffer(data, layout, count, start))
    if position != len(data):
        raise StateError(f"the snapshot has {len(data) - position} bytes too many")
    return State(*sections)


def snapshot_bytes(state: State) -> bytes:
    """The canonical bytes."""
    parts = [MAGIC, STATE_FORMAT.to_bytes(8, "little")]
    for section in state:
        parts += [len(section).to_bytes(8, "little"), section.tobytes()]
    return b"".join(parts)


def state_hash(state: State) -> str:
    """BLAKE2b-256 of the canonical bytes, in hexadecimal."""
    return blake2b(snapshot_bytes(state), digest_size=32).hexdigest()


def section(layout: dtype[Any], pool: Any, index: Sequence[int], **columns: Any) -> Any:
    """A section of the given rows of a pool. Its fields are the pool's of the same name; `columns` gives others' values,
    or another name of the pool's."""
    result = zeros(len(index), layout)
    array = getattr(pool, "base", None)  # compiled, a pool is a numpy array; else a list of objects
    if array is not None:
        picked = array[index.start : index.stop] if isinstance(index, range) else array[index]
    for name in layout.names or ():
        source = columns.get(name, name)
        if not isinstance(source, str):
            result[name] = source
        elif array is not None:
            result[name] = picked[source]
        else:
            result[name] = [getattr(pool[i], source) for i in index]
    return result


def fill(pool: Any, first: int, rows: Any, **columns: Any) -> None:
    """Puts a section into the rows of a pool from `first` on: its fields into the pool's of the same name, as far as it has
    them; `columns` gives other fields of the pool, by their values."""
    array = getattr(pool, "base", None)
    fields = array.dtype.names if array is not None else tuple(pool[0].__dataclass_fields__)
    values = {name: rows[name] for name in rows.dtype.names if name in fields} | columns
    for name, column in values.items():
        if array is not None:
            array[name][first : first + len(rows)] = column
        else:
            for row, value in zip(pool[first : first + len(rows)], column.tolist(), strict=True):
                setattr(row, name, value)
