"""The venue's schedules: which commands are due at a given time, as pure functions of it.

Timers are commands. Before the sequencer numbers a command, it asks the schedule which commands are due, and journals them, so
that a replay needs neither clock nor calendar.

The trading date at a given time (Asia/Shanghai): on trading day D before 17:00 it is D; from 17:00 of D on, and on other days,
it is the next trading day. After an outage a single DAY_ROLL leads to the right date. If that would skip a trading day, an
operator must have confirmed the clock (`--accept-clock`), because the venue's date never goes back.
"""

from __future__ import annotations

from datetime import date
from typing import Protocol

from matching_engine.records import ALL_INSTRUMENTS, Command, CommandKind, Phase
from services.data.calendar import TradingCalendar
from services.data.trading_hours import DAY_NS, DAY_ROLL_AT, SHANGHAI_NS, TRADING_DAY, local_day
from services.sequencer.clock import ClockRefused, shanghai_text

_PUBLISHED_BY = 11
"""The month in which the next year's holidays are usually published."""


class Schedule(Protocol):
    """The schedule as the sequencer uses it."""

    def due(self, engine_trading_date: int, phase: int, now_ns: int) -> list[Command]:
        """The commands due at now_ns, given the engine's trading date and the phase last set; empty if there are none.

        Raises ClockRefused if a DAY_ROLL would skip a trading day and no operator has allowed it.
        """

    def next_ns(self, now_ns: int) -> int:
        """The next time after now_ns at which a command may be due."""


def trading_date_at(calendar: TradingCalendar, now_ns: int) -> date:
    """The trading day that an order of this time belongs to."""
    day, since_midnight_ns = local_day(now_ns)
    if since_midnight_ns < DAY_ROLL_AT and calendar.is_trading_day(day):
        return day
    return calendar.next_after(day)


class AlwaysOpen:
    """Schedule `always`: continuous trading around the clock; only the trading date changes.

    `may_skip_from`: the trading date from which an operator allows a DAY_ROLL to skip trading days; 0: none.
    """

    def __init__(self, calendar: TradingCalendar, *, may_skip_from: int = 0) -> None:
        self._calendar = calendar
        self._may_skip_from = may_skip_from

    def due(self, engine_trading_date: int, phase: int, now_ns: int) -> list[Command]:
        """A DAY_ROLL if the date is behind, then SET_PHASE to CONTINUOUS if that is not the phase."""
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
        """The phase for now_ns directly, whatever phases an outage skipped. Before a DAY_ROLL all instruments are closed, so
        that the orders of an auction trade on the day they belong to and no order trades between the close and the DAY_ROLL.
        They are closed even if the venue's phase is CLOSED: an operator may have opened single instruments."""
        wanted = self._phase_at(now_ns)
        roll = _day_roll(self._calendar, engine_trading_date, now_ns, self._may_skip_from)
        if not roll:
            return _set_phase(phase, wanted)
        return [_all_into(Phase.CLOSED), *roll, *_set_phase(Phase.CLOSED, wanted)]

    def next_ns(self, now_ns: int) -> int:
        """The next change of phase, or 17:00, whichever is first."""
        return _next_of((*(start for start, _ in TRADING_DAY), DAY_ROLL_AT), now_ns)

    def _phase_at(self, now_ns: int) -> Phase:
        day, since_midnight_ns = local_day(now_ns)
        if not self._calendar.is_trading_day(day):
            return Phase.CLOSED
        begun = [phase for start, phase in TRADING_DAY if start <= since_midnight_ns]
        return begun[-1] if begun else Phase.CLOSED


def date_ahead(calendar: TradingCalendar, engine_trading_date: int, now_ns: int) -> list[str]:
    """A warning if the venue's trading day is later than the clock's (a wrong clock rolled it); otherwise an empty list."""
    right = _date_number(trading_date_at(calendar, now_ns))
    if engine_trading_date <= right:
        return []
    return [
        f"The trading day is {engine_trading_date}, by the clock it is {right}: it does not roll until the clock is past it."
    ]


def calendar_missing(calendar: TradingCalendar, now_ns: int) -> list[str]:
    """A warning in November and December if the next year's calendar is not published, and all through a year without one."""
    year = missing_calendar(calendar, now_ns)
    if year is None:
        return []
    return [f"The trading days of {year} are assumed: set REX_CALENDAR_FILE to its published calendar."]


def missing_calendar(calendar: TradingCalendar, now_ns: int) -> int | None:
    """The year whose calendar should be published by now, and is not known; None where there is no such year."""
    today, _ = local_day(now_ns)
    for year in (today.year, today.year + 1):
        if calendar.assumed(year) and (year == today.year or today.month >= _PUBLISHED_BY):
            return year
    return None


def _day_roll(calendar: TradingCalendar, engine_trading_date: int, now_ns: int, may_skip_from: int) -> list[Command]:
    """A DAY_ROLL to the right date; empty if the venue has that date or, after the clock was set back, a later one."""
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
            f"the clock says {shanghai_text(now_ns)}: the trading day would go from {engine_trading_date} to {right}, skipping "
            f"{following}, and never go back. If the clock is right, start with --accept-clock; otherwise correct it first"
        )


def _date_number(day: date) -> int:
    return day.year * 10_000 + day.month * 100 + day.day


def _set_phase(phase: int, wanted: Phase) -> list[Command]:
    return [] if phase == wanted else [_all_into(wanted)]


def _all_into(phase: Phase) -> Command:
    return Command(kind=CommandKind.SET_PHASE, instrument=ALL_INSTRUMENTS, phase=phase)


def _next_of(times_of_day: tuple[int, ...], now_ns: int) -> int:
    """The next of these times of day (ascending) after now_ns, as nanoseconds since 1970."""
    since_midnight_ns = (now_ns + SHANGHAI_NS) % DAY_NS
    midnight_ns = now_ns - since_midnight_ns
    later_today = [at for at in times_of_day if at > since_midnight_ns]
    return midnight_ns + (later_today[0] if later_today else DAY_NS + times_of_day[0])
