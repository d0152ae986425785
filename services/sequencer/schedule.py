"""When the venue's time passes: which commands are due at an instant, as pure functions of it.

Timers are commands. The sequencer asks a schedule what is due before it numbers a command at or past that time, and
journals the answer, so that a replay needs neither clock nor calendar.

The trading date at an instant (Asia/Shanghai): of trading day D before 17:00, D; from 17:00 of D on, and on other days, the
next trading day. After an outage one DAY_ROLL leads straight to the date that is right now; where it would skip a trading day,
an operator must have vouched for the clock, because a wrong one would move the venue's date for ever.
"""

from __future__ import annotations

from datetime import date
from typing import Protocol

from matching_engine.records import ALL_INSTRUMENTS, Command, CommandKind, Phase
from services.data.calendar import TradingCalendar
from services.sequencer.clock import ClockRefused, time_text

_MINUTE_NS = 60 * 10**9
_DAY_NS = 24 * 60 * _MINUTE_NS
_SHANGHAI_NS = 8 * 60 * _MINUTE_NS
"""China has kept UTC+8 without summer time since 1991."""
_FIRST_DAY = date(1970, 1, 1).toordinal()


def _at(hour: int, minute: int) -> int:
    """A time of day in nanoseconds since midnight."""
    return (hour * 60 + minute) * _MINUTE_NS


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
"""A trading day of schedule `exchange`: from when on which phase holds, until the next line's; before the first CLOSED.

Opening auction, 300 minutes of continuous trading in two sessions, closing auction. The times are an assumption of this
project, after those of spot and futures venues; so is it that there is a closing auction.
"""


class Schedule(Protocol):
    """What the sequencer asks of a schedule."""

    def due(self, engine_trading_date: int, phase: int, now_ns: int) -> list[Command]:
        """The commands to run first, given the engine's date and the phase last set; empty where all is as it should be.

        Raises ClockRefused where a DAY_ROLL would skip a trading day that no operator lets it skip.
        """

    def next_ns(self, now_ns: int) -> int:
        """The next instant after now_ns at which something may be due."""


def local_day(now_ns: int) -> tuple[date, int]:
    """The calendar day in Shanghai and the nanoseconds since its midnight."""
    days, since_midnight_ns = divmod(now_ns + _SHANGHAI_NS, _DAY_NS)
    return date.fromordinal(_FIRST_DAY + days), since_midnight_ns


def trading_date_at(calendar: TradingCalendar, now_ns: int) -> date:
    """The trading day an order of this instant belongs to."""
    day, since_midnight_ns = local_day(now_ns)
    if since_midnight_ns < DAY_ROLL_AT and calendar.is_trading_day(day):
        return day
    return calendar.next_after(day)


class AlwaysOpen:
    """Schedule `always`: continuous trading around the clock; only the trading date moves.

    `may_skip_from`: the trading date that an operator lets the venue leave over skipped trading days; 0: none.
    """

    def __init__(self, calendar: TradingCalendar, *, may_skip_from: int = 0) -> None:
        self._calendar = calendar
        self._may_skip_from = may_skip_from

    def due(self, engine_trading_date: int, phase: int, now_ns: int) -> list[Command]:
        """A DAY_ROLL where the date is behind, then CONTINUOUS where it was never set."""
        roll = _day_roll(self._calendar, engine_trading_date, now_ns, self._may_skip_from)
        return roll + _set_phase(phase, Phase.CONTINUOUS)

    def next_ns(self, now_ns: int) -> int:
        """17:00 in Shanghai."""
        return _next_of((DAY_ROLL_AT,), now_ns)


class ExchangeHours:
    """Schedule `exchange`: the phases of TRADING_DAY on trading days, otherwise closed. `may_skip_from` as in AlwaysOpen."""

    def __init__(self, calendar: TradingCalendar, *, may_skip_from: int = 0) -> None:
        self._calendar = calendar
        self._may_skip_from = may_skip_from

    def due(self, engine_trading_date: int, phase: int, now_ns: int) -> list[Command]:
        """The right phase directly, whatever an outage skipped; but a day that ends is closed first, so that what an auction
        collected is traded on the day it belongs to, and no order trades between closing and DAY_ROLL. Where the venue is
        closed, too: an operator may have opened single instruments."""
        wanted = self._phase_at(now_ns)
        roll = _day_roll(self._calendar, engine_trading_date, now_ns, self._may_skip_from)
        if not roll:
            return _set_phase(phase, wanted)
        return [_all_into(Phase.CLOSED), *roll, *_set_phase(Phase.CLOSED, wanted)]

    def next_ns(self, now_ns: int) -> int:
        """The next change of phase, or 17:00."""
        return _next_of((*(start for start, _ in TRADING_DAY), DAY_ROLL_AT), now_ns)

    def _phase_at(self, now_ns: int) -> Phase:
        day, since_midnight_ns = local_day(now_ns)
        if not self._calendar.is_trading_day(day):
            return Phase.CLOSED
        begun = [phase for start, phase in TRADING_DAY if start <= since_midnight_ns]
        return begun[-1] if begun else Phase.CLOSED


def date_ahead(calendar: TradingCalendar, engine_trading_date: int, now_ns: int) -> list[str]:
    """A warning where the venue's trading day is later than the clock's: it was rolled by a clock that was wrong."""
    right = _date_number(trading_date_at(calendar, now_ns))
    if engine_trading_date <= right:
        return []
    return [
        f"The trading day is {engine_trading_date}, by the clock it is {right}: no day rolls until the clock is past it."
    ]


def _day_roll(calendar: TradingCalendar, engine_trading_date: int, now_ns: int, may_skip_from: int) -> list[Command]:
    """One roll to the date that is right; none where a clock set back would lead to an earlier day."""
    right = _date_number(trading_date_at(calendar, now_ns))
    if right <= engine_trading_date:
        return []
    if engine_trading_date not in (0, may_skip_from):
        _refuse_skipped_days(calendar, engine_trading_date, right, now_ns)
    return [Command(kind=CommandKind.DAY_ROLL, date=right)]


def _refuse_skipped_days(calendar: TradingCalendar, engine_trading_date: int, right: int, now_ns: int) -> None:
    year, day_of_year = divmod(engine_trading_date, 10_000)
    following = _date_number(calendar.next_after(date(year, *divmod(day_of_year, 100))))
    if right > following:
        raise ClockRefused(
            f"the clock says {time_text(now_ns)}: the trading day would go from {engine_trading_date} to {right}, skipping "
            f"{following}, and never come back. If the clock is right, start with --accept-clock; otherwise put it right first"
        )


def _date_number(day: date) -> int:
    return day.year * 10_000 + day.month * 100 + day.day


def _set_phase(phase: int, wanted: Phase) -> list[Command]:
    return [] if phase == wanted else [_all_into(wanted)]


def _all_into(phase: Phase) -> Command:
    return Command(kind=CommandKind.SET_PHASE, instrument=ALL_INSTRUMENTS, phase=phase)


def _next_of(times_of_day: tuple[int, ...], now_ns: int) -> int:
    """The first of these times of day, in ascending order, after now_ns."""
    since_midnight_ns = (now_ns + _SHANGHAI_NS) % _DAY_NS
    midnight_ns = now_ns - since_midnight_ns
    later_today = [at for at in times_of_day if at > since_midnight_ns]
    return midnight_ns + (later_today[0] if later_today else _DAY_NS + times_of_day[0])
