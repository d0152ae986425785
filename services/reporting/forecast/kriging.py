"""Block kriging: predicts the blocks to come from those seen, by generalised least squares. Closed form, no random numbers.

The log mean of a block is a level of its year, plus a slow drift, plus effects of its season and its place in the year, plus
noise. Covariance of two blocks that lie d days apart: τ² · DRIFT_A_DAY^d; in the same year YEAR_EFFECT² · YEAR_A_DAY^d; for
each group of the season a variance times both shares of it; TREND_EFFECT² times both places in the year; the noise on the
diagonal. Group and place count in any year, a year's level only in that year: so past years tell the shape of this one, and its
level is learned from its own days. How strong the drift is, τ, cannot be read from one year: each τ of a grid makes a
prediction, weighed by its prior and by the Gaussian likelihood of what was seen, the unknown mean level integrated out.
"""

from __future__ import annotations

import numpy as np

from services.reporting.forecast.blocks import Blocks, SeenBlocks
from services.reporting.forecast.mixture import Lognormals
from services.reporting.forecast.season import MONTHS, Floats

DRIFT_A_DAY = 0.985
"""Correlation of the drift between one day and the next: half of it is left after 46 days (an assumption)."""

DRIFTS = np.array([0.02, 0.05, 0.10, 0.15, 0.20, 0.25, 0.30, 0.40, 0.50])
"""The τ that are weighed: standard deviation of the drift, of log turnover."""

LIKELY_DRIFT = 0.12
"""The prior of τ is τ · exp(−τ / LIKELY_DRIFT), which is highest there (an assumption)."""

YEAR_EFFECT = 0.45
"""Standard deviation of the log of a year's level (an assumption): a venue may grow or shrink by half from year to year."""

YEAR_A_DAY = 0.9997
"""Correlation of a year's level between one day and the next (an assumption). A level may move for good, by about 1.1 % a day,
however steady the days before were: what is left of the year never has less uncertainty."""

TREND_EFFECT = 0.20
"""Standard deviation of the log of what a year's last day differs from its first, alike in all years (an assumption)."""

MONTH_EFFECT, LUNAR_NEW_YEAR_EFFECT, YEAR_END_EFFECT = 0.15, 0.15, 0.30
"""Standard deviation of the log of what a month, a day near Lunar New Year, or one of the year's last, differs from what is
assumed (assumptions)."""

WIDENING, PAST_WIDENING = 0.98, 0.17
"""Every standard deviation is multiplied with WIDENING + PAST_WIDENING · k / (1 + k) for k past years: they make the model
surer of how strong season, drift and noise are, and the year under way may break with them. Tuned on simulated years."""

_SEASON_VARIANCES = np.array([MONTH_EFFECT**2] * MONTHS + [LUNAR_NEW_YEAR_EFFECT**2] * 2 + [YEAR_END_EFFECT**2])


def widening(past_years: int) -> float:
    """What every standard deviation is multiplied with."""
    return WIDENING + PAST_WIDENING * past_years / (1 + past_years)


def predict(seen: SeenBlocks, to_come: Blocks, weights: Floats, past_years: int) -> Lognormals:
    """The turnover of the days to come, in fen: a lognormal for each τ, with its weight.

    `weights` has for each block to come the sum of its days' assumed weights; `past_years` is how many of them were seen.
    """
    taus = DRIFTS[:, None, None] ** 2
    blocks, noise = seen.blocks, seen.noise
    among_seen = taus * _nearness(blocks, blocks) + _shared(blocks, blocks) + np.diag(noise / blocks.days)
    between = taus * _nearness(to_come, blocks) + _shared(to_come, blocks)
    among_come = taus * _nearness(to_come, to_come) + _shared(to_come, to_come) + np.diag(noise / to_come.days)
    ones, values, solved = _solve(among_seen, seen.log_means, between)
    precision = ones.sum(axis=1)
    level = values.sum(axis=1) / precision
    pulls = values - level[:, None] * ones
    squares = ((seen.log_means - level[:, None]) * pulls).sum(axis=1)
    likelihood = -0.5 * (np.linalg.slogdet(among_seen)[1] + np.log(precision) + squares)
    prior = np.log(DRIFTS) - DRIFTS / LIKELY_DRIFT
    means = level[:, None] + np.einsum("tij,tj->ti", between, pulls)
    # What the unknown level adds to the error of each block to come.
    missed = 1 - np.einsum("tij,tj->ti", between, ones)
    errors = among_come - between @ solved
    errors += missed[:, :, None] * missed[:, None, :] / precision[:, None, None]
    return _sums(likelihood + prior, means, widening(past_years) ** 2 * errors, weights)


def _solve(covariances: Floats, log_means: Floats, between: Floats) -> tuple[Floats, Floats, Floats]:
    """For each τ the inverse covariance times: ones, the log means, the covariances with the blocks to come (transposed)."""
    fixed = np.stack([np.ones(len(log_means)), log_means], axis=1)
    right = np.concatenate([np.broadcast_to(fixed, (len(between), *fixed.shape)), between.transpose(0, 2, 1)], axis=2)
    found = np.linalg.solve(covariances, right)
    return found[:, :, 0], found[:, :, 1], found[:, :, 2:]


def _sums(log_weights: Floats, means: Floats, errors: Floats, weights: Floats) -> Lognormals:
    """The sum over the blocks as one lognormal for each τ: same mean, and the variance of the log by linearisation.

    The mean of a lognormal block is exp(mean + variance / 2); the median of the sum is its mean times exp(−variance / 2).
    """
    amounts = weights * np.exp(means + np.diagonal(errors, axis1=1, axis2=2) / 2)
    totals = amounts.sum(axis=1)
    shares = amounts / totals[:, None]
    variances = np.einsum("ti,tij,tj->t", shares, errors, shares)
    likely = np.exp(log_weights - log_weights.max())
    return Lognormals(likely / likely.sum(), np.log(totals) - variances / 2, np.sqrt(variances))


def _nearness(one: Blocks, other: Blocks) -> Floats:
    return np.asarray(DRIFT_A_DAY ** _distance(one, other), np.float64)


def _shared(one: Blocks, other: Blocks) -> Floats:
    """The covariance that does not depend on τ: level of the year, season, place in the year."""
    level = YEAR_EFFECT**2 * YEAR_A_DAY ** _distance(one, other) * (one.years[:, None] == other.years)
    season = (one.shares * _SEASON_VARIANCES) @ other.shares.T
    return np.asarray(level + season + TREND_EFFECT**2 * np.outer(one.places, other.places), np.float64)


def _distance(one: Blocks, other: Blocks) -> Floats:
    return np.asarray(np.abs(one.centres[:, None] - other.centres), np.float64)
