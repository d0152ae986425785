"""What goes into the statistics and what comes out of them. Ratios are exact: `Fraction`, None where there is none.

Prices are in ticks, amounts in fen, times in nanoseconds since 1970 UTC. The *middle* is half of best buy + best sell; the
market is *two-sided* while both exist in continuous trading.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from matching_engine.records import EVENT, EventKind

LEVEL = np.dtype([(name, "i8") for name in ("instrument", "side", "price_ticks", "quantity_lots", "orders")])
"""The shown lots at a price of a book, and the number of its orders."""

Levels = NDArray[np.void]
"""An array of LEVEL."""

Events = NDArray[np.void]
"""An array of DAY_EVENT, or of EVENT."""

_FIELDS = (
    "seq", "order_id", "price_ticks", "quantity_lots", "amount_fen", "number", "instrument", "kind", "side", "phase",
)  # fmt: skip

DAY_EVENT = np.dtype([(name, EVENT[name]) for name in _FIELDS])
"""The fields of `matching_engine.records.EVENT` that the quality of a day follows from: 49 bytes of its 112."""

KINDS = (
    EventKind.LEVEL,
    EventKind.TRADE,
    EventKind.TRADE_BUSTED,
    EventKind.PHASE_CHANGED,
    EventKind.INSTRUMENT_LISTED,
    EventKind.SETTLED,
)
"""The kinds of event that the quality of a day follows from."""


@dataclass(frozen=True)
class Opening:
    """What stands when a trading day begins, before its DAY_ROLL: orders of the days before may rest in the books."""

    trading_date: int
    """yyyymmdd."""
    first_seq: int
    """The DAY_ROLL that begins the day."""
    began_ns: int
    levels: Levels
    """Each with at least one lot."""
    phase_of_all: int
    """The phase of the instruments that are not in `phases`."""
    phases: Mapping[int, int]
    listed: frozenset[int]
    """The instruments."""


@dataclass(frozen=True)
class MarketDay:
    """A trading day: what stood at its beginning, and its events of the KINDS (DAY_EVENT) in the order of the journal."""

    opening: Opening
    events: Events
    times_ns: NDArray[np.int64]
    """Of the commands that made the events; they never fall."""
    ended_ns: int
    """The time of the day roll that ended the day; of a day under way that of its last command."""
    last_seq: int
    """Its last command."""
    complete: bool
    """Whether a day roll has ended it."""


@dataclass(frozen=True)
class Quality:
    """The quality of a product's market on a trading day. All but `amihud` is of continuous trading."""

    instrument: int
    continuous_ns: int
    """How long the product was in continuous trading."""
    two_sided_ns: int
    """How long of that its market was two-sided."""
    spread_ticks: Fraction | None
    """Best sell − best buy, the average over the two-sided time."""
    spread_share: Fraction | None
    """`spread_ticks` / the average middle."""
    median_spread_ticks: int | None
    """The least spread that half of the two-sided time did not exceed."""
    buy_depth_lots: Fraction | None
    """Shown lots of buys at most 1 % below the middle, the average over the two-sided time."""
    sell_depth_lots: Fraction | None
    """Of sells at most 1 % above it."""
    trades: int
    """Continuous trades that were not busted."""
    effective_spread_ticks: Fraction | None
    """Twice the distance from the middle before the command to the price, on the taker's side, weighted by lots."""
    effective_spread_share: Fraction | None
    """`effective_spread_ticks` / the middles of the same trades, weighted by lots."""
    large_trades: int
    """Commands that traded at least 5 times the median of the day's trading commands; 0 without a median spread."""
    unrecovered_trades: int
    """Large trades after which continuous trading ended before the spread was back at the median."""
    recovery_ns: Fraction | None
    """Median time from a large trade until the spread is at most the median spread; None if half of them never saw it."""
    amihud: Fraction | None
    """|last price / settlement price of the day before − 1| per million yuan of the day's turnover, auctions included."""
