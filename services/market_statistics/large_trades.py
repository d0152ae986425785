"""Large trades, and how soon the spread is back at its median after them."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from services.market_statistics.continuous_time import Integers, Steps

TIMES_THE_MEDIAN = 5
"""A command is a large trade if it trades at least so many times the median of the day's trading commands. An assumption."""


@dataclass(frozen=True)
class SpreadRecovery:
    """What followed the large trades of a day."""

    large_trades: int
    unrecovered_trades: int
    recovery_ns: Fraction | None


def median_spread(steps: Steps) -> int | None:
    """The least spread in ticks that half of the two-sided time did not exceed; None where there is no such time."""
    chosen = steps.two_sided
    order = np.argsort(steps.spread_ticks[chosen], kind="stable")
    passed = np.cumsum(steps.lasts_ns[chosen][order])
    if not len(passed) or not passed[-1]:
        return None
    half = np.searchsorted(passed, (passed[-1] + 1) // 2)
    return int(steps.spread_ticks[chosen][order][half])


def recovery(
    steps: Steps, seq: Integers, time_ns: Integers, lots: Integers, median_ticks: int | None
) -> SpreadRecovery:
    """`seq`, `time_ns` and `lots` are of the day's continuous trades, in order. The time runs from the command that traded to
    the first step at which the market is two-sided and its spread at most `median_ticks`. Where continuous trading ends before,
    the time is not known, but longer than every other."""
    commands, first = np.unique(seq, return_index=True)
    if not len(commands) or median_ticks is None:
        return SpreadRecovery(0, 0, None)
    traded = np.add.reduceat(lots, first)
    large = 2 * traded >= TIMES_THE_MEDIAN * _twice_median(sorted(traded.tolist()))
    after = steps.after(commands[large])
    back = _next(np.flatnonzero(steps.two_sided & (steps.spread_ticks <= median_ticks)), after)
    ended = _next(np.flatnonzero(~steps.continuous), after)
    known = back < ended
    starts_ns = steps.starts_ns[back[known]]
    waits = np.sort(np.maximum(starts_ns - time_ns[first][large][known], 0)).tolist()
    unknown = len(after) - len(waits)
    if not waits or len(after) // 2 >= len(waits):
        return SpreadRecovery(len(after), unknown, None)
    middle = waits[(len(after) - 1) // 2] + waits[len(after) // 2]
    return SpreadRecovery(len(after), unknown, Fraction(middle, 2))


def _next(chosen: NDArray[np.intp], after: NDArray[np.intp]) -> NDArray[np.intp]:
    """For each step the first of the chosen ones at or after it; where there is none, a number beyond all steps."""
    return np.append(chosen, np.iinfo(np.intp).max)[np.searchsorted(chosen, after)]


def _twice_median(values: list[int]) -> int:
    """Of sorted values: twice the middle one, or the sum of the two in the middle."""
    return values[(len(values) - 1) // 2] + values[len(values) // 2]
