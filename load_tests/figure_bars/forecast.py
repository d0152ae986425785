"""The bars of the forecast: how often the year ends within P10 and P90, whether P(reach) is true, and what a forecast costs.

Each simulated venue has three past years and the year that is forecast, on the trading calendars of 2014 to 2026; the forecast
is made after 60, 121 and 182 days, and after the first and the last weeks, with and without the past years.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from time import process_time

import numpy as np

from load_tests.figure_bars.row import Effort, Row
from load_tests.figure_bars.simulated_years import BASE, BROKEN, HARD, SHUFFLED, Generator, SimulatedYear, simulate
from services.reporting.forecast import Forecast, ForecastInput, PastYear, forecast_year_end

BAR_DAYS = (60, 121, 182)
"""The completed days after which the bars must hold."""
DAYS = (20, *BAR_DAYS, 220)
BAR_PAST_YEARS = (0, 3)
PAST_YEARS = (0, 1, 3)
"""With one past year, and after other days, the base generator is measured without a bar."""
LAST_YEARS = range(2017, 2027)
"""The calendar years that are forecast, equally often."""

TARGET_FEN = 2_300_000_000_000
BASE_COVERAGE = (74.0, 86.0)
HARD_COVERAGE = 70.0
BROKEN_COVERAGE = 60.0
"""A level that breaks in every year, on top of a strong drift, is beyond the model: the bar only says how far it may fall."""

REACH_STEPS = (0, 100, 300, 500, 700, 900, 1001)
"""Classes of P(reach), in thousandths, whose frequency is compared with what was forecast."""
REACH_TOLERANCE = 6.0
"""Percentage points, besides three standard errors, that a class's frequency may be off."""
FEWEST_IN_CLASS = 50
COST_MS = 20.0
COST_RUNS, COST_FORECASTS = 11, 10


@dataclass(frozen=True)
class Case:
    """A forecast, and what came of it."""

    generator: str
    past_years: int
    day: int
    forecast: Forecast
    ended_fen: int

    @property
    def covered(self) -> bool:
        """Whether the year ended within P10 and P90."""
        assert self.forecast.year_end is not None
        return self.forecast.year_end.p10_fen <= self.ended_fen <= self.forecast.year_end.p90_fen


def run(effort: Effort) -> list[Row]:
    """All rows."""
    rows: list[Row] = []
    for number, generator in enumerate((BASE, HARD, BROKEN, SHUFFLED)):
        shown = (DAYS, PAST_YEARS) if generator is BASE else (BAR_DAYS, BAR_PAST_YEARS)
        cases = list(forecasts(generator, effort.years, effort.seed + number, *shown))
        rows += coverage_rows(cases)
        rows += reach_rows(cases) if generator in (BASE, SHUFFLED) else []
    return [*rows, cost_row(effort.seed)]


def forecasts(
    generator: Generator,
    years: int,
    seed: int,
    days: Sequence[int] = DAYS,
    past_years: Sequence[int] = PAST_YEARS,
) -> Iterator[Case]:
    """A forecast for each simulated venue, number of past years and completed day."""
    random = np.random.default_rng(seed)
    before = max(past_years)
    for number, last in enumerate(LAST_YEARS):
        venues = years // len(LAST_YEARS) + (number < years % len(LAST_YEARS))
        simulated = simulate(random, generator, range(last - before, last + 1), venues)
        for venue in range(venues):
            for count in past_years:
                for day in days:
                    forecast = forecast_year_end(input_of(simulated, venue, count, day))
                    yield Case(generator.name, count, day, forecast, int(simulated[-1].net_fen[venue].sum()))


def input_of(simulated: Sequence[SimulatedYear], venue: int, count: int, day: int) -> ForecastInput:
    """What one venue knows after so many days of the last year, with so many past years."""
    year = simulated[-1]
    return ForecastInput(
        days=year.days,
        net_fen=tuple(year.net_fen[venue, :day].tolist()),
        target_fen=TARGET_FEN,
        lunar_new_year=year.lunar_new_year,
        past_years=tuple(past_year(past, venue) for past in simulated[len(simulated) - 1 - count : -1]),
    )


def past_year(year: SimulatedYear, venue: int) -> PastYear:
    """One venue's simulated year as a past year."""
    return PastYear(year.days, tuple(year.net_fen[venue].tolist()), year.lunar_new_year)


