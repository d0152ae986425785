"""The hours of the trading day, Asia/Shanghai: its phases, when the trading date rolls, and which changes come next.

They are the venue's own timetable, which the sequencer's schedule journals as commands; what operators do comes on top.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from itertools import islice
from typing import Literal, NamedTuple

from matching_engine.records import Phase
from services.data.calendar import TradingCalendar

MINUTE_NS = 60 * 10**9
DAY_NS = 24 * 60 * MINUTE_NS
SHANGHAI_NS = 8 * 60 * MINUTE_NS
"""China has had UTC+8 without summer time since 1991."""
_FIRST_DAY = date(1970, 1, 1).toordinal()

ScheduleName = Literal["always", "exchange"]


def _at(hour: int, minute: int) -> int:
    """A time of day, in nanoseconds since midnight."""
    return (hour * 60 + minute) * MINUTE_NS


DAY_ROLL_AT = _at(17, 0)

TRADING_DAY = (
    (_at(8, 55), Phase.CALL_AUCTION),
    (_at(8, 59), Phase.AUCTION_MATCHING),
    (_at(9, 0), Phase.CONTINUOUS),
    (_at(11, 30), Phase.CLOSED),
    (_at(13, 30), Phase.CONTINUOUS),
    (_at(16, 0), Phase.CALL_AUCTION),
    (_at(16, 4), Phase.AUCTION_MATCHING),
    (_at(16, 5), Phase.CLOSED),
)
"""The trading day of schedule `exchange`: the start of each phase, which lasts until the next line's. Before the first: CLOSED.

Opening auction, 300 minutes of continuous trading in two sessions, closing auction. The times, and that there is a closing
auction, are assumptions of this project, modelled on spot and futures venues.
"""


class PhaseChange(NamedTuple):
    """From `time_ns` (since 1970 UTC) on, the schedule's phase and trading date are these."""

    time_ns: int
    phase: Phase
    trading_date: date


def local_day(now_ns: int) -> tuple[date, int]:
    """The calendar day in Shanghai, and the nanoseconds since its midnight."""
    days, since_midnight_ns = divmod(now_ns + SHANGHAI_NS, DAY_NS)
    return date.fromordinal(_FIRST_DAY + days), since_midnight_ns


class TradingHours:
    """The timetable of a schedule on a calendar. Schedule `always` trades around the clock: its only change is the day roll."""

    def __init__(self, calendar: TradingCalendar, schedule: ScheduleName) -> None:
        self.calendar = calendar
        self.schedule = schedule

    def changes_of(self, day: date) -> list[PhaseChange]:
        """The changes of a calendar day, in order; none on a day without trading."""
        if not self.calendar.is_trading_day(day):
            return []
        midnight_ns = (day.toordinal() - _FIRST_DAY) * DAY_NS - SHANGHAI_NS
        always = self.schedule == "always"
        phases = [] if always else [PhaseChange(midnight_ns + at, phase, day) for at, phase in TRADING_DAY]
        after = Phase.CONTINUOUS if always else Phase.CLOSED
        return [*phases, PhaseChange(midnight_ns + DAY_ROLL_AT, after, self.calendar.next_after(day))]

    def next_changes(self, now_ns: int, count: int) -> list[PhaseChange]:
        """The next changes after now, in order."""
        return list(islice(self._after(now_ns), count))

    def _after(self, now_ns: int) -> Iterator[PhaseChange]:
        day, _ = local_day(now_ns)
        while True:
            yield from (change for change in self.changes_of(day) if change.time_ns > now_ns)
            day = self.calendar.next_after(day)
