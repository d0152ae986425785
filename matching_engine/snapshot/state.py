"""The canonical bytes of an engine's state, and their hash.

Two engines that will answer every future command alike have the same bytes: orders are in the order in which they would
trade, identifiers are in the order of their commands, and nothing depends on the layout of memory. `Engine` and the naive
engine of the tests both fill a `State`; compiled and plain Python engines must agree to the byte.

The bytes are MAGIC, STATE_FORMAT (u8, little-endian) and then the sections in the order of `State`'s fields, each preceded
by its number of rows (u8). The layouts are packed, so no byte is undefined. `from_bytes(snapshot_bytes(state))` equals
`state`.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from typing import Any, NamedTuple

from numpy import dtype, frombuffer, zeros

MAGIC = b"REXSTATE"

STATE_FORMAT = 3
"""The number of the layouts in this file. `from_bytes` refuses any other with a StateError."""

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
"""`trading_day` is the number of day rolls; a newly listed instrument begins with `phase` and `halted`."""

FEES_STATE = dtype([("account_class", "u1"), ("maker_rate_ppm", "<u4"), ("taker_rate_ppm", "<u4")])
"""The account classes that have a rate other than 0, ascending."""

YEAR_STATE = dtype([("year", "<u4"), ("turnover_low", "<u8"), ("turnover_high", "<u8")])
"""The turnover in fen of the ended trading days by calendar year, as two 64-bit halves; years with turnover, ascending."""

INSTRUMENT_STATE = dtype(
    [
        ("tick_value_fen", "<i8"),
        ("reference_ticks", "<i8"),
        ("last_ticks", "<i8"),
        ("max_quantity_lots", "<i8"),
        ("day_lots", "<i8"),
        ("day_amount_fen", "<i8"),
        ("auction_ends_ns", "<i8"),
        ("best_buy_ticks", "<i8"),
        ("best_sell_ticks", "<i8"),
        ("quotes_since_ns", "<i8"),
        ("quotes_until_ns", "<i8"),
        ("closing_seq", "<u8"),
        ("band_ppm", "<u4"),
        ("collar_ppm", "<u4"),
        ("volatility_ppm", "<u4"),
        ("auction_s", "<u4"),
        ("phase", "u1"),
        ("halted", "u1"),
        ("in_auction", "u1"),
    ]
)
"""By number. `last_ticks` is the day's last price, 0 before the first trade. While `in_auction` is 1, a volatility auction
runs until `auction_ends_ns` (0 without one). The limits of the day's band follow from the reference price and the band.
`best_buy_ticks` to `closing_seq` are for the settlement price: the class `Instrument` of the engine says what they are."""

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
"""By number, from VENUE. `day_fen` is the amount traded on the trading day."""

HOLDING_STATE = dtype([("account", "<u4"), ("instrument", "<u2"), ("lots", "<i8"), ("reserved_lots", "<i8")])
"""The holdings with lots, by account and instrument."""

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
"""By instrument and side (BUY first), orders in the book before waiting stops; by price, best first, or by trigger, first to
be triggered first; then by place in the queue. A waiting stop has order_type STOP or STOP_LIMIT; once triggered it is LIMIT
(or gone) and its trigger is 0. The price of a STOP is its protection price. All lots of a waiting stop are in shown_lots."""

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
"""The trades of the trading day, busted ones too, by trade_id (seq << 20 | number)."""

CLIENT_ID_STATE = dtype(
    [("client_order_id", "S36"), ("account", "<u4"), ("order_id", "<u8"), ("body_digest", "<u8"), ("day", "<u4")]
)
"""By order_id. `day` is the last trading day on which the order was open, or the day on which it was refused."""


class State(NamedTuple):
    """Everything that determines an engine's future, one array for each of the layouts above."""

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
    """The bytes are no state of this format, or the state cannot be. The message is a sentence for the operator."""


def from_bytes(data: bytes) -> State:
    """The state that `snapshot_bytes` wrote as `data`. Raises StateError for any other bytes."""
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
    """The canonical bytes of a state."""
    parts = [MAGIC, STATE_FORMAT.to_bytes(8, "little")]
    for section in state:
        parts += [len(section).to_bytes(8, "little"), section.tobytes()]
    return b"".join(parts)


def state_hash(state: State) -> str:
    """The BLAKE2b-256 of the canonical bytes, in hexadecimal."""
    return blake2b(snapshot_bytes(state), digest_size=32).hexdigest()


def section(layout: dtype[Any], pool: Any, index: Sequence[int], **columns: Any) -> Any:
    """A section made of the rows `index` of a pool. Each field is copied from the pool's field of the same name, unless
    `columns` gives its values, or the name of another field of the pool."""
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
    """Writes a section into the rows of a pool from `first` on. Each field goes into the pool's field of the same name, if the
    pool has one; `columns` gives the values of further fields of the pool."""
    array = getattr(pool, "base", None)
    fields = array.dtype.names if array is not None else tuple(pool[0].__dataclass_fields__)
    values = {name: rows[name] for name in rows.dtype.names if name in fields} | columns
    for name, column in values.items():
        if array is not None:
            array[name][first : first + len(rows)] = column
        else:
            for row, value in zip(pool[first : first + len(rows)], column.tolist(), strict=True):
                setattr(row, name, value)
