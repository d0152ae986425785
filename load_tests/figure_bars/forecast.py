"""The bars of the forecast: how often the year ends within P10 and P90, whether P(reach) is true, and what a forecast costs.

Each simulated venue has three past years and the year that is forecast, on the trading calendars of 2014 to 2026; the forecast
is made after each number of days of DAYS, with and without the past years.
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
from load_tests.figure_bars.simulated_years import (
    BASE,
    CLASSES,
    GROWING,
    SHUFFLED,
    SIMULATED,
    STRONG,
    TARGET_FEN,
    TWO_SHIFTS,
    Generator,
    SimulatedYear,
    simulate,
)
from services.reporting.forecast import Forecast, ForecastInput, PastYear, forecast_year_end

DAYS = (60, 121, 182, 219, 230)
"""The completed days after which the bars must hold."""
EVE_OF_RUSH = 234
"""The simulated year's last day, or one of its last, before its rush."""
BAR_PAST_YEARS = (0, 3)
PAST_YEARS = (0, 1, 3)
"""With one past year the coverage is measured without a bar."""
LAST_YEARS = range(2017, 2027)
"""The calendar years that are forecast, equally often."""

COVERAGE = 70.0
BASE_COVERAGE, BASE_DAYS = (74.0, 90.0), (60, 121, 182)
"""Of years as the method assumes them: neither too narrow nor too wide. In the last weeks the range is wider, as a year end
that nobody has seen may be strong."""
SHIFTING_COVERAGE, SHIFTING_DAY = 62.0, 60
"""After so few days both moves of the level are ahead."""
UNSEEN_COVERAGE = 55.0
"""Of a strong year end without past years: it cannot be known, and the assumptions say so."""

REACH_STEPS = (0, 100, 300, 500, 700, 900, 1001)
"""Classes of P(reach), in thousandths, whose frequency is compared with what was forecast."""
REACH_TOLERANCE = 12.0
"""Percentage points that a class's frequency may be off."""
GROWING_TOLERANCE = 20.0
"""The same of growing years alone with three past years: that turnover rises within a year is learned in part."""
FEWEST_IN_CLASS = 100
BEHIND_PERMILLE = 200
"""Below this probability the verdict is `behind`."""
CALLED_BEHIND = 20.0
"""Of the simulated years, which reach their target by 2 %, so many may be called `behind` before their rush."""
COST_MS = 20.0
COST_RUNS, COST_FORECASTS = 11, 10


@dataclass(frozen=True)
class Case:
    """A forecast, and what came of it."""

    generator: str
    past_years: int
    day: int
    forecast: Forecast
    target_fen: int
    ended_fen: int

    @property
    def reached(self) -> bool:
        """Whether the year ended on its target or above."""
        return self.ended_fen >= self.target_fen

    @property
    def covered(self) -> bool:
        """Whether the year ended within P10 and P90."""
        assert self.forecast.year_end is not None
        return self.forecast.year_end.p10_fen <= self.ended_fen <= self.forecast.year_end.p90_fen


def run(effort: Effort) -> list[Row]:
    """All rows."""
    rows: list[Row] = []
    drawn: list[Case] = []
    for number, generator in enumerate(CLASSES):
        days = (*DAYS, EVE_OF_RUSH) if generator is SIMULATED else DAYS
        cases = list(forecasts(generator, effort.years, (effort.seed, number), days))
        rows += coverage_rows(cases)
        if generator is SIMULATED:
            rows += red_rows(cases)
        else:
            drawn += cases
    return [*rows, *reach_rows(drawn), cost_row(effort.seed)]


def forecasts(
    generator: Generator,
    years: int,
    seed: int | Sequence[int],
    days: Sequence[int] = DAYS,
    past_years: Sequence[int] = PAST_YEARS,
) -> Iterator[Case]:
    """A forecast for each simulated venue, number of past years and completed day.

    The target is what another venue's year ends at, so that one year in two reaches it; planned years have their plan's.
    """
    random = np.random.default_rng(seed)
    before = max(past_years)
    for number, last in enumerate(LAST_YEARS):
        venues = years // len(LAST_YEARS) + (number < years % len(LAST_YEARS))
        simulated = simulate(random, generator, range(last - before, last + 1), venues)
        ended_fen = simulated[-1].net_fen.sum(axis=1).tolist()
        for venue in range(venues):
            target_fen = TARGET_FEN if generator.planned else ended_fen[(venue + 1) % venues]
            for count in past_years:
                for day in days:
                    forecast = forecast_year_end(input_of(simulated, venue, count, day, target_fen))
                    yield Case(generator.name, count, day, forecast, target_fen, ended_fen[venue])


