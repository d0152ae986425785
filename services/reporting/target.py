"""The judgement: is the year's turnover where it must be to reach its target? Pure whole-number arithmetic.

A year's trading days come from the calendar. A day is *elapsed* from the day roll that begins it (17:00 of the trading day
before), so today counts whole: before today's trades are made, the figure is up to a day behind the pace.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from services.data.calendar import TradingCalendar
from services.decimals import half_up

DEFAULT_TARGET_FEN = 2_300_000_000_000
"""The target of a year for which none was set, and the one that a new venue sets."""

DEFAULT_TARGET_NAME = "23 billion yuan a year (no target was set for this year)"

RECENT_DAYS = 20
"""A run rate needs this many elapsed trading days; before that it is too early to say."""

AMBER, RED = (6, 5), (3, 2)
"""Required turnover per remaining day against the recent mean: above 1.2 amber, above 1.5 red."""


@dataclass(frozen=True)
class Target:
    """What a year's turnover is measured against."""

    amount_fen: int
    name: str
    is_set: bool
    """False: nobody set one for this year, and the platform's planned 23 billion is used."""


@dataclass(frozen=True)
class Day:
    """One trading day of the year."""

    date: int
    pace_fen: int
    """Where the turnover should stand at its end."""
    net_fen: int | None
    cumulative_fen: int | None
    """Both None: the day has not come."""


@dataclass(frozen=True)
class Progress:
    """The year against its target. What is None is too early to say."""

    days: tuple[Day, ...]
    elapsed: int
    net_fen: int
    target_fen: int
    pace_fen: int
    missing_fen: int
    required_per_day_fen: int
    """What is missing, spread over the days left; on the last day all of it."""
    recent_mean_fen: int | None
    """Mean of the last RECENT_DAYS elapsed days."""
    forecast_year_mean_fen: int | None
    """The year's end at the year's mean a day."""
    forecast_recent_mean_fen: int | None
    """The year's end at the recent mean a day."""

    @property
    def total(self) -> int:
        """Trading days of the year."""
        return len(self.days)

    @property
    def left(self) -> int:
        """Trading days after today."""
        return self.total - self.elapsed

    @property
    def ahead_fen(self) -> int:
        """Turnover beyond the pace; below zero: behind it."""
        return self.net_fen - self.pace_fen

    @property
    def level(self) -> str | None:
        """green, amber or red: what is required a day, against what was traded a day lately."""
        if self.recent_mean_fen is None:
            return None
        for level, (above, of) in (("red", RED), ("amber", AMBER)):
            if self.required_per_day_fen * of > self.recent_mean_fen * above:
                return level
        return "green"


def year_days(calendar: TradingCalendar, year: int, traded: Mapping[int, int]) -> tuple[int, ...]:
    """The year's trading days as yyyymmdd, ascending; a day that was traded on counts even where no calendar has it."""
    published = {day.year * 10_000 + day.month * 100 + day.day for day in calendar.days(year)}
    return tuple(sorted(published | traded.keys()))


def measure_progress(
    days: tuple[int, ...], net_by_day: Mapping[int, int], trading_date: int, target_fen: int
) -> Progress:
    """The year's judgement while trading_date (yyyymmdd, 0: before the first) is under way."""
    total, elapsed = len(days), sum(day <= trading_date for day in days)
    rows, cumulative = [], 0
    for number, day in enumerate(days, start=1):
        cumulative += net_by_day.get(day, 0)
        come = number <= elapsed
        net = net_by_day.get(day, 0) if come else None
        rows.append(Day(day, half_up(target_fen * number, total), net, cumulative if come else None))
    net_fen = sum(net_by_day.values())
    missing = max(target_fen - net_fen, 0)
    recent = sum(net_by_day.get(day, 0) for day in days[max(elapsed - RECENT_DAYS, 0) : elapsed])
    early = elapsed < RECENT_DAYS
    return Progress(
        days=tuple(rows),
        elapsed=elapsed,
        net_fen=net_fen,
        target_fen=target_fen,
        pace_fen=half_up(target_fen * elapsed, total),
        missing_fen=missing,
        required_per_day_fen=-(-missing // max(total - elapsed, 1)),
        recent_mean_fen=None if early else half_up(recent, RECENT_DAYS),
        forecast_year_mean_fen=None if early else half_up(net_fen * total, elapsed),
        forecast_recent_mean_fen=None if early else net_fen + half_up(recent * (total - elapsed), RECENT_DAYS),
    )
