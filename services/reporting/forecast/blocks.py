"""Completed days cut into blocks of about ten: log mean, place in time, and the noise of a block's mean.

A block smooths the scatter of single days, so that level and drift of the turnover can be seen; the scatter inside the blocks
says how noisy their means are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from itertools import pairwise

import numpy as np

from services.reporting.forecast.contract import ForecastInput
from services.reporting.forecast.season import DayGroups, Floats, assumed_weights, group_days, season_shares

BLOCK_DAYS = 10
YEAR_DAYS = 243
"""Trading days by which a year without data is counted (the median of 2014 to 2026)."""

LEAST_DAY = 0.01
"""A day counts as at least this share of the median day: the logarithm of an empty day would outweigh all others."""

ASSUMED_VARIANCE, ASSUMED_CORRELATION, ASSUMED_DAYS = 0.12, 0.5, 20
"""Variance of a day's log turnover within its block and correlation with the day before, as if seen on so many days: the first
days alone say little about either (an assumption)."""

MOST_CORRELATION = 0.8


@dataclass(frozen=True)
class Blocks:
    """Blocks of days, completed or to come; each array has one entry a block."""

    days: Floats
    """Number of days."""
    centres: Floats
    """Place of the middle, in trading days; 0 is the morning of this year's first trading day."""
    places: Floats
    """The same from the first trading day of the block's own year, in years of YEAR_DAYS."""
    years: Floats
    """Calendar year."""
    shares: Floats
    """Share of the days in each group of the season; shape (blocks, GROUPS)."""


@dataclass(frozen=True)
class SeenBlocks:
    """The blocks of completed days."""

    blocks: Blocks
    log_means: Floats
    """Log of the mean turnover a day, in fen, each day divided by its assumed weight."""
    noise: float
    """Variance of the log mean of a block, times its number of days."""


def cut(first: int, end: int) -> list[int]:
    """Edges of blocks of nearly equal length, none shorter than BLOCK_DAYS where there are as many days.

    `cut(0, 25)` is `[0, 12, 25]`.
    """
    pieces = max((end - first) // BLOCK_DAYS, 1)
    return [first + (end - first) * piece // pieces for piece in range(pieces + 1)]


def cut_days(groups: DayGroups, first: int, end: int, year: int, offset: int = 0) -> Blocks:
    """The blocks of the days `first` to `end` of a year whose first day stands at `offset`."""
    edges = np.array(cut(first, end) if end > first else [first])
    middles = (edges[:-1] + edges[1:]) / 2
    return Blocks(
        days=np.diff(edges).astype(np.float64),
        centres=offset + middles,
        places=middles / YEAR_DAYS,
        years=np.full(len(middles), float(year)),
        shares=season_shares(groups, edges.tolist()),
    )


def see(given: ForecastInput) -> SeenBlocks | None:
    """The blocks of the past years and of this year's completed days; None without any turnover."""
    years = [
        (past.net_fen, group_days(past.days, past.lunar_new_year), past.year, offset)
        for past, offset in zip(given.past_years, _offsets(given), strict=True)
    ]
    years.append((given.net_fen, group_days(given.days, given.lunar_new_year), given.year, 0))
    adjusted = [
        np.array(net_fen, np.float64) / assumed_weights(groups)[: len(net_fen)] for net_fen, groups, *_ in years
    ]
    traded = np.concatenate(adjusted)
    if not traded.any():
        return None
    # Where most days are empty the median is one of those that are not.
    least = LEAST_DAY * (np.median(traded) or np.median(traded[traded > 0]))
    found: list[Blocks] = []
    log_means: list[float] = []
    scatter: list[Floats] = []
    for (net_fen, groups, year, offset), days in zip(years, adjusted, strict=True):
        found.append(cut_days(groups, 0, len(net_fen), year, offset))
        for block in _pieces(np.maximum(days, least)):
            log_means.append(float(np.log(block.mean())))
            scatter.append(np.log(block) - log_means[-1])
    return SeenBlocks(_joined(found), np.array(log_means), noise_of(scatter))


def noise_of(scatter: Sequence[Floats]) -> float:
    """Variance of a block's log mean, times its days: v (1 + ρ) / (1 − ρ), as of an autoregression of the first order.

    `scatter` has for each block its days' log turnover less the log of their mean. v is its variance, times 10 / 9 for the mean
    that was taken off; ρ its correlation with the day before, plus 1 / 10 for the same reason, held within 0 and
    MOST_CORRELATION. Both are averaged with what is assumed.
    """
    days = np.concatenate(scatter)
    centred = days - days.mean()
    variance = float(np.mean(centred**2))
    correlation = 0.0
    if variance > 0:
        correlation = float(np.mean(days[1:] * days[:-1])) / variance + 1 / BLOCK_DAYS
    variance *= BLOCK_DAYS / (BLOCK_DAYS - 1)
    seen, assumed = len(days), ASSUMED_DAYS
    variance = (variance * seen + ASSUMED_VARIANCE * assumed) / (seen + assumed)
    correlation = (correlation * seen + ASSUMED_CORRELATION * assumed) / (seen + assumed)
    correlation = min(max(correlation, 0.0), MOST_CORRELATION)
    return variance * (1 + correlation) / (1 - correlation)


def _pieces(days: Floats) -> list[Floats]:
    edges = cut(0, len(days)) if len(days) else [0]
    return [days[first:end] for first, end in pairwise(edges)]


def _offsets(given: ForecastInput) -> list[int]:
    """Where each past year begins, in trading days before this year's first; a year without data counts YEAR_DAYS."""
    offsets: list[int] = []
    begins, year = 0, given.year
    for past in reversed(given.past_years):
        begins -= YEAR_DAYS * (year - past.year - 1) + len(past.days)
        offsets.append(begins)
        year = past.year
    return offsets[::-1]


def _joined(found: Sequence[Blocks]) -> Blocks:
    return Blocks(*(np.concatenate([getattr(blocks, field.name) for blocks in found]) for field in fields(Blocks)))
