"""Groups of days and what they are expected at, in years small enough to compute by hand."""

from __future__ import annotations

import pytest

from services.data.calendar import TradingCalendar
from services.reporting.forecast.contract import PastYear
from services.reporting.forecast.season import (
    AFTER,
    BEFORE,
    GROUPS,
    YEAR_END,
    YEAR_END_WEIGHT,
    assumed_weights,
    group_days,
    learned_weights,
    season_shares,
)

JANUARY = tuple(20230103 + n for n in range(16))
FEBRUARY = tuple(20230201 + n for n in range(4))
HOLIDAY = 20230122


def test_six_days_on_either_side_of_the_holiday_are_groups_of_their_own() -> None:
    days = tuple(day.year * 10_000 + day.month * 100 + day.day for day in TradingCalendar.load().days(2023))
    groups = group_days(days, HOLIDAY)
    before = [day for day, group in zip(days, groups.special, strict=True) if group == BEFORE]
    after = [day for day, group in zip(days, groups.special, strict=True) if group == AFTER]
    assert before == [20230113, 20230116, 20230117, 20230118, 20230119, 20230120]
    assert after == [20230130, 20230131, 20230201, 20230202, 20230203, 20230206]
    assert [int(month) for month in groups.groups[[0, 20, 231, 232, 241]]] == [0, 1, 11, YEAR_END, YEAR_END]


def test_the_last_ten_days_of_december_are_a_group_and_count_more() -> None:
    days = tuple(20231101 + n for n in range(10)) + tuple(20231201 + n for n in range(15))
    groups = group_days(days, None)
    assert (groups.special == YEAR_END).tolist() == [False] * 15 + [True] * 10
    assert assumed_weights(groups).tolist() == [1.0] * 15 + [YEAR_END_WEIGHT] * 10
    assert group_days(days[:10], None).special.max() == -1, "a November is no year end"


@pytest.mark.parametrize("lunar_new_year", [None, 20230101, 20230103])
def test_no_day_is_near_a_holiday_that_is_unknown_or_before_the_first_day(lunar_new_year: int | None) -> None:
    groups = group_days(JANUARY, lunar_new_year)
    assert groups.special.max() == -1
    assert assumed_weights(groups).tolist() == [1.0] * 16


def test_weights_that_are_assumed() -> None:
    groups = group_days(JANUARY + FEBRUARY, 20230112)
    assert assumed_weights(groups).tolist() == [1.0] * 3 + [0.72] * 12 + [1.0] * 5


def test_shares_of_a_block() -> None:
    shares = season_shares(group_days(JANUARY + FEBRUARY, 20230115), [0, 12, 20])
    assert shares.shape == (2, GROUPS)
    assert shares[0, [0, 1, BEFORE, AFTER]].tolist() == [1.0, 0.0, 6 / 12, 0.0]
    assert shares[1, [0, 1, BEFORE, AFTER]].tolist() == [4 / 8, 4 / 8, 0.0, 6 / 8]


def past(year: int, january_fen: int, february_fen: int) -> PastYear:
    shift = (year - 2023) * 10_000
    days = tuple(day + shift for day in JANUARY[:4] + FEBRUARY)
    return PastYear(days, (january_fen,) * 4 + (february_fen,) * 4)


def test_one_past_year_says_half_in_logs() -> None:
    """January at 0.5 and February at 1.5 of the mean: square roots 0.7071 and 1.2247, then to a mean of 1 over six days."""
    groups = group_days((20230103, 20230104, 20230201, 20230202, 20230203, 20230301), None)
    weights = learned_weights(groups, [past(2022, 100, 300)])
    mean = (2 * 0.5**0.5 + 3 * 1.5**0.5 + 1) / 6
    assert weights.tolist() == pytest.approx([0.5**0.5 / mean] * 2 + [1.5**0.5 / mean] * 3 + [1 / mean])


def test_two_past_years_say_two_thirds_of_their_geometric_mean() -> None:
    groups = group_days((20230103, 20230201), None)
    weights = learned_weights(groups, [past(2021, 100, 300), past(2022, 200, 200)])
    january, february = (0.5 * 1.0) ** (1 / 3), (1.5 * 1.0) ** (1 / 3)  # (√(a b))^(2/3)
    mean = (january + february) / 2
    assert weights.tolist() == pytest.approx([january / mean, february / mean])


def test_a_group_without_turnover_says_nothing() -> None:
    groups = group_days((20230103, 20230201), None)
    assert learned_weights(groups, [past(2022, 0, 0)]).tolist() == [1.0, 1.0]
    one_empty = learned_weights(groups, [past(2022, 0, 100)])
    assert one_empty.tolist() == pytest.approx([2 / (1 + 2**0.5), 2 * 2**0.5 / (1 + 2**0.5)])
