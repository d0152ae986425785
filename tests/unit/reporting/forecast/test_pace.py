"""The seasonal pace: by hand, and laws for any target."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.reporting.forecast import PastYear, seasonal_pace
from services.reporting.target import measure_progress

DAYS = (20230103, 20230104, 20230201, 20230202)
PAST = PastYear((20220104, 20220105, 20220201, 20220202), (100, 100, 300, 300))


def test_without_past_years_the_line_is_straight() -> None:
    assert seasonal_pace(DAYS, 1_000) == (250, 500, 750, 1_000)
    assert seasonal_pace(DAYS, 10) == (3, 5, 8, 10)


def test_with_a_past_year_the_months_have_its_shares_in_part() -> None:
    """0.5 and 1.5 of the mean, square roots 0.70711 and 1.22474, of their sum 3.86370: 0.18301 and 0.31699 a day."""
    assert seasonal_pace(DAYS, 100_000, past_years=[PAST]) == (18_301, 36_603, 68_301, 100_000)


def test_edges() -> None:
    assert seasonal_pace((), 5) == ()
    assert seasonal_pace(DAYS, 0) == (0, 0, 0, 0)
    with pytest.raises(ValueError, match="below zero"):
        seasonal_pace(DAYS, -1)
    with pytest.raises(ValueError, match="ascending"):
        seasonal_pace(DAYS[::-1], 1)


@given(target_fen=st.integers(0, 10**15), past_fen=st.lists(st.integers(0, 10**12), min_size=4, max_size=4))
def test_laws(target_fen: int, past_fen: list[int]) -> None:
    pace = seasonal_pace(DAYS, target_fen, past_years=[PastYear(PAST.days, tuple(past_fen))])
    assert pace[-1] == target_fen
    assert list(pace) == sorted(pace)
    assert pace[0] >= 0


@given(target_fen=st.integers(0, 10**15), days=st.integers(1, 28))
def test_the_straight_line_is_that_of_the_target(target_fen: int, days: int) -> None:
    dates = tuple(20230301 + n for n in range(days))
    straight = tuple(
        day.pace_fen for day in measure_progress(dates, {}, dates[0], target_fen, first_trading_date=dates[0]).days
    )
    assert seasonal_pace(dates, target_fen) == straight
