"""The book of an instrument after a command of the past, from the trading day that holds the command.

The engine tells each change of a price level: the lots shown there, and the number of orders, after the command. So what stood
when the day began and the day's LEVEL events make the book exactly, icebergs and auctions included; nothing is executed again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from matching_engine.records import ALL_INSTRUMENTS, EventKind, Side
from services.market_statistics.contracts import MarketDay


class ShownLevel(NamedTuple):
    """A price of a book."""

    price_ticks: int
    quantity_lots: int
    """Shown."""
    orders: int


@dataclass(frozen=True)
class PastBook:
    """Both sides of a book, best price first, and the phase that was in force."""

    bids: list[ShownLevel]
    asks: list[ShownLevel]
    phase: int


def past_book(day: MarketDay, instrument: int) -> PastBook:
    """The book after the day's last command, which is the one that the day was read up to."""
    standing = day.opening.levels[day.opening.levels["instrument"] == instrument]
    changed = day.events[(day.events["kind"] == EventKind.LEVEL) & (day.events["instrument"] == instrument)]
    sides: tuple[dict[int, ShownLevel], dict[int, ShownLevel]] = {}, {}
    for levels, orders in ((standing, "orders"), (changed, "number")):
        columns = (levels[name].tolist() for name in ("side", "price_ticks", "quantity_lots", orders))
        for side, *level in zip(*columns, strict=True):
            sides[side][level[0]] = ShownLevel(*level)
    bids, asks = ([side[price] for price in sorted(side) if side[price].quantity_lots] for side in sides)
    assert Side.BUY < Side.SELL
    return PastBook(bids[::-1], asks, _phase(day, instrument))


def _phase(day: MarketDay, instrument: int) -> int:
    events = day.events[(day.events["kind"] == EventKind.PHASE_CHANGED)]
    own = events[np.isin(events["instrument"], (instrument, ALL_INSTRUMENTS))]
    if len(own):
        return int(own["phase"][-1])
    return day.opening.phases.get(instrument, day.opening.phase_of_all)
