"""Depth: the shown lots at most 1 % away from the middle, averaged over the time in which the market is two-sided."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from operator import mul

import numpy as np
from numpy.typing import NDArray

from matching_engine.records import Side
from services.market_statistics.continuous_time import Integers, LevelChanges, Steps

PERCENT_AWAY = 1
_PAIRS = 2**18
"""So many pairs of a level's lifetime and a middle are looked at together, about."""


def depths(changes: LevelChanges, steps: Steps, ended_ns: int) -> dict[Side, Fraction | None]:
    """The average depth of each side in lots; None where the market was never two-sided."""
    begins, ends, twice_middle = _middles(steps)
    whole_ns = int((ends - begins).sum())
    if not whole_ns:
        return {Side.BUY: None, Side.SELL: None}
    order = changes.by_level()
    side, price, lots = changes.side[order], changes.price_ticks[order], changes.quantity_lots[order]
    from_ns, to_ns = changes.time_ns[order], _until(side, price, changes.time_ns[order], ended_ns)
    found: dict[Side, Fraction | None] = {}
    for one in Side:
        of_side = (side == one) & (lots > 0) & (to_ns > from_ns)
        near_ns = _near_ns(one, price[of_side], from_ns[of_side], to_ns[of_side], (begins, ends, twice_middle))
        found[one] = Fraction(sum(map(mul, lots[of_side].tolist(), near_ns.tolist())), whole_ns)
    return found


def _middles(steps: Steps) -> tuple[Integers, Integers, Integers]:
    """The two-sided time as spans with one middle each: begin, end, best buy + best sell."""
    chosen = steps.two_sided & (steps.lasts_ns > 0)
    begins, ends = steps.starts_ns[chosen], steps.ends_ns[chosen]
    twice = (steps.best_buy_ticks + steps.best_sell_ticks)[chosen]
    first = np.append(True, (twice[1:] != twice[:-1]) | (begins[1:] != ends[:-1]))[: len(twice)]
    return begins[first], ends[np.append(first[1:], True)[: len(twice)]], twice[first]


def _until(side: Integers, price: Integers, time_ns: Integers, ended_ns: int) -> Integers:
    """When each change of the sorted levels ends: at the next change of the same level, or with the day."""
    same = np.append((side[1:] == side[:-1]) & (price[1:] == price[:-1]), False)[: len(side)]
    return np.where(same, np.append(time_ns[1:], ended_ns)[: len(side)], ended_ns)


def _near_ns(
    side: Side, price: Integers, from_ns: Integers, to_ns: Integers, middles: tuple[Integers, Integers, Integers]
) -> Integers:
    """How long each level, while it stands from from_ns to to_ns, is near the middle."""
    begins, ends, twice_middle = middles
    first = np.searchsorted(ends, from_ns, side="right")
    met = np.searchsorted(begins, to_ns, side="left") - first
    near_ns = np.zeros(len(price), np.int64)
    for part in _parts(met):
        count = met[part]
        level = np.repeat(np.arange(part.start, part.stop), count)
        span = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count) + first[level]
        overlap_ns = np.minimum(ends[span], to_ns[level]) - np.maximum(begins[span], from_ns[level])
        overlap_ns[~_is_near(side, price[level], twice_middle[span])] = 0
        np.add.at(near_ns, level, overlap_ns)
    return near_ns


def _parts(met: NDArray[np.intp]) -> Iterator[slice]:
    """Slices of the levels with about _PAIRS pairs each."""
    part = np.cumsum(met) // _PAIRS
    starts = np.flatnonzero(np.append(True, part[1:] != part[:-1])[: len(met)]).tolist()
    for start, stop in zip(starts, [*starts[1:], len(met)], strict=False):
        yield slice(start, stop)


def _is_near(side: Side, price: Integers, twice_middle: Integers) -> NDArray[np.bool_]:
    """100 · |price − middle| ≤ PERCENT_AWAY · middle; on its own side no price is beyond the middle."""
    away = twice_middle - 2 * price if side == Side.BUY else 2 * price - twice_middle
    return 100 * away <= PERCENT_AWAY * twice_middle
