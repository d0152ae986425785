"""The venue's guarded clock: the wall clock, compared with a monotonic clock that cannot be set.

Timestamps decide trading days, expiries and the ends of auctions, and they never go back: a clock that is a year ahead for one
second would cost the venue that year. So a clock that jumps stops the venue before any command is stamped, and an operator
decides how to go on (`--accept-clock`).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta, timezone

MAX_JUMP_NS = 5 * 60 * 10**9
"""The largest step of the wall clock, and the largest lag behind the last command at a start."""

AHEAD_NS = 10**9
"""A warning is given if timestamps are ahead of the clock by more than this."""

_NEW_BASE_NS = 3_600 * 10**9
"""A jump is measured over at most an hour: in that time, two drifting clocks diverge only by seconds."""

_STEADY = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
"""On Linux only BOOTTIME counts the time during which the machine was suspended: so a resume is not a jump."""

_SHANGHAI = timezone(timedelta(hours=8))


class ClockRefused(Exception):
    """The clock is wrong, or only an operator can confirm it. No command was stamped with it."""

    seq: int | None = None
    """None: no command is concerned."""


def steady_ns() -> int:
    """Nanoseconds of a clock that is never set and never goes back; its origin is arbitrary."""
    return time.clock_gettime_ns(_STEADY)


class GuardedClock:
    """Returns nanoseconds since 1970. Raises ClockRefused if `wall` has jumped by more than MAX_JUMP_NS against `steady`."""

    def __init__(self, wall: Callable[[], int] = time.time_ns, steady: Callable[[], int] = steady_ns) -> None:
        self._wall = wall
        self._steady = steady
        self._base_wall_ns, self._base_steady_ns = wall(), steady()

    def __call__(self) -> int:
        """The time now, nanoseconds since 1970."""
        now_ns, passed_ns = self._wall(), self._steady() - self._base_steady_ns
        jump_ns = now_ns - self._base_wall_ns - passed_ns
        if abs(jump_ns) > MAX_JUMP_NS:
            raise ClockRefused(
                f"the clock jumped {'forward' if jump_ns > 0 else 'back'} by {_span(abs(jump_ns))}, to "
                f"{shanghai_text(now_ns)}: nothing was stamped with it. Correct the clock and start again (docs/operators.md)"
            )
        if passed_ns > _NEW_BASE_NS:
            self._base_wall_ns, self._base_steady_ns = now_ns, self._base_steady_ns + passed_ns
        return now_ns


def refuse_clock_behind(now_ns: int, last_time_ns: int) -> None:
    """For a start: raises ClockRefused if the clock is more than MAX_JUMP_NS behind the journal's last command."""
    behind_ns = last_time_ns - now_ns
    if behind_ns > MAX_JUMP_NS:
        raise ClockRefused(
            f"the clock says {shanghai_text(now_ns)}, the last command was stamped {shanghai_text(last_time_ns)}: one of the "
            f"two is wrong by {_span(behind_ns)}. Correct the clock; if it is right, start with --accept-clock, and every "
            f"command is stamped {shanghai_text(last_time_ns)} until the clock has reached that time"
        )


def ahead_of_server_ns(before_ns: int, server_ns: int, after_ns: int) -> int:
    """By how much this clock is certainly ahead of a server's, which was asked between `before_ns` and `after_ns`; negative: it
    is behind."""
    return max(0, before_ns - server_ns) - max(0, server_ns - after_ns)


def refuse_clock_apart(ahead_ns: int) -> None:
    """For a standby that would claim: raises ClockRefused if its clock and the database server's differ by more than
    MAX_JUMP_NS."""
    if abs(ahead_ns) > MAX_JUMP_NS:
        raise ClockRefused(
            f"the clock is {_apart(ahead_ns)} that of the database server: one of the two is wrong. Correct it, and the claim "
            "is tried again; if this one is right, start with --accept-clock"
        )


def clock_apart(ahead_ns: int) -> list[str]:
    """A warning if a standby's clock and the database server's differ by more than AHEAD_NS; otherwise an empty list."""
    if abs(ahead_ns) <= AHEAD_NS:
        return []
    return [f"The clock is {_apart(ahead_ns)} that of the database server."]


def time_ahead(stamped_ns: int, now_ns: int) -> list[str]:
    """A warning if timestamps are ahead of the clock, as after the clock was set back; otherwise an empty list."""
    if stamped_ns - now_ns <= AHEAD_NS:
        return []
    return [
        f"Stamped time is {_span(stamped_ns - now_ns)} ahead of the clock: every command is stamped "
        f"{shanghai_text(stamped_ns)} until the clock has reached that time."
    ]


def shanghai_text(time_ns: int) -> str:
    """A time (nanoseconds since 1970) as text in Shanghai's zone: 2026-01-05 09:00:00 +08:00."""
    return datetime.fromtimestamp(time_ns // 10**9, _SHANGHAI).strftime("%Y-%m-%d %H:%M:%S +08:00")


def _apart(ahead_ns: int) -> str:
    return f"{_span(abs(ahead_ns))} {'ahead of' if ahead_ns > 0 else 'behind'}"


def _span(span_ns: int) -> str:
    return str(timedelta(seconds=span_ns // 10**9))
