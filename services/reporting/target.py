"""Progress of the year's turnover against its target: pace, forecast, required turnover per day. Integer arithmetic only.

A year's trading days come from the calendar. A day is *elapsed* from the day roll that begins it (17:00 of the trading day
before), so the current day counts whole: before its trades are made, the turnover is up to one day behind the pace.
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
"""Elapsed trading days that a recent mean and a forecast are computed from; with fewer they are None."""

AMBER, RED = (6, 5), (3, 2)
"""Limits of required turnover per remaining day / recent mean, as fractions: above 6/5 amber, above 3/2 red."""


@dataclass(frozen=True)
class Target:
    """What a year's turnover is measured against."""

    amount_fen: int
    name: str
    is_set: bool
    """False where no target was set for this year; amount and name are then DEFAULT_TARGET_FEN and DEFAULT_TARGET_NAME."""


@dataclass(frozen=True)
class Day:
    """One trading day of the year."""

    date: int
    pace_fen: int
    """Turnover of the year that is due at the end of this day."""
    net_fen: int | None
    cumulative_fen: int | None
    """Both None before the day has begun."""


@dataclass(frozen=True)
class Progress:
    """The year's turnover against its target. Fields are None until RECENT_DAYS have elapsed."""

    days: tuple[Day, ...]
    elapsed: int
    net_fen: int
    target_fen: int
    pace_fen: int
    missing_fen: int
    required_per_day_fen: int
    """missing_fen / days left, rounded up; on the last day equal to missing_fen."""
    recent_mean_fen: int | None
    """Mean of the last RECENT_DAYS elapsed days."""
    forecast_year_mean_fen: int | None
    """Turnover at the year's end if each day left trades the year's daily mean."""
    forecast_recent_mean_fen: int | None
    """Turnover at the year's end if each day left trades the recent mean."""

    @property
    def total(self) -> int:
        """Trading days of the year."""
        return len(self.days)

    @property
    def left(self) -> int:
        """Trading days after the current one."""
        return self.total - self.elapsed

    @property
    def ahead_fen(self) -> int:
        """net_fen − pace_fen; negative where the turnover is behind the pace."""
        return self.net_fen - self.pace_fen

    @property
    def level(self) -> str | None:
        """`green`, `amber` or `red`: required turnover per day against the recent mean; None without a recent mean."""
        if self.recent_mean_fen is None:
            return None
        for level, (above, of) in (("red", RED), ("amber", AMBER)):
            if self.required_per_day_fen * of > self.recent_mean_fen * above:
                return level
        return "green"


def year_days(calendar: TradingCalendar, year: int, traded: Mapping[int, int]) -> tuple[int, ...]:
    """The year's trading days as yyyymmdd, ascending: those of the calendar and those with trades."""
    published = {day.year * 10_000 + day.month * 100 + day.day for day in calendar.days(year)}
    return tuple(sorted(published | traded.keys()))


def measure_progress(
    days: tuple[int, ...], net_by_day: Mapping[int, int], trading_date: int, target_fen: int
) -> Progress:
    """The progress on the trading day trading_date (yyyymmdd; 0 before the first)."""
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
