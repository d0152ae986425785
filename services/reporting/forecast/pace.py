"""The seasonal pace: a target distributed over the year's trading days by the shares of past years, to the fen."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

import numpy as np

from services.reporting.forecast.contract import PastYear, check_days
from services.reporting.forecast.season import group_days, learned_weights
from services.values.decimals import half_up

_PARTS = 1_000_000
"""An ordinary day's share, in whole parts: weights are estimates, amounts are exact."""


def seasonal_pace(
    days: Sequence[int],
    target_fen: int,
    *,
    past_years: Sequence[PastYear] = (),
    lunar_new_year: int | None = None,
) -> tuple[int, ...]:
    """Turnover of the year that is due at the end of each trading day, in fen; the last amount is the target.

    Without past years every day has the same share: the line is straight. Each amount is the exact share of the target,
    rounded once, half up, so that none is more than half a fen off. `days` are all trading days of the year (yyyymmdd,
    ascending). Raises ValueError where they are not, or the target is below zero.
    """
    check_days(days)
    if target_fen < 0:
        raise ValueError("a target must not be below zero")
    if not days:
        return ()
    weights = learned_weights(group_days(days, lunar_new_year), past_years)
    due = list(accumulate(int(parts) for parts in np.rint(weights * _PARTS)))
    return tuple(half_up(target_fen * parts, due[-1]) for parts in due)
