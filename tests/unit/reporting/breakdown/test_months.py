from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from services.data.calendar import TradingCalendar
from services.reporting.breakdown.months import MonthLine, month_lines, planned_by_month, sum_by_month

DAYS_2023 = tuple(int(f"{day:%Y%m%d}") for day in TradingCalendar.load().days(2023))


def test_the_year_over_its_trading_days() -> None:
    """2023 has 242 trading days: 16 in January, 20 in February. A target of 242 fen is one a day."""
    plan = planned_by_month(DAYS_2023, 242)
    assert list(plan.values()) == [16, 20, 23, 19, 20, 20, 21, 23, 20, 17, 22, 21]


def test_a_plan_that_does_not_divide() -> None:
    """100 fen over three days, of which one is in February: due 33, 67, 100; so 67 in January and 33 in February."""
    plan = planned_by_month((20230103, 20230104, 20230201), 100)
    assert (plan[1], plan[2], plan[3]) == (67, 33, 0)


def test_a_venue_that_opened_in_its_first_year() -> None:
    """It opened on 27 December 2023 and has three days; January to November are none of its months."""
    days = DAYS_2023[-3:]
    lines = month_lines(days, 300, today=20231228, net_by_day={20231227: 90}, last_year={}, own_targets={})
    assert lines[0] == MonthLine(1, 0, 0, None, 0, "year", 0, None)
    assert lines[11] == MonthLine(12, 3, 2, 90, 300, "year", 300, None)


def test_a_half_year_beside_the_year_before() -> None:
    """At the end of June the second half has not begun; its months have a plan and last year's turnover."""
    net = {20230103: 5, 20230104: 6, 20230601: 7}
    lines = month_lines(
        DAYS_2023, 242, today=20230630, net_by_day=net, last_year={20220105: 4, 20221230: 9}, own_targets={}
    )
    assert [line.actual_fen for line in lines] == [11, 0, 0, 0, 0, 7, *[None] * 6]
    assert [line.last_year_fen for line in lines] == [4, *[None] * 10, 9]
    assert (lines[5].days, lines[5].days_begun, lines[6].days_begun) == (20, 20, 0)


def test_a_month_with_a_target_of_its_own() -> None:
    lines = month_lines(DAYS_2023, 242, today=0, net_by_day={}, last_year={}, own_targets={3: 1_000})
    assert (lines[2].plan_fen, lines[2].plan_source, lines[2].year_part_fen) == (1_000, "month", 23)
    assert (lines[3].plan_fen, lines[3].plan_source) == (19, "year")


def test_a_venue_without_a_day() -> None:
    lines = month_lines((), 242, today=0, net_by_day={}, last_year={}, own_targets={})
    assert {(line.days, line.actual_fen, line.plan_fen, line.last_year_fen) for line in lines} == {(0, None, 0, None)}


@given(st.integers(0, 10**14), st.integers(0, 241))
def test_the_plans_add_up_to_the_target(target_fen: int, first: int) -> None:
    days = DAYS_2023[first:]
    plan = planned_by_month(days, target_fen)
    assert sum(plan.values()) == target_fen
    for month, of_month in sum_by_month(dict.fromkeys(days, 1)).items():
        assert abs(plan[month] * len(days) - target_fen * of_month) <= len(days)
