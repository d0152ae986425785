"""A clock for venues under test."""

from __future__ import annotations

import time
from collections.abc import Callable

TEN_O_CLOCK_NS = 1_701_396_000_000_000_000
"""Friday 1 December 2023, 10:00 in Shanghai: a trading day, in the continuous session."""

HOUR_NS = 3_600 * 10**9


def from_ten_o_clock() -> Callable[[], int]:
    """A clock that says ten o'clock of that trading day now, and goes on as the machine's does: for hours no day ends."""
    ahead_ns = TEN_O_CLOCK_NS - time.time_ns()
    return lambda: time.time_ns() + ahead_ns


class Clock:
    """A clock that the test sets; each reading advances it by a microsecond."""

    def __init__(self, now_ns: int = TEN_O_CLOCK_NS) -> None:
        self.now_ns = now_ns

    def __call__(self) -> int:
        self.now_ns += 1_000
        return self.now_ns
