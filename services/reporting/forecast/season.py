"""What a trading day has in common with others: its month, the days around Lunar New Year, the year's end. Weights of days.

Two uses. The forecast compares days across months (`season_shares`) and divides by what is assumed before anything is known
(`assumed_weights`). The pace line distributes a target over the year by the shares of past years (`learned_weights`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from services.reporting.forecast.contract import PastYear

Floats: TypeAlias = NDArray[np.float64]

LUNAR_NEW_YEAR_DAYS = 6
"""Trading days on either side of Lunar New Year that differ from others of their month."""

LUNAR_NEW_YEAR_WEIGHT = 0.72
"""Expected turnover of such a day against any other, where no past year tells (an assumption)."""

YEAR_END_DAYS = 10
"""The last trading days of December, which differ from others of their month: targets and contracts end with the year."""

YEAR_END_WEIGHT = 1.25
"""Expected turnover of such a day against any other, where no past year tells (an assumption)."""

MONTHS = 12
BEFORE, AFTER, YEAR_END = MONTHS, MONTHS + 1, MONTHS + 2
"""Numbers of the groups of days before and after Lunar New Year, and at the year's end; groups 0 to 11 are the months."""
GROUPS = MONTHS + 3


@dataclass(frozen=True)
class DayGroups:
    """A year's trading days sorted into groups."""

    months: NDArray[np.int64]
    """0 to 11 for each day."""
    special: NDArray[np.int64]
    """BEFORE, AFTER, YEAR_END or -1 for each day."""

    @property
    def groups(self) -> NDArray[np.int64]:
        """The one group of each day by which shares are compared: its special one, else its month."""
        return np.where(self.special >= 0, self.special, self.months)


def group_days(days: Sequence[int], lunar_new_year: int | None) -> DayGroups:
    """The groups of the trading days (yyyymmdd, ascending).

    The days before Lunar New Year are the last LUNAR_NEW_YEAR_DAYS trading days before its date, those after it the first ones
    from its date on. In a year that begins after the holiday, as that of a venue's birth may, no day is near it. The year's end
    is the last YEAR_END_DAYS trading days, as far as they are of December.
    """
    dates = np.array(days, np.int64)
    months = dates // 100 % 100 - 1
    special = np.full(len(dates), -1, np.int64)
    special[np.flatnonzero(months == MONTHS - 1)[-YEAR_END_DAYS:]] = YEAR_END
    if lunar_new_year is not None and len(dates) and dates[0] < lunar_new_year:
        first_after = int(np.searchsorted(dates, lunar_new_year))
        special[max(first_after - LUNAR_NEW_YEAR_DAYS, 0) : first_after] = BEFORE
        special[first_after : first_after + LUNAR_NEW_YEAR_DAYS] = AFTER
    return DayGroups(months, special)


def assumed_weights(groups: DayGroups) -> Floats:
    """What each day is expected to turn over, against 1 for an ordinary day, before any past year is known."""
    weights = np.ones(GROUPS)
    weights[[BEFORE, AFTER]], weights[YEAR_END] = LUNAR_NEW_YEAR_WEIGHT, YEAR_END_WEIGHT
    return weights[groups.groups]


def season_shares(groups: DayGroups, edges: Sequence[int]) -> Floats:
    """For each block of days `edges[i]` to `edges[i + 1]` the share of its days in each group; shape (blocks, GROUPS).

    Months are counted for every day; the groups of the days near Lunar New Year and of the year's end come on top.
    """
    shares = np.zeros((len(edges) - 1, GROUPS))
    for block, (first, end) in enumerate(pairwise(edges)):
        special = groups.special[first:end]
        numbers = np.concatenate([groups.months[first:end], special[special >= 0]])
        shares[block] = np.bincount(numbers, minlength=GROUPS) / (end - first)
    return shares


def learned_weights(groups: DayGroups, past_years: Sequence[PastYear]) -> Floats:
    """What each day is expected to turn over, from past years; mean 1 over the days.

    Of each group the geometric mean over k past years of (its mean day / the year's mean day), to the power k / (k + 1): one
    year alone says half of what it seems to say. A group that no past year has counts as 1.
    """
    logs: list[list[float]] = [[] for _ in range(GROUPS)]
    for past in past_years:
        _add_shares(logs, past)
    powers = [np.mean(found) * len(found) / (len(found) + 1) if found else 0.0 for found in logs]
    weights = np.exp(np.array(powers))[groups.groups]
    return np.asarray(weights / weights.mean(), np.float64)


def _add_shares(logs: list[list[float]], past: PastYear) -> None:
    """Appends to each group the log of its mean day against the year's mean day."""
    groups = group_days(past.days, past.lunar_new_year)
    days_fen = np.array(past.net_fen, np.float64)
    mean = days_fen.mean()
    for number in np.unique(groups.groups):
        share = days_fen[groups.groups == number].mean() / mean if mean > 0 else 0.0
        if share > 0:
            logs[number].append(float(np.log(share)))
