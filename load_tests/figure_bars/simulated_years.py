"""Simulated years of daily turnover, to measure the forecast on.

No daily turnover of a rare-earth venue is public, so every number here is an assumption. The log of a day's turnover is the
sum of: its month, its weekday, a dip around Lunar New Year, a rise at month ends, daily scatter of which half outlasts a day,
and a slow drift of the level: that is `BASE`. The other classes differ from it in one thing each, which their fields say;
`SIMULATED` is the year of `rex simulate-year`, by its plan.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from services.data.calendar import TradingCalendar
from services.data.lunar_new_year import load_lunar_new_years
from services.simulator.year.plan import make_plan
from services.venue.simulated_year import DEFAULT_REACH

TARGET_FEN = 2_300_000_000_000
DAILY_FEN = 9_504_000_000
"""The target over 242 trading days."""

MONTHS = (0.80, 0.85, 1.05, 1.00, 0.97, 1.00, 0.97, 1.00, 1.03, 0.98, 1.10, 1.15)
WEEKDAYS = (0.97, 1.02, 1.03, 1.02, 0.96)
BEFORE_LUNAR_NEW_YEAR = (0.90, 0.81, 0.72, 0.63, 0.54, 0.45)
"""The last six trading days before it; the first six after it follow in AFTER_LUNAR_NEW_YEAR."""
AFTER_LUNAR_NEW_YEAR = (0.50, 0.59, 0.68, 0.77, 0.86, 0.95)
MONTH_END, YEAR_END = 1.12, 1.20
STRONG_END = {11: 1.25, 12: 1.65}
"""The months of a year that ends strong. Its days around Lunar New Year have the square of the usual dip."""

SHOCK_FREEDOM = 5
"""Degrees of freedom (Student's t) of the shocks of the daily scatter."""
DRIFT_A_DAY = 0.985
SHIFT_MARGIN_DAYS = 20
"""The level does not shift in the first and last days of the year."""


JUMP = 4.0
SHIFT = 1.25


@dataclass(frozen=True)
class Generator:
    """A class of simulated years."""

    name: str
    drift: float = 0.20
    """Standard deviation of the slow drift, which comes back to the level."""
    scatter: float = 0.35
    """Standard deviation of the daily scatter."""
    scatter_a_day: float = 0.5
    """Correlation of the scatter with that of the day before."""
    jumping: float = 0.0
    """Share of the days that turn over JUMP times as much."""
    shifts: int = 0
    """How often the level rises or falls by SHIFT for good, in the last year."""
    walk: float = 0.0
    """Standard deviation of the daily step of a level that does not come back."""
    growth: float = 1.0
    """The level against that of a year before, day by day. In the middle of the last year it is that of the other classes."""
    strong_end: bool = False
    """Whether the years have the months of STRONG_END."""
    shuffled: bool = False
    """Whether each venue has the effects of MONTHS in an order of its own, the same in all its years: no shape of a year is
    likelier than another."""
    planned: bool = False
    """Whether the years are plans of `rex simulate-year`, which rush to DEFAULT_REACH times TARGET_FEN, and nothing else."""


BASE = Generator("base")
VOLATILE = Generator("volatile", scatter=0.60)
STICKY = Generator("sticky", scatter_a_day=0.85)
JUMPS = Generator("jumps", jumping=0.025)
TWO_SHIFTS = Generator("two shifts", shifts=2)
WALK = Generator("random walk", drift=0.0, walk=0.02)
GROWTH_10 = Generator("growth 10 %", growth=1.10)
GROWTH_22 = Generator("growth 22 %", growth=1.22)
GROWING = (GROWTH_10, GROWTH_22)
STRONG = Generator("strong year end", strong_end=True)
SHUFFLED = Generator("shuffled months", shuffled=True)
SIMULATED = Generator("simulated year", planned=True)
CLASSES = (BASE, VOLATILE, STICKY, JUMPS, TWO_SHIFTS, WALK, *GROWING, STRONG, SHUFFLED, SIMULATED)


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
    if generator.planned:
        amounts = _planned(random, years, venues, calendar)
    else:
        season = np.concatenate([season_of(of_year, holidays[of_year[0].year], generator) for of_year in days])
        logs = season[:, None] + _levels(random, generator, days, venues)
        amounts = np.rint(np.exp(logs).T * DAILY_FEN).astype(np.int64)
    parts = np.split(amounts, np.cumsum([len(of_year) for of_year in days])[:-1], axis=1)
    return tuple(
        SimulatedYear(tuple(map(_number, days[i])), _number(holidays[year]), parts[i]) for i, year in enumerate(years)
    )


def season_of(days: Sequence[date], lunar_new_year: date, generator: Generator = BASE) -> NDArray[np.float64]:
    """The log of what each day is expected at."""
    strong = STRONG_END if generator.strong_end else {}
    logs = np.log([strong.get(day.month, MONTHS[day.month - 1]) * WEEKDAYS[day.weekday()] for day in days])
    first_after = sum(day < lunar_new_year for day in days)
    depth = 2 if generator.strong_end else 1
    logs[first_after - 6 : first_after] += depth * np.log(BEFORE_LUNAR_NEW_YEAR)
    logs[first_after : first_after + 6] += depth * np.log(AFTER_LUNAR_NEW_YEAR)
    month_ends = [i for i in range(len(days) - 1) if days[i].month != days[i + 1].month]
    logs[month_ends] += np.log(MONTH_END)
    logs[-1] += np.log(YEAR_END)
    return np.asarray(logs, np.float64)


def _planned(
    random: np.random.Generator, years: Sequence[int], venues: int, calendar: TradingCalendar
) -> NDArray[np.int64]:
    """What each day of the plans is to trade; shape (venues, days)."""
    found = []
    for seed in random.integers(0, 2**31, venues).tolist():
        plans = [make_plan(year, seed, calendar, int(DEFAULT_REACH * TARGET_FEN)) for year in years]
        found.append([np.diff([plan.due_fen(day) for day in range(len(plan.days) + 1)]) for plan in plans])
    return np.array([np.concatenate(of_venue) for of_venue in found], np.int64)


def _levels(
    random: np.random.Generator, generator: Generator, days: Sequence[Sequence[date]], venues: int
) -> NDArray[np.float64]:
    """The log of each day's turnover against what its season expects; shape (days, venues)."""
    count, of_last_year = sum(map(len, days)), len(days[-1])
    logs = _scatter(random, generator, count, venues) + _drift(random, generator, count, venues)
    logs += _shifts(random, generator, count, of_last_year, venues)
    years_on = (np.arange(count) - (count - of_last_year / 2)) / of_last_year
    logs += years_on[:, None] * np.log(generator.growth)
    if generator.jumping:
        logs += np.log(JUMP) * (random.random((count, venues)) < generator.jumping)
    if generator.walk:
        walk = np.cumsum(random.standard_normal((count, venues)) * generator.walk, axis=0)
        logs += walk - walk[count - of_last_year]
    if generator.shuffled:
        logs += _other_months(random, [day.month - 1 for of_year in days for day in of_year], venues)
    return logs


def _scatter(random: np.random.Generator, generator: Generator, days: int, venues: int) -> NDArray[np.float64]:
    shocks = random.standard_t(SHOCK_FREEDOM, (days, venues)) * np.sqrt((SHOCK_FREEDOM - 2) / SHOCK_FREEDOM)
    return _autoregression(generator.scatter_a_day, shocks * generator.scatter)


def _drift(random: np.random.Generator, generator: Generator, days: int, venues: int) -> NDArray[np.float64]:
    return _autoregression(DRIFT_A_DAY, random.standard_normal((days, venues)) * generator.drift)


def _autoregression(a_day: float, shocks: NDArray[np.float64]) -> NDArray[np.float64]:
    """A stationary autoregression with the standard deviation of the shocks given, which are scaled for it."""
    found = shocks.copy()
    for day in range(1, len(shocks)):
        found[day] = a_day * found[day - 1] + shocks[day] * np.sqrt(1 - a_day**2)
    return found


def _shifts(
    random: np.random.Generator, generator: Generator, days: int, of_last_year: int, venues: int
) -> NDArray[np.float64]:
    """The log of the level's moves: each up or down, from a random day of the last year on."""
    found = np.zeros((days, venues))
    for _ in range(generator.shifts):
        begins = random.integers(days - of_last_year + SHIFT_MARGIN_DAYS, days - SHIFT_MARGIN_DAYS, venues)
        size = random.choice((-1.0, 1.0), venues) * np.log(SHIFT)
        found += np.where(np.arange(days)[:, None] >= begins, size, 0.0)
    return found


def _other_months(random: np.random.Generator, months: Sequence[int], venues: int) -> NDArray[np.float64]:
    """What each day's log gains where the effects of the months change places, in another order on each venue."""
    effects = np.log(MONTHS)
    shuffled = np.array([random.permutation(effects) for _ in range(venues)])
    return np.asarray((shuffled - effects)[:, months].T, np.float64)


def _number(day: date) -> int:
    return day.year * 10_000 + day.month * 100 + day.day
