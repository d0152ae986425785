"""Simulated years of daily turnover, to measure the forecast on.

No daily turnover of a rare-earth venue is public, so every number here is an assumption. The log of a day's turnover is the
sum of: its month, its weekday, a dip around Lunar New Year, a rise at month ends, daily scatter of which half outlasts a day,
and a slow drift of the level. `HARD` drifts more, and in some years the level moves once, for good; in `BROKEN` in every year.
In `SHUFFLED` each venue has the effects of the months in an order of its own: no year's shape is likelier than another.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from services.data.calendar import TradingCalendar
from services.data.lunar_new_year import load_lunar_new_years

DAILY_FEN = 9_504_000_000
"""23 billion yuan over 242 trading days."""

MONTHS = (0.80, 0.85, 1.05, 1.00, 0.97, 1.00, 0.97, 1.00, 1.03, 0.98, 1.10, 1.15)
WEEKDAYS = (0.97, 1.02, 1.03, 1.02, 0.96)
BEFORE_LUNAR_NEW_YEAR = (0.90, 0.81, 0.72, 0.63, 0.54, 0.45)
"""The last six trading days before it; the first six after it follow in AFTER_LUNAR_NEW_YEAR."""
AFTER_LUNAR_NEW_YEAR = (0.50, 0.59, 0.68, 0.77, 0.86, 0.95)
MONTH_END, YEAR_END = 1.12, 1.20

SCATTER, SCATTER_A_DAY, SHOCK_FREEDOM = 0.35, 0.5, 5
"""Standard deviation of the scatter, its correlation with the day before, degrees of freedom of its shocks (Student's t)."""
DRIFT_A_DAY = 0.985
SHIFT_MARGIN_DAYS = 20
"""The level does not shift in the first and last days of the year."""


@dataclass(frozen=True)
class Generator:
    """A kind of simulated year."""

    name: str
    drift: float
    """Standard deviation of the slow drift."""
    shifting: float
    """Share of the venues where the level rises or falls by SHIFT once, in the last year."""
    shuffled: bool = False
    """Whether each venue has the effects of MONTHS in an order of its own, the same in all its years."""


SHIFT = 1.25
BASE = Generator("base", drift=0.20, shifting=0.0)
HARD = Generator("hard", drift=0.30, shifting=0.3)
BROKEN = Generator("broken", drift=0.30, shifting=1.0)
SHUFFLED = Generator("shuffled", drift=0.20, shifting=0.0, shuffled=True)


@dataclass(frozen=True)
class SimulatedYear:
    """A calendar year on many simulated venues."""

    days: tuple[int, ...]
    """Trading days, yyyymmdd."""
    lunar_new_year: int
    net_fen: NDArray[np.int64]
    """Turnover; shape (venues, days)."""


def simulate(
    random: np.random.Generator, generator: Generator, years: Sequence[int], venues: int
) -> tuple[SimulatedYear, ...]:
    """Consecutive calendar years (of 2014 to 2026) on so many venues, in ascending order."""
    calendar, holidays = TradingCalendar.load(), load_lunar_new_years()
    days = [calendar.days(year) for year in years]
    season = np.concatenate([season_of(days[i], holidays[year]) for i, year in enumerate(years)])
    logs = season[:, None] + _scatter(random, len(season), venues) + _drift(random, generator, len(season), venues)
    logs += _shift(random, generator, len(season), len(days[-1]), venues)
    if generator.shuffled:
        logs += _other_months(random, [day.month - 1 for of_year in days for day in of_year], venues)
    amounts = np.rint(np.exp(logs).T * DAILY_FEN).astype(np.int64)
    parts = np.split(amounts, np.cumsum([len(of_year) for of_year in days])[:-1], axis=1)
    return tuple(
        SimulatedYear(tuple(map(_number, days[i])), _number(holidays[year]), parts[i]) for i, year in enumerate(years)
    )


def season_of(days: Sequence[date], lunar_new_year: date) -> NDArray[np.float64]:
    """The log of what each day is expected at."""
    logs = np.log([MONTHS[day.month - 1] * WEEKDAYS[day.weekday()] for day in days])
    first_after = sum(day < lunar_new_year for day in days)
    logs[first_after - 6 : first_after] += np.log(BEFORE_LUNAR_NEW_YEAR)
    logs[first_after : first_after + 6] += np.log(AFTER_LUNAR_NEW_YEAR)
    month_ends = [i for i in range(len(days) - 1) if days[i].month != days[i + 1].month]
    logs[month_ends] += np.log(MONTH_END)
    logs[-1] += np.log(YEAR_END)
    return np.asarray(logs, np.float64)


def _scatter(random: np.random.Generator, days: int, venues: int) -> NDArray[np.float64]:
    shocks = random.standard_t(SHOCK_FREEDOM, (days, venues)) * SCATTER * np.sqrt((SHOCK_FREEDOM - 2) / SHOCK_FREEDOM)
    return _autoregression(SCATTER_A_DAY, shocks)


def _drift(random: np.random.Generator, generator: Generator, days: int, venues: int) -> NDArray[np.float64]:
    return _autoregression(DRIFT_A_DAY, random.standard_normal((days, venues)) * generator.drift)


def _autoregression(a_day: float, shocks: NDArray[np.float64]) -> NDArray[np.float64]:
    """A stationary autoregression with the standard deviation of the shocks given, which are scaled for it."""
    found = shocks.copy()
    for day in range(1, len(shocks)):
        found[day] = a_day * found[day - 1] + shocks[day] * np.sqrt(1 - a_day**2)
    return found


def _shift(
    random: np.random.Generator, generator: Generator, days: int, of_last_year: int, venues: int
) -> NDArray[np.float64]:
    """The log of the level's move: up or down, from a random day of the last year on."""
    begins = random.integers(days - of_last_year + SHIFT_MARGIN_DAYS, days - SHIFT_MARGIN_DAYS, venues)
    size = random.choice((-1.0, 1.0), venues) * np.log(SHIFT) * (random.random(venues) < generator.shifting)
    return np.where(np.arange(days)[:, None] >= begins, size, 0.0)


def _other_months(random: np.random.Generator, months: Sequence[int], venues: int) -> NDArray[np.float64]:
    """What each day's log gains where the effects of the months change places, in another order on each venue."""
    effects = np.log(MONTHS)
    shuffled = np.array([random.permutation(effects) for _ in range(venues)])
    return np.asarray((shuffled - effects)[:, months].T, np.float64)


def _number(day: date) -> int:
    return day.year * 10_000 + day.month * 100 + day.day