def coverage_rows(cases: Sequence[Case]) -> list[Row]:
    """For each number of past years and day how often the year ended within P10 and P90, in percent."""
    rows = []
    for count in sorted({case.past_years for case in cases}):
        for day in sorted({case.day for case in cases}):
            rows.append(_coverage([case for case in cases if (case.past_years, case.day) == (count, day)]))
    return rows


def _coverage(cases: Sequence[Case]) -> Row:
    first = cases[0]
    bounds = {
        "base": BASE_COVERAGE,
        "hard": (HARD_COVERAGE, None),
        "broken": (BROKEN_COVERAGE, None),
        "shuffled": (BASE_COVERAGE[0], None),
    }[first.generator]
    at_least, at_most = bounds if first.day in BAR_DAYS and first.past_years in BAR_PAST_YEARS else (None, None)
    ends = [(case.forecast.year_end, case.ended_fen) for case in cases]
    errors = [end.p50_fen / ended - 1 for end, ended in ends if end is not None]
    rms = math.sqrt(np.mean(np.square(errors)))
    below = np.mean([ended < end.p10_fen for end, ended in ends if end is not None])
    width = np.mean([(end.p90_fen - end.p10_fen) / ended for end, ended in ends if end is not None])
    early = np.mean([case.forecast.too_early for case in cases])
    return Row(
        bar="forecast",
        name=f"{first.generator}: P10-P90 covers, after day {first.day}, {first.past_years} past years",
        value=100 * float(np.mean([case.covered for case in cases])),
        unit="%",
        at_least=at_least,
        at_most=at_most,
        note=(
            f"below P10 {below:.0%}, width {width:.0%}, P50 off by {np.mean(errors):+.1%}, rms {rms:.1%}, too early {early:.0%}"
        ),
    )


def reach_rows(cases: Sequence[Case]) -> list[Row]:
    """For each class of P(reach) how often the target was reached, in percent; over all days of BAR_DAYS.

    The bar is on three past years. Years of the base generator all end strong. Without past years the forecast cannot know it,
    with three it believes it in part: it is shown how far the probability is then off. Where the months are shuffled, no shape
    is likelier than another: what is off there is the method's own.
    """
    rows = []
    for count in sorted({case.past_years for case in cases}):
        judged = [case for case in cases if case.day in BAR_DAYS and case.past_years == count]
        for low, high in pairwise(REACH_STEPS):
            found = [case for case in judged if low <= (case.forecast.reach_permille or 0) < high]
            if found:
                rows.append(_reach(f"{low / 10:.0f} to {min(high, 1000) / 10:.0f} %, {count} past years", found))
    return rows


def _reach(name: str, found: Sequence[Case]) -> Row:
    said = float(np.mean([(case.forecast.reach_permille or 0) / 10 for case in found]))
    # The forecasts of one venue after several days are not independent: count them as one.
    venues = len(found) / len(BAR_DAYS)
    margin = REACH_TOLERANCE + 300 * math.sqrt(said / 100 * (1 - said / 100) / venues)
    enough = len(found) >= FEWEST_IN_CLASS and found[0].past_years == max(BAR_PAST_YEARS)
    return Row(
        bar="forecast",
        name=f"{found[0].generator}: reached where P(reach) was {name}",
        value=100 * float(np.mean([case.ended_fen >= TARGET_FEN for case in found])),
        unit="%",
        at_least=max(said - margin, 0.0) if enough else None,
        at_most=min(said + margin, 100.0) if enough else None,
        note=f"forecast {said:.1f} % on average, {len(found)} forecasts",
    )


def cost_row(seed: int) -> Row:
    """The processor time of a forecast at mid-year with three past years, its dearest case; median of COST_RUNS."""
    simulated = simulate(np.random.default_rng(seed), BASE, range(2020, 2024), COST_FORECASTS)
    inputs = [input_of(simulated, venue, max(PAST_YEARS), 121) for venue in range(COST_FORECASTS)]
    costs = []
    for _ in range(COST_RUNS):
        begins = process_time()
        for given in inputs:
            forecast_year_end(given)
        costs.append((process_time() - begins) / len(inputs))
    return Row("forecast", "cost of a forecast, 3 past years", 1000 * median(costs), "ms", at_most=COST_MS)
