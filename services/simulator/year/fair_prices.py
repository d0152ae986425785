"""Latent fair prices: what simulated members believe an instrument is worth. The venue does not know them.

The path of praseodymium-neodymium oxide begins at 635,700 yuan a tonne and is pulled to 445,000, the price published for the
end of 2023. Its shape between the two, and how far every other product follows it, are assumptions of this project.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np

from services.data.instruments import InstrumentFacts
from services.simulator.year.plan import YearPlan

JANUARY_YUAN, YEAR_END_YUAN = 635_700, 445_000
"""Yuan per tonne of praseodymium-neodymium oxide at the two ends of the year."""

_SHIPPED_YUAN = 473_000
"""The same on 1 December 2023, the date of the shipped reference prices."""

_PATH = (
    ((1, 1), JANUARY_YUAN / _SHIPPED_YUAN), ((2, 5), 1.37), ((3, 10), 1.27), ((4, 10), 1.20), ((4, 21), 1.06), ((5, 31), 1.04),
    ((7, 10), 0.97), ((8, 31), 1.02), ((9, 26), 1.12), ((10, 31), 1.07), ((12, 1), 1.00),
    ((12, 31), YEAR_END_YUAN / _SHIPPED_YUAN),
)  # fmt: skip
"""Month and day, and the price as a multiple of the shipped one."""

_FOLLOWS_BY_FAMILY = {
    "sintered_ndfeb": 0.75, "bonded_ndfeb": 0.6, "hot_pressed_ndfeb": 0.5, "smco": 0.2, "magnet_feedstock": 0.9,
    "separated_oxide": 0.5, "rare_earth_metal": 0.4,
}  # fmt: skip
_FOLLOWS_BY_SYMBOL = {
    "PRND-OX": 1.0, "PRND-MET": 1.0, "ND-OX": 1.0, "LA-OX": 0.1, "CE-OX": 0.1, "Y-OX": 0.2, "LA-MET": 0.1,
}  # fmt: skip
_FOLLOWS = 0.1
"""The share of a move of the oxide that a product makes, too; this one where neither table has it."""

_KEEPS = 0.9
"""The share of the distance from its path that a price keeps to the next day: the path pulls."""
_COMMON_SD, _OWN_SD = 0.008, 0.005
_VOLATILITY_OF_MOOD = 0.95
_DEGREES = 4
"""Of Student's t: shocks have fat tails."""
_LARGEST = 5.0
_LARGEST_MOVE = 0.045
"""Of a day, beside the path: most instruments have a price limit of 5 or 6 %."""
_OVERNIGHT = 0.7
"""The share of a day's move that has happened when it opens."""
_SETTLES_DAYS = 15
"""Over the last days, the distances from the path shrink to nothing: the year ends at its published price."""


@dataclass(frozen=True)
class FairPrices:
    """Natural logarithms of prices in ticks: an array of days and instruments. Row 0 is the close before the first day."""

    closes: Any
    _seed: int
    _year: int

    def of_day(self, day: int, slices: int) -> Any:
        """The logarithms at the opening and at the beginning of each slice: an array of slices + 1 and instruments."""
        before, close = self.closes[day], self.closes[day + 1]
        opening = before + _OVERNIGHT * (close - before)
        rng = np.random.default_rng([self._seed, self._year, day, 1])
        steps = rng.normal(0, 1, (slices, len(close))) * np.abs(close - opening).clip(0.001, 0.004) / slices**0.5
        walk = np.cumsum(steps, axis=0)
        passed = np.arange(1, slices + 1)[:, None] / slices
        return np.vstack((opening, opening + passed * (close - opening) + walk - passed * walk[-1]))


def make_fair_prices(plan: YearPlan, seed: int, instruments: Sequence[InstrumentFacts]) -> FairPrices:
    """The fair prices of a year. The same arguments make the same prices."""
    follows = np.array([_follows(facts) for facts in instruments])
    shipped = np.log([facts.reference_ticks for facts in instruments])
    path = np.interp(
        [day.toordinal() for day in plan.days],
        [date(plan.year, *at).toordinal() for at, _ in _PATH],
        np.log([multiple for _, multiple in _PATH]),
    )
    rng = np.random.default_rng([seed, plan.year, 2])
    distance = np.zeros((len(plan.days), len(follows)))
    for day, mood in enumerate(plan.mood):
        common, own = _shocks(rng, 1), _shocks(rng, len(follows))
        shock = (common * _COMMON_SD * follows + own * _OWN_SD) * np.exp(_VOLATILITY_OF_MOOD * mood)
        shock = shock.clip(-_LARGEST_MOVE, _LARGEST_MOVE)
        distance[day] = (_KEEPS * distance[day - 1] if day else 0) + shock
        distance[day] *= min(1.0, (len(plan.days) - 1 - day) / _SETTLES_DAYS)
    january = shipped + follows * np.log(_PATH[0][1])
    closes = shipped + follows * path[:, None] + distance
    return FairPrices(np.vstack((january, closes)), seed, plan.year)


def january_ticks(facts: InstrumentFacts) -> int:
    """The reference price that a simulated year lists an instrument at, in ticks: the January level. With the shipped prices,
    those of December, prices would move by their daily limit for weeks."""
    multiple: float = (JANUARY_YUAN / _SHIPPED_YUAN) ** _follows(facts)
    return max(1, round(facts.reference_ticks * multiple))


def _follows(facts: InstrumentFacts) -> float:
    return _FOLLOWS_BY_SYMBOL.get(facts.symbol, _FOLLOWS_BY_FAMILY.get(facts.family, _FOLLOWS))


def _shocks(rng: np.random.Generator, count: int) -> Any:
    """Student's t, scaled to a variance of 1, without its rarest values."""
    return (rng.standard_t(_DEGREES, count) * ((_DEGREES - 2) / _DEGREES) ** 0.5).clip(-_LARGEST, _LARGEST)
