"""The prediction where it can be computed by hand: one block seen and one to come, two seen; and the mixture it gives."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
import pytest

from services.reporting.forecast.blocks import Blocks, SeenBlocks
from services.reporting.forecast.kriging import (
    DRIFT_A_DAY,
    DRIFTS,
    LIKELY_DRIFT,
    MONTH_EFFECT,
    TREND_EFFECT,
    YEAR_A_DAY,
    YEAR_EFFECT,
    YEAR_END_EFFECT,
    predict,
    widening,
)
from services.reporting.forecast.mixture import Lognormals
from services.reporting.forecast.season import GROUPS, YEAR_END

NOISE = 0.4
YEAR_DAYS = 240


def blocks(*places: tuple[float, int]) -> Blocks:
    """Blocks of ten days, each with its centre and group; a centre below zero is in a year before, of YEAR_DAYS each."""
    centres = np.array([centre for centre, _ in places])
    shares = np.zeros((len(places), GROUPS))
    for number, (_, group) in enumerate(places):
        shares[number, group] = 1.0
    return Blocks(
        days=np.full(len(places), 10.0),
        centres=centres,
        places=centres % YEAR_DAYS / YEAR_DAYS,
        years=2023 + centres // YEAR_DAYS,
        shares=shares,
    )


def difference(days: float) -> np.ndarray:
    """Variance of the difference of two blocks of one month and year, for each τ: drift, level, trend, noise of each."""
    drift = 2 * DRIFTS**2 * (1 - DRIFT_A_DAY**days)
    level = 2 * YEAR_EFFECT**2 * (1 - YEAR_A_DAY**days)
    return np.asarray(drift + level + (TREND_EFFECT * days / YEAR_DAYS) ** 2 + 2 * NOISE / 10)


def prior() -> np.ndarray:
    return np.asarray(DRIFTS * np.exp(-DRIFTS / LIKELY_DRIFT))


@pytest.mark.parametrize("same_month", [True, False])
def test_one_block_seen_and_one_to_come(same_month: bool) -> None:
    """The median is the block's level times its weight. The variance is that of the difference of two blocks:
    2 τ² (1 − φ^10) for the drift, the same with its own φ for the year's level, the trend's for ten days, noise / 10 for each,
    and both months' effects where they differ."""
    seen = SeenBlocks(blocks((5.0, 2)), np.array([math.log(1000)]), NOISE)
    found = predict(seen, blocks((15.0, 2 if same_month else 3)), np.array([10.0]), 0)
    variance = difference(10) + (0 if same_month else 2 * MONTH_EFFECT**2)
    assert found.log_medians.tolist() == pytest.approx([math.log(10_000)] * len(DRIFTS))
    assert found.deviations == pytest.approx(widening(0) * np.sqrt(variance))
    assert found.weights == pytest.approx(prior() / prior().sum()), "one block says nothing about the drift"


def test_two_blocks_weigh_the_drift_by_how_far_they_lie_apart() -> None:
    """With the level integrated out, the likelihood is that of the difference of the two: −½ log D − ½ Δ² / D."""
    apart = 0.5
    seen = SeenBlocks(blocks((5.0, 2), (15.0, 2)), np.array([0.0, apart]), NOISE)
    found = predict(seen, blocks((25.0, 2)), np.array([10.0]), 0)
    variance = difference(10)
    likely = prior() * variance**-0.5 * np.exp(-(apart**2) / (2 * variance))
    assert found.weights == pytest.approx(likely / likely.sum())


def test_two_blocks_predict_a_third_between_their_mean_and_the_nearer_one() -> None:
    """By hand for each τ, from the variances of differences D: of the two, D(10); of the third with each, D(20) and D(10). The
    level is unknown, so only differences count: prediction = mean + (D(20) − D(10)) / D(10) · Δ / 2, noise only in the
    divisor."""
    seen = SeenBlocks(blocks((5.0, 2), (15.0, 2)), np.array([0.0, 0.5]), NOISE)
    found = predict(seen, blocks((25.0, 2)), np.array([1.0]), 0)
    assert found.log_medians == pytest.approx(0.25 + (difference(20) - difference(10)) / difference(10) * 0.25)
    assert (found.log_medians < 0.5).all()


def test_the_sum_of_equal_blocks_is_their_number_times_one() -> None:
    seen = SeenBlocks(blocks((5.0, 2)), np.array([math.log(1000)]), NOISE)
    one = predict(seen, blocks((15.0, 2)), np.array([10.0]), 0)
    two = predict(seen, blocks((15.0, 2), (15.0, 2)), np.array([10.0, 10.0]), 0)
    assert (two.deviations < one.deviations).all(), "the noise of two blocks is averaged"
    # The medians add up, raised by half the variance that averaging takes away.
    gain = (one.deviations**2 - two.deviations**2) / 2
    assert two.log_medians == pytest.approx(math.log(20_000) + gain)


