"""Blocks of completed days: edges, log means, noise, places in time; computed by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.reporting.forecast.blocks import BLOCK_DAYS, YEAR_DAYS, cut, noise_of, see
from services.reporting.forecast.contract import ForecastInput, PastYear

DAYS = tuple(20230301 + n for n in range(30))


def test_edges() -> None:
    assert cut(0, 9) == [0, 9]
    assert cut(0, 19) == [0, 19]
    assert cut(0, 25) == [0, 12, 25]
    assert cut(5, 35) == [5, 15, 25, 35]


@given(first=st.integers(0, 300), days=st.integers(1, 300))
def test_blocks_are_nearly_equal_and_long_enough(first: int, days: int) -> None:
    lengths = np.diff(cut(first, first + days))
    assert lengths.sum() == days
    assert lengths.max() - lengths.min() <= 1
    assert lengths.min() >= min(days, BLOCK_DAYS)
    assert lengths.max() < 2 * BLOCK_DAYS


def test_log_means_of_two_blocks() -> None:
    seen = see(ForecastInput(DAYS, (100,) * 10 + (300,) * 5 + (500,) * 5, 1))
    assert seen is not None
    assert seen.log_means.tolist() == pytest.approx([math.log(100), math.log(400)])
    assert seen.blocks.centres.tolist() == [5.0, 15.0]
    assert seen.blocks.days.tolist() == [10.0, 10.0]


def test_a_day_is_divided_by_its_assumed_weight() -> None:
    days = tuple(20230103 + n for n in range(20))
    seen = see(ForecastInput(days, (100,) * 4 + (72,) * 6, 1, lunar_new_year=20230113))
    assert seen is not None
    assert seen.log_means.tolist() == pytest.approx([math.log(100)])


def test_a_block_knows_its_year_and_its_place_in_it() -> None:
    past = PastYear(tuple(day - 10_000 for day in DAYS[:10]), (100,) * 10)
    seen = see(ForecastInput(DAYS, (100,) * 20, 1, past_years=(past,)))
    assert seen is not None
    assert seen.blocks.years.tolist() == [2022, 2023, 2023]
    assert seen.blocks.places.tolist() == pytest.approx([5 / YEAR_DAYS, 5 / YEAR_DAYS, 15 / YEAR_DAYS])


def test_noise_by_hand() -> None:
    """Scatter 1, −1, 1, −1: variance 1 · 10/9, correlation −1 + 1/10. Averaged with 20 days of variance 0.12 and correlation
    0.5: (4 · 10/9 + 20 · 0.12) / 24 = 0.28519 and (4 · −0.9 + 20 · 0.5) / 24 = 0.26667."""
    assert noise_of([np.array([1.0, -1.0]), np.array([1.0, -1.0])]) == pytest.approx(
        0.28519 * 1.26667 / 0.73333, rel=1e-4
    )


def test_noise_of_one_day_and_of_equal_days_is_what_is_assumed_in_part() -> None:
    """(0 + 20 · 0.12) / 21 and (0 + 20 · 0.5) / 21 for one day."""
    variance, correlation = 2.4 / 21, 10 / 21
    assert noise_of([np.zeros(1)]) == pytest.approx(variance * (1 + correlation) / (1 - correlation))
    assert 0 < noise_of([np.zeros(240)]) < 0.03


def test_an_empty_day_counts_as_a_hundredth_of_the_median() -> None:
    seen = see(ForecastInput(DAYS, (0,) + (1000,) * 9, 1))
    assert seen is not None
    assert seen.log_means.tolist() == pytest.approx([math.log((10 + 9 * 1000) / 10)])


def test_where_most_days_are_empty_the_median_is_one_that_is_not() -> None:
    seen = see(ForecastInput(DAYS, (0,) * 9 + (1000,), 1))
    assert seen is not None
    assert seen.log_means.tolist() == pytest.approx([math.log((9 * 10 + 1000) / 10)])


def test_nothing_is_seen_without_turnover() -> None:
    assert see(ForecastInput(DAYS, (), 1)) is None
    assert see(ForecastInput(DAYS, (0,) * 30, 1, past_years=(PastYear((20220301,), (0,)),))) is None


def test_past_years_lie_before_this_one_and_a_year_without_data_keeps_its_place() -> None:
    years = tuple(PastYear(tuple(day - ago * 10_000 for day in DAYS[:10]), (100,) * 10) for ago in (3, 1))
    seen = see(ForecastInput(DAYS, (100,) * 10, 1, past_years=years))
    assert seen is not None
    assert seen.blocks.centres.tolist() == [-10 - YEAR_DAYS - 10 + 5, -5.0, 5.0]
