"""Which rings are planted in a year of honest trades: one plan for each question that the bars ask."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from load_tests.figure_bars.flow_with_rings import LabelledFlow, Ring, labelled, quoted, ring_legs
from load_tests.figure_bars.honest_market import (
    BIG_PRODUCTS,
    MAKERS,
    MEMBERS,
    PRODUCTS,
    TRADES_PER_DAY,
    Legs,
    Market,
    honest_legs,
)
from load_tests.figure_bars.toll_processing import toll_legs

RingPlan = Callable[[Market, Legs], list[Ring]]
"""Plans rings for a market and its honest trades."""


def honest_flow(seed: int, trades_per_day: int = TRADES_PER_DAY) -> LabelledFlow:
    """A year without wash trading."""
    market = Market.make(seed)
    return labelled(market, honest_legs(market, trades_per_day))


def flow_with(seed: int, plan: RingPlan, trades_per_day: int = TRADES_PER_DAY) -> LabelledFlow:
    """A year of the same honest trades as `honest_flow` plans, with rings."""
    market = Market.make(seed)
    honest = honest_legs(market, trades_per_day)
    rings = plan(market, honest)
    for ring in rings:
        honest = honest if ring.quotes is None else quoted(market, ring, honest)
    return labelled(market, np.concatenate((honest, *(ring_legs(market, ring) for ring in rings))))


def flow_with_toll(seed: int, plan: RingPlan | None = None, trades_per_day: int = TRADES_PER_DAY) -> LabelledFlow:
    """A year of honest trades with toll processing, and with plain rings of members who do none of it."""
    market = Market.make(seed)
    honest = honest_legs(market, trades_per_day)
    rings = plan(market, honest) if plan else []
    toll = toll_legs(market, honest, [member for ring in rings for member in ring.members])
    return labelled(market, np.concatenate((honest, toll, *(ring_legs(market, ring) for ring in rings))))


def _members(market: Market, *sizes: int) -> list[tuple[int, ...]]:
    """Disjoint rings of members who are neither makers nor among the six largest."""
    drawn = market.chance.permutation(np.arange(MAKERS + 6, MEMBERS))
    ends = np.cumsum(sizes)
    return [tuple(part.tolist()) for part in np.split(drawn[: ends[-1]], ends[:-1])]


def _own_fen(honest: Legs, members: tuple[int, ...], quotes: int | None = None) -> float:
    """What the members trade besides, each trade counted once. Of the product that they quote, one side of every trade."""
    sides = np.isin(honest["buyer"], members) * 1.0 + np.isin(honest["seller"], members)
    sides = np.where(honest["product"] == quotes, 1.0, sides)
    return float((honest["amount_fen"] * sides).sum() / 2)


def plain_rings(strength: float = 1.0) -> RingPlan:
    """Rings of 2, 3, 3 and 4 members whose trades with each other are `strength` × what they trade besides; 8 % leaks."""

    def plan(market: Market, honest: Legs) -> list[Ring]:
        rings = _members(market, 2, 3, 3, 4)
        return [Ring(at, ring, strength * _own_fen(honest, ring)) for at, ring in enumerate(rings, start=1)]

    return plan


def rings_of(members: int) -> RingPlan:
    """Three plain rings of so many members, strength 1, 8 % leaks."""

    def plan(market: Market, honest: Legs) -> list[Ring]:
        rings = _members(market, *[members] * 3)
        return [Ring(at, ring, _own_fen(honest, ring)) for at, ring in enumerate(rings, start=1)]

    return plan


def evasive_rings(strength: float = 1.0) -> RingPlan:
    """Rings of 4, 5 and 6 members without a pattern; a fifth leaks, a tenth are matched orders."""

    def plan(market: Market, honest: Legs) -> list[Ring]:
        return [
            Ring(at, ring, strength * _own_fen(honest, ring), leak=0.2, evasive=True, matched=0.1)
            for at, ring in enumerate(_members(market, 4, 5, 6), start=1)
        ]

    return plan


def quoting_rings(strength: float = 1.0) -> RingPlan:
    """Rings of 2, 2 and 3 members, each the only one who quotes a small product, and only there they trade with each other:
    `strength` × what they trade besides, there and elsewhere; no leaks, for nobody else quotes."""

    def plan(market: Market, honest: Legs) -> list[Ring]:
        rings = _members(market, 2, 2, 3)
        products = market.chance.choice(np.arange(BIG_PRODUCTS, PRODUCTS), len(rings), replace=False).tolist()
        return [
            Ring(at, ring, strength * _own_fen(honest, ring, product), leak=0.0, quotes=product)
            for at, (ring, product) in enumerate(zip(rings, products, strict=True), start=1)
        ]

    return plan


def month_end_burst(members: int) -> RingPlan:
    """On the last two days of each month so many members, others each month, trade 2 % of the year's turnover among them."""

    def plan(market: Market, honest: Legs) -> list[Ring]:
        months = np.array([day.month for day in market.dates])
        last = np.append(months[1:] != months[:-1], True)
        days = np.flatnonzero(last | np.append(last[1:], False)).reshape(12, 2)
        each = float(honest["amount_fen"].sum()) * 0.02 / 12
        return [
            Ring(at, _members(market, members)[0], each, days=two, evasive=True, latest_days=0, matched=0.1)
            for at, two in enumerate(days, start=1)
        ]

    return plan


def heavy_rings(market: Market, honest: Legs) -> list[Ring]:
    """Five plain rings that make 30 % of all turnover."""
    each = float(honest["amount_fen"].sum()) * 0.3 / 0.7 / 5
    return [Ring(number, members, each) for number, members in enumerate(_members(market, 2, 3, 3, 4, 4), start=1)]


def dominant_ring(percent: int) -> RingPlan:
    """One ring of three that makes so many percent of all turnover."""

    def plan(market: Market, honest: Legs) -> list[Ring]:
        (members,) = _members(market, 3)
        return [Ring(1, members, float(honest["amount_fen"].sum()) * percent / (100 - percent))]

    return plan