def test_what_past_years_make_surer_is_widened() -> None:
    assert widening(0) < widening(1) < widening(3)
    seen = SeenBlocks(blocks((5.0, 2)), np.array([0.0]), NOISE)
    none, three = (predict(seen, blocks((15.0, 2)), np.array([1.0]), count) for count in (0, 3))
    assert none.deviations / three.deviations == pytest.approx(widening(0) / widening(3))


def steady_months(
    grown: float = 0.0, years: tuple[int, ...] = (3, 2, 1, 0)
) -> tuple[list[tuple[float, int]], np.ndarray]:
    """Two blocks a month in years so long ago, and their log means, which rise by `grown` within each year."""
    places = [(10.0 * number + 5 - ago * YEAR_DAYS, number // 2) for ago in years for number in range(24)]
    return places, np.tile(np.arange(24) / 24 * grown, len(years))


def test_past_years_do_not_say_what_the_level_of_this_one_is() -> None:
    """A year begins at twice the level of three steady ones: after two months P50 of its rest is at least 0.9 of that."""
    places, logs = steady_months()
    logs[-24:] = math.log(2)
    seen = SeenBlocks(blocks(*places[:-20]), logs[:-20], NOISE)
    assert predict(seen, blocks(*places[-20:]), np.ones(20), 3).quantile(0.5) > 0.9 * 2 * 20


def test_a_trend_within_past_years_is_a_shape_that_this_one_has() -> None:
    """Years that grow by a fifth: after the first half P50 of the second is what growth makes of it, within one in fifty."""
    places, logs = steady_months(math.log(1.2))
    seen = SeenBlocks(blocks(*places[:-12]), logs[:-12], 0.05)
    found = predict(seen, blocks(*places[-12:]), np.ones(12), 3).quantile(0.5)
    assert found == pytest.approx(float(np.exp(logs[-12:]).sum()), rel=0.02)


def test_what_is_left_of_a_year_without_noise_and_drift_still_has_a_floor_of_uncertainty() -> None:
    """However steady the days seen were, the level may move: by 2 ν² (1 − φ^d) over d days."""
    seen = SeenBlocks(blocks(*((10.0 * number + 5, 2) for number in range(12))), np.zeros(12), 1e-9)
    near, far = (predict(seen, blocks((days, 2)), np.array([1.0]), 0).deviations for days in (125.0, 235.0))
    assert near.min() > YEAR_EFFECT * math.sqrt(1 - YEAR_A_DAY**10)
    assert far.min() > YEAR_EFFECT * math.sqrt(1 - YEAR_A_DAY**120)


def test_a_year_end_that_nobody_has_seen_is_uncertain_and_past_ones_tell_of_it() -> None:
    december = 11
    this_year = [(5.0, 0), (215.0, december)]
    end = (235.0, YEAR_END)
    unseen = SeenBlocks(blocks(*this_year), np.zeros(2), 0.05)
    ordinary = predict(unseen, blocks((235.0, december)), np.ones(1), 0)
    alone = predict(unseen, blocks(end), np.ones(1), 0)
    assert (alone.deviations > YEAR_END_EFFECT * widening(0)).all()
    assert (alone.deviations > ordinary.deviations).all()
    past = [(centre - ago * YEAR_DAYS, group) for ago in (3, 2, 1) for centre, group in (*this_year, end)]
    strong = SeenBlocks(blocks(*past, *this_year), np.array([0.0, 0.0, 0.5] * 3 + [0.0, 0.0]), 0.05)
    learned = predict(strong, blocks(end), np.ones(1), 3)
    assert (learned.log_medians > 0.5 * 0.5).all()
    assert (learned.deviations < alone.deviations).all()


def test_past_decembers_say_what_this_one_may_do() -> None:
    """Three years whose Decembers are half above their other months: more than half of it is expected of this one."""
    places, logs = steady_months()
    december = np.array([month == 11 for _, month in places])
    seen = SeenBlocks(blocks(*places[:-2]), np.where(december, math.log(1.5), logs)[:-2], 0.05)
    found = predict(seen, blocks(*places[-2:]), np.array([1.0, 1.0]), 3)
    assert found.weights.sum() == pytest.approx(1)
    assert found.quantile(0.5) > 2 * 1.25


def test_a_single_lognormal() -> None:
    single = Lognormals(np.array([1.0]), np.array([math.log(500)]), np.array([0.3]))
    assert single.quantile(0.5) == pytest.approx(500)
    assert single.quantile(0.9) == pytest.approx(500 * math.exp(0.3 * NormalDist().inv_cdf(0.9)))
    assert single.below(math.log(500) + 0.3) == pytest.approx(0.841344746)


def test_a_mixture_of_two() -> None:
    mixture = Lognormals(np.array([0.5, 0.5]), np.array([-1.0, 1.0]), np.array([0.2, 0.2]))
    assert mixture.quantile(0.5) == pytest.approx(1.0)
    assert mixture.below(math.log(mixture.quantile(0.1))) == pytest.approx(0.1)
    assert mixture.below(-1.0) == pytest.approx(0.25)
