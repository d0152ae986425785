"""The canonical bytes of an engine's state, and their hash.

Two engines that will answer every future command alike have the same bytes: orders stand in the order they would trade,
identifiers in order of their commands, and nothing tells how memory is laid out. `Engine` and the naive engine of the
tests both fill a `State`; natively compiled and plain Python engines must agree to the byte.

The bytes: MAGIC, then the sections in the order of `State`'s fields, each preceded by its number of rows (u8,
little-endian). The layouts are packed, so no byte is undefined.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from typing import Any, NamedTuple

from numpy import dtype, zeros

MAGIC = b"REXSTAT1"

VENUE_STATE = dtype(
    [
        ("last_seq", "<u8"),
        ("trading_date", "<u4"),
        ("trading_day", "<u4"),
        ("maker_rate_ppm", "<u4"),
        ("taker_rate_ppm", "<u4"),
        ("phase", "u1"),
        ("halted", "u1"),
    ]
)
"""`trading_day` counts the day rolls; `phase` and `halted` are what a newly listed instrument begins with."""

YEAR_STATE = dtype([("year", "<u4"), ("turnover_low", "<u8"), ("turnover_high", "<u8")])
"""Turnover in fen of the ended trading days of each calendar year that has any, as two 64-bit halves, ascending."""

INSTRUMENT_STATE = dtype(
    [
        ("tick_value_fen", "<i8"),
        ("reference_ticks", "<i8"),
        ("max_quantity_lots", "<i8"),
        ("day_lots", "<i8"),
        ("day_amount_fen", "<i8"),
        ("band_ppm", "<u4"),
        ("phase", "u1"),
        ("halted", "u1"),
    ]
)
"""By number. The day's price edges follow from the reference and the band."""

ACCOUNT_STATE = dtype([("cash_fen", "<i8"), ("reserved_fen", "<i8"), ("owner", "<u4"), ("account_class", "u1")])
"""By number, from VENUE."""

HOLDING_STATE = dtype([("account", "<u4"), ("instrument", "<u2"), ("lots", "<i8"), ("reserved_lots", "<i8")])
"""Where there are any lots, by account and instrument."""

ORDER_STATE = dtype(
    [
        ("order_id", "<u8"),
        ("price_ticks", "<i8"),
        ("leaves_lots", "<i8"),
        ("lot_reserve_fen", "<i8"),
        ("account", "<u4"),
        ("instrument", "<u2"),
        ("side", "u1"),
        ("time_in_force", "u1"),
    ]
)
"""By instrument, side (BUY first), best price first, then place in the queue."""

CLIENT_ID_STATE = dtype(
    [("client_order_id", "S36"), ("account", "<u4"), ("order_id", "<u8"), ("body_digest", "<u8"), ("day", "<u4")]
)
"""By order_id. `day` is the trading day the order was last known to be open, or was refused."""


class State(NamedTuple):
    """Everything that determines an engine's future, as arrays of the layouts above."""

    venue: Any
    years: Any
    instruments: Any
    accounts: Any
    holdings: Any
    orders: Any
    client_ids: Any


def snapshot_bytes(state: State) -> bytes:
    """The canonical bytes."""
    parts = [MAGIC]
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
    for name in layout.names or ():
        source = columns.get(name, name)
        if not isinstance(source, str):
            result[name] = source
        elif array is not None:
            result[name] = array[source][index]
        else:
            result[name] = [getattr(pool[i], source) for i in index]
    return result
