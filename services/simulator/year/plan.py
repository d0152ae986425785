"""The plan of a simulated year: the share of the target that each trading day trades, and the days on which something happens.

All seasons and sizes here are assumptions of this project.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np

from services.data.calendar import TradingCalendar

_BY_MONTH = (0.85, 0.80, 1.05, 1.15, 1.00, 0.95, 0.90, 0.95, 1.20, 0.95, 1.05, 1.20)
_BY_WEEKDAY = (0.96, 1.00, 1.03, 1.02, 0.99)
_HOLIDAY_GAP_DAYS = 6
_AROUND_HOLIDAY_DAYS = 6
_MONTH_END_DAYS, _MONTH_END = 2, 1.25
_CRASH, _RALLY, _RUSH = 1.9, 1.3, 1.6
_RUSH_DAYS = 8
_CALM, _MOOD_SD = 0.93, 0.85
"""Mood is an AR(1) with this coefficient and this standard deviation; it moves volatility and turnover together."""
_TURNOVER_OF_MOOD, _DAY_SD = 0.22, 0.14


@dataclass(frozen=True)
class Story:
    """The days on which something happens, as indexes of the year's trading days. Ranges exclude their end."""

    crash: range
    rally: range
    bust: int
    outage: int
    ring: range


@dataclass(frozen=True)
class YearPlan:
    """The trading days, each with its share of the target."""

    year: int
    target_fen: int
    """What the year trades, net: the venue's target times `--reach`."""
    days: tuple[date, ...]
    weights: tuple[float, ...]
    """Of the days, in order. Only their ratios count."""
    mood: tuple[float, ...]
    """Of the days: above 0 prices move more and turnover is higher."""
    story: Story

    def budget_fen(self, day: int, done_fen: int) -> int:
        """What the day is to trade if the days before it traded done_fen: what is left of the target, by weight."""
        left = sum(self.weights[day:])
        return round(max(self.target_fen - done_fen, 0) * self.weights[day] / left)

    def due_fen(self, days: int) -> int:
        """The part of the target that the first `days` days are planned to trade."""
        return round(self.target_fen * sum(self.weights[:days]) / sum(self.weights))


def make_plan(year: int, seed: int, calendar: TradingCalendar, target_fen: int) -> YearPlan:
    """The plan of a year. The same arguments make the same plan."""
    days = calendar.days(year)
    rng = np.random.default_rng([seed, year])
    mood = _mood(rng, len(days))
    story = _story(days)
    weights = np.array([_BY_MONTH[day.month - 1] * _BY_WEEKDAY[day.weekday() % 5] for day in days])
    weights *= np.exp(_TURNOVER_OF_MOOD * mood + rng.normal(0, _DAY_SD, len(days)))
    for index in _around_the_holiday(days):
        weights[index] /= 2
    for index in _month_ends(days):
        weights[index] *= _MONTH_END
    weights[story.crash] *= _CRASH
    weights[story.rally] *= _RALLY
    weights[-_RUSH_DAYS:] *= _RUSH
    return YearPlan(year, target_fen, days, tuple(weights.tolist()), tuple(mood.tolist()), story)


def _mood(rng: np.random.Generator, days: int) -> Any:
    shocks = rng.normal(0, _MOOD_SD * (1 - _CALM**2) ** 0.5, days)
    mood = np.zeros(days)
    for day in range(1, days):
        mood[day] = _CALM * mood[day - 1] + shocks[day]
    return mood


def _story(days: tuple[date, ...]) -> Story:
    return Story(
        crash=range(_nth(days, 4, 7), _nth(days, 4, 15)),
        rally=range(_nth(days, 9, 2), _nth(days, 9, 18)),
        bust=_nth(days, 5, 9),
        outage=_nth(days, 6, 8),
        ring=range(_nth(days, 8, 4), _nth(days, 8, 19)),
    )


def _nth(days: tuple[date, ...], month: int, number: int) -> int:
    """The index of the month's trading day with this number, from 1, or of its last one."""
    of_month = [index for index, day in enumerate(days) if day.month == month]
    return of_month[min(number, len(of_month)) - 1]


def _around_the_holiday(days: tuple[date, ...]) -> range:
    """The trading days beside Lunar New Year, the longest gap of the first quarter. Empty if no gap is long enough: the
    calendar is then assumed, and knows no holidays."""
    gaps = [(days[index] - days[index - 1], index) for index in range(1, len(days)) if days[index].month <= 3]
    longest, after = max(gaps)
    if longest < timedelta(days=_HOLIDAY_GAP_DAYS):
        return range(0)
    return range(max(after - _AROUND_HOLIDAY_DAYS, 0), after + _AROUND_HOLIDAY_DAYS)


def _month_ends(days: tuple[date, ...]) -> list[int]:
    """The last trading days of each month."""
    beyond = [*days[_MONTH_END_DAYS:], *[date(days[-1].year + 1, 1, 1)] * _MONTH_END_DAYS]
    return [index for index, later in enumerate(beyond) if later.month != days[index].month]
