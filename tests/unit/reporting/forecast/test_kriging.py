"""The prediction where it can be computed by hand: one block seen and one to come, two seen; and the mixture it gives."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
import pytest

from services.reporting.forecast.blocks import Blocks, Seen
from services.reporting.forecast.kriging import (
    DRIFT_A_DAY,
    DRIFTS,
    LIKELY_DRIFT,
    MONTH_EFFECT,
    predict,
    widening,
)
from services.reporting.forecast.mixture import Lognormals
from services.reporting.forecast.season import GROUPS

NOISE = 0.4


def blocks(*places: tuple[float, int]) -> Blocks:
    """Blocks of ten days, each with its centre and month."""
    shares = np.zeros((len(places), GROUPS))
    for number, (_, month) in enumerate(places):
        shares[number, month] = 1.0
    return Blocks(np.full(len(places), 10.0), np.array([centre for centre, _ in places]), shares)


def prior() -> np.ndarray:
    return np.asarray(DRIFTS * np.exp(-DRIFTS / LIKELY_DRIFT))


@pytest.mark.parametrize("same_month", [True, False])
def test_one_block_seen_and_one_to_come(same_month: bool) -> None:
    """The median is the block's level times its weight. The variance is that of the difference of two blocks:
    2 τ² (1 − φ^10) for the drift, noise / 10 for each, and both months' effects where they differ."""
    seen = Seen(blocks((5.0, 2)), np.array([math.log(1000)]), NOISE)
    found = predict(seen, blocks((15.0, 2 if same_month else 3)), np.array([10.0]), 0)
    variance = 2 * DRIFTS**2 * (1 - DRIFT_A_DAY**10) + 2 * NOISE / 10 + (0 if same_month else 2 * MONTH_EFFECT**2)
    assert found.log_medians.tolist() == pytest.approx([math.log(10_000)] * len(DRIFTS))
    assert found.deviations == pytest.approx(widening(0) * np.sqrt(variance))
    assert found.weights == pytest.approx(prior() / prior().sum()), "one block says nothing about the drift"


def test_two_blocks_weigh_the_drift_by_how_far_they_lie_apart() -> None:
    """With the level integrated out, the likelihood is that of the difference of the two: −½ log D − ½ Δ² / D."""
    apart = 0.5
    seen = Seen(blocks((5.0, 2), (15.0, 2)), np.array([0.0, apart]), NOISE)
    found = predict(seen, blocks((25.0, 2)), np.array([10.0]), 0)
    variance = 2 * DRIFTS**2 * (1 - DRIFT_A_DAY**10) + 2 * NOISE / 10
    likely = prior() * variance**-0.5 * np.exp(-(apart**2) / (2 * variance))
    assert found.weights == pytest.approx(likely / likely.sum())


def test_two_blocks_predict_a_third_between_their_mean_and_the_nearer_one() -> None:
    """By hand for each τ: c₁, c₂ covariances with the third, s and c those of the two. Level = mean, as both weigh the same;
    prediction = mean + (c₂ − c₁) / (s − c) · Δ / 2."""
    seen = Seen(blocks((5.0, 2), (15.0, 2)), np.array([0.0, 0.5]), NOISE)
    found = predict(seen, blocks((25.0, 2)), np.array([1.0]), 0)
    own, near, far = (DRIFTS**2 * DRIFT_A_DAY**days + MONTH_EFFECT**2 for days in (0, 10, 20))
    own = own + NOISE / 10
    assert found.log_medians == pytest.approx(0.25 + (near - far) / (own - near) * 0.25)
    assert (found.log_medians < 0.5).all()


def test_the_sum_of_equal_blocks_is_their_number_times_one() -> None:
    seen = Seen(blocks((5.0, 2)), np.array([math.log(1000)]), NOISE)
    one = predict(seen, blocks((15.0, 2)), np.array([10.0]), 0)
    two = predict(seen, blocks((15.0, 2), (15.0, 2)), np.array([10.0, 10.0]), 0)
    assert (two.deviations < one.deviations).all(), "the noise of two blocks is averaged"
    # The medians add up, raised by half the variance that averaging takes away.
    gain = (one.deviations**2 - two.deviations**2) / 2
    assert two.log_medians == pytest.approx(math.log(20_000) + gain)


def test_the_range_is_wider_the_fewer_past_years_there_are() -> None:
    assert [widening(count) for count in (0, 1, 3)] == pytest.approx([1.18, 1.14, 1.12])
    seen = Seen(blocks((5.0, 2)), np.array([0.0]), NOISE)
    none, three = (predict(seen, blocks((15.0, 2)), np.array([1.0]), count) for count in (0, 3))
    assert none.deviations / three.deviations == pytest.approx(1.18 / 1.12)


def test_a_past_december_says_what_this_one_may_do() -> None:
    january, december = 0, 11
    past = [(-240.0, january), (-230.0, january), (-15.0, december), (-5.0, december)]
    seen = Seen(blocks(*past, (5.0, january)), np.array([0.0, 0.0, 0.4, 0.4, 0.0]), 0.05)
    found = predict(seen, blocks((235.0, january), (235.0, december)), np.array([1.0, 1.0]), 1)
    alone = [predict(seen, blocks((235.0, month)), np.array([1.0]), 1).log_medians for month in (january, december)]
    assert (alone[1] > alone[0] + 0.05).all()
    assert found.weights.sum() == pytest.approx(1)


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
