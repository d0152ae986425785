"""The forecast of the year's end: exact net turnover of the completed days plus an estimate of the days left."""

from __future__ import annotations

import math

import numpy as np

from services.reporting.forecast.blocks import cut, cut_days, see
from services.reporting.forecast.contract import Forecast, ForecastInput, YearEnd
from services.reporting.forecast.kriging import predict
from services.reporting.forecast.mixture import Lognormals
from services.reporting.forecast.season import assumed_weights, group_days
from services.reporting.forecast.wording import METHOD, assumptions_of
from services.values.decimals import half_up

TOO_WIDE_PERMILLE = 400
"""Above this (P90 − P10) / P50 it is too early for a forecast."""

_COARSEST_FEN = 1_000_000_000
"""Ten million yuan."""

_STEPS = 100
"""A rounded P50 keeps at least so many steps of its rounding."""


def forecast_year_end(given: ForecastInput) -> Forecast:
    """The forecast of the year's net turnover: P10, P50, P90 and the probability of reaching the target.

    No quantile is below what is already traded. With all days completed the forecast is the net turnover, exactly. There is no
    year_end where neither a completed day nor a past year has any turnover.
    """
    net_fen = sum(given.net_fen)
    left = len(given.days) - len(given.net_fen)
    if not left:
        year_end = YearEnd(net_fen, net_fen, net_fen)
        return _forecast(given, net_fen, year_end, 1000 if net_fen >= given.target_fen else 0)
    rest = predict_rest(given)
    traded_fen = net_fen + given.today_net_fen
    reached = traded_fen >= given.target_fen
    if rest is None:
        return _forecast(given, net_fen, None, 1000 if reached else None)
    year_end = YearEnd(*(max(net_fen + round(rest.quantile(part)), traded_fen) for part in (0.1, 0.5, 0.9)))
    return _forecast(given, net_fen, year_end, 1000 if reached else _reach_permille(rest, given.target_fen - net_fen))


def predict_rest(given: ForecastInput) -> Lognormals | None:
    """The distribution of the turnover of the days that are not completed, in fen; None without any turnover to go by.

    At least one day must be left.
    """
    seen = see(given)
    if seen is None:
        return None
    groups = group_days(given.days, given.lunar_new_year)
    edges = np.array(cut(len(given.net_fen), len(given.days)))
    weights = np.add.reduceat(assumed_weights(groups), edges[:-1])
    to_come = cut_days(groups, int(edges[0]), int(edges[-1]), given.year)
    return predict(seen, to_come, weights, len(given.past_years))


def _reach_permille(rest: Lognormals, missing_fen: int) -> int:
    """The probability in thousandths; neither 0 nor 1000, as days are left."""
    return min(max(round(1000 * (1 - rest.below(math.log(missing_fen)))), 1), 999)


def rounding_fen(amount_fen: int) -> int:
    """What amounts of this size are rounded to for the eye: a power of ten, at most ten million yuan."""
    step = _COARSEST_FEN
    while step > 1 and amount_fen < _STEPS * step:
        step //= 10
    return step


def _forecast(given: ForecastInput, net_fen: int, year_end: YearEnd | None, reach_permille: int | None) -> Forecast:
    rounded = width = None
    if year_end is not None:
        step = rounding_fen(year_end.p50_fen)
        quantiles = (year_end.p10_fen, year_end.p50_fen, year_end.p90_fen)
        rounded = YearEnd(*(half_up(amount, step) * step for amount in quantiles))
        width = -(-1000 * (year_end.p90_fen - year_end.p10_fen) // max(year_end.p50_fen, 1))
    return Forecast(
        net_fen=net_fen,
        days_completed=len(given.net_fen),
        days_left=len(given.days) - len(given.net_fen),
        year_end=year_end,
        year_end_rounded=rounded,
        reach_permille=reach_permille,
        width_permille=width,
        too_early=width is None or width > TOO_WIDE_PERMILLE,
        method=METHOD,
        assumptions=assumptions_of(given),
    )
