"""The venue's clock, guarded: the wall clock beside one that nobody can set.

Stamped time decides trading days, expiries and the ends of auctions, and it never goes back: one second of a wrong clock can
cost a year. So a clock that jumps stops the venue before it stamps anything, and an operator decides (`--accept-clock`).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta, timezone

MAX_JUMP_NS = 5 * 60 * 10**9
"""How far the wall clock may step, and how far behind the last command it may be at a start."""

AHEAD_NS = 10**9
"""Stamped time this far ahead of the clock is worth a warning."""

_NEW_BASE_NS = 3_600 * 10**9
"""A jump is measured within an hour: clocks that merely drift part by seconds in that time."""

_STEADY = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
"""Linux counts the time a machine was suspended in BOOTTIME only: waking up is no jump."""

_SHANGHAI = timezone(timedelta(hours=8))


class ClockRefused(Exception):
    """The clock cannot be right, or only an operator can say that it is. Nothing was stamped with it."""

    seq: int | None = None
    """The trouble is about no command."""


def steady_ns() -> int:
    """Nanoseconds since some instant; never set, never back."""
    return time.clock_gettime_ns(_STEADY)


class GuardedClock:
    """Nanoseconds since 1970. Raises ClockRefused where the wall clock has jumped by more than MAX_JUMP_NS against `steady`."""

    def __init__(self, wall: Callable[[], int] = time.time_ns, steady: Callable[[], int] = steady_ns) -> None:
        self._wall = wall
        self._steady = steady
        self._base_wall_ns, self._base_steady_ns = wall(), steady()

    def __call__(self) -> int:
        """The time now."""
        now_ns, passed_ns = self._wall(), self._steady() - self._base_steady_ns
        jump_ns = now_ns - self._base_wall_ns - passed_ns
        if abs(jump_ns) > MAX_JUMP_NS:
            raise ClockRefused(
                f"the clock jumped {'forward' if jump_ns > 0 else 'back'} by {_span(abs(jump_ns))}, to {time_text(now_ns)}: "
                "nothing was stamped with it. Put the clock right and start again (docs/operators.md)"
            )
        if passed_ns > _NEW_BASE_NS:
            self._base_wall_ns, self._base_steady_ns = now_ns, self._base_steady_ns + passed_ns
        return now_ns


def refuse_clock_behind(now_ns: int, last_time_ns: int) -> None:
    """At a start: raises ClockRefused where the clock is more than MAX_JUMP_NS behind the last command of the journal."""
    behind_ns = last_time_ns - now_ns
    if behind_ns > MAX_JUMP_NS:
        raise ClockRefused(
            f"the clock says {time_text(now_ns)}, the last command was stamped {time_text(last_time_ns)}: one of the two is "
            f"wrong by {_span(behind_ns)}. Put the clock right; if it is right, start with --accept-clock, and every command "
            f"is stamped {time_text(last_time_ns)} until the clock has come to it"
        )


def time_ahead(stamped_ns: int, now_ns: int) -> list[str]:
    """A warning where stamped time runs ahead of the clock, as it does after the clock was set back."""
    if stamped_ns - now_ns <= AHEAD_NS:
        return []
    return [
        f"Stamped time is {_span(stamped_ns - now_ns)} ahead of the clock: every command is stamped {time_text(stamped_ns)} "
        "until the clock has come to it."
    ]


def time_text(time_ns: int) -> str:
    """An instant as people in Shanghai write it."""
    return datetime.fromtimestamp(time_ns // 10**9, _SHANGHAI).strftime("%Y-%m-%d %H:%M:%S +08:00")


def _span(span_ns: int) -> str:
    return str(timedelta(seconds=span_ns // 10**9))
