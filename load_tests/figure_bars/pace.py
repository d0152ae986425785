"""The bar of the seasonal pace: how far a year that ends on its target strays from its pace line, in trading days.

The seasonal line of three past years must be nearer to such a year than the straight line is.
"""

from __future__ import annotations

import numpy as np

from load_tests.figure_bars.forecast import LAST_YEARS, past_year
from load_tests.figure_bars.row import Effort, Row
from load_tests.figure_bars.simulated_years import BASE, SimulatedYear, simulate
from services.reporting.forecast import seasonal_pace

PAST_YEARS = (0, 1, 3)


def run(effort: Effort) -> list[Row]:
    """A row for each number of past years; without past years the line is straight."""
    random = np.random.default_rng(effort.seed)
    strays: dict[int, list[float]] = {count: [] for count in PAST_YEARS}
    for number, last in enumerate(LAST_YEARS):
        venues = effort.years // len(LAST_YEARS) + (number < effort.years % len(LAST_YEARS))
        simulated = simulate(random, BASE, range(last - max(PAST_YEARS), last + 1), venues)
        for venue in range(venues):
            for count in PAST_YEARS:
                strays[count].append(_farthest_days(simulated, venue, count))
    straight = float(np.mean(strays[0]))
    return [
        Row(
            bar="pace",
            name=f"a year on target strays from its pace line, {count} past years",
            value=float(np.mean(found)),
            unit="days",
            at_most=straight if count == max(PAST_YEARS) else None,
            note="the largest distance in a year, on average",
        )
        for count, found in strays.items()
    ]


def _farthest_days(simulated: tuple[SimulatedYear, ...], venue: int, count: int) -> float:
    """The largest distance between cumulative turnover and pace, in days of the year's mean turnover."""
    year = simulated[-1]
    net_fen = year.net_fen[venue]
    past = [past_year(one, venue) for one in simulated[len(simulated) - 1 - count : -1]]
    ended_fen = int(net_fen.sum())
    pace = seasonal_pace(year.days, ended_fen, past_years=past, lunar_new_year=year.lunar_new_year)
    return float(np.abs(np.cumsum(net_fen) - pace).max() * len(pace) / ended_fen)