def input_of(simulated: Sequence[SimulatedYear], venue: int, count: int, day: int, target_fen: int) -> ForecastInput:
    """What one venue knows after so many days of the last year, with so many past years."""
    year = simulated[-1]
    return ForecastInput(
        days=year.days,
        net_fen=tuple(year.net_fen[venue, :day].tolist()),
        target_fen=target_fen,
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


def coverage_bounds(generator: str, past_years: int, day: int) -> tuple[float, float | None]:
    """At least and at most, in percent."""
    if generator == BASE.name and day in BASE_DAYS:
        return BASE_COVERAGE
    if generator == TWO_SHIFTS.name and day == SHIFTING_DAY:
        return SHIFTING_COVERAGE, None
    if generator == STRONG.name and not past_years:
        return UNSEEN_COVERAGE, None
    return COVERAGE, None


def _coverage(cases: Sequence[Case]) -> Row:
    first = cases[0]
    barred = first.past_years in BAR_PAST_YEARS
    at_least, at_most = coverage_bounds(first.generator, first.past_years, first.day) if barred else (None, None)
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


def red_rows(cases: Sequence[Case]) -> list[Row]:
    """Of the years that will reach their target, how many are called `behind` in their last weeks, in percent."""
    rows = []
    for count in sorted({case.past_years for case in cases}):
        for day in (*sorted(set(DAYS) - set(BASE_DAYS)), EVE_OF_RUSH):
            found = [case.forecast.reach_permille or 0 for case in cases if (case.past_years, case.day) == (count, day)]
            rows.append(
                Row(
                    bar="forecast",
                    name=f"{SIMULATED.name}: called behind, after day {day}, {count} past years",
                    value=100 * float(np.mean([one < BEHIND_PERMILLE for one in found])),
                    unit="%",
                    at_most=CALLED_BEHIND,
                    note=f"P(reach) {median(found) / 10:.0f} % in the median",
                )
            )
    return rows


def reach_rows(cases: Sequence[Case]) -> list[Row]:
    """For each class of P(reach) how often the target was reached, in percent, after all days of DAYS together.

    Of all classes of years together; of the growing ones, whose past years have another level, with a bar on three of them; and
    of those with shuffled months, where no shape of a year is likelier than another: what is off there is the method's own.
    """
    rows: list[Row] = []
    growing = [generator.name for generator in GROWING]
    for count in sorted({case.past_years for case in cases}):
        of_count = [case for case in cases if case.past_years == count]
        rows += _reach_rows(f"all classes, {count} past years", of_count, REACH_TOLERANCE)
        found = [case for case in of_count if case.generator in growing]
        rows += _reach_rows(
            f"growing years, {count} past years", found, GROWING_TOLERANCE if count == max(PAST_YEARS) else None
        )
        found = [case for case in of_count if case.generator == SHUFFLED.name]
        rows += _reach_rows(f"{SHUFFLED.name}, {count} past years", found, None)
    return rows


def _reach_rows(name: str, cases: Sequence[Case], tolerance: float | None) -> Iterator[Row]:
    for low, high in pairwise(REACH_STEPS):
        found = [case for case in cases if low <= (case.forecast.reach_permille or 0) < high]
        if not found:
            continue
        said = float(np.mean([(case.forecast.reach_permille or 0) / 10 for case in found]))
        low_bar = high_bar = None
        if tolerance is not None and len(found) >= FEWEST_IN_CLASS:
            low_bar, high_bar = max(said - tolerance, 0.0), min(said + tolerance, 100.0)
        yield Row(
            bar="forecast",
            name=f"{name}: reached where P(reach) was {low / 10:.0f} to {min(high, 1000) / 10:.0f} %",
            value=100 * float(np.mean([case.reached for case in found])),
            unit="%",
            at_least=low_bar,
            at_most=high_bar,
            note=f"forecast {said:.1f} % on average, {len(found)} forecasts",
        )


def cost_row(seed: int) -> Row:
    """The processor time of a forecast at mid-year with three past years, its dearest case; median of COST_RUNS."""
    simulated = simulate(np.random.default_rng(seed), BASE, range(2020, 2024), COST_FORECASTS)
    inputs = [input_of(simulated, venue, max(PAST_YEARS), 121, TARGET_FEN) for venue in range(COST_FORECASTS)]
    costs = []
    for _ in range(COST_RUNS):
        begins = process_time()
        for given in inputs:
            forecast_year_end(given)
        costs.append((process_time() - begins) / len(inputs))
    return Row("forecast", "cost of a forecast, 3 past years", 1000 * median(costs), "ms", at_most=COST_MS)
