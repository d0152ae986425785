from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from hypothesis import given
from hypothesis import strategies as st

from services.data.calendar import TradingCalendar
from services.reporting.breakdown.months import Month, month_lines, planned_by_month
from services.reporting.breakdown.reading import month_of

DAYS_2023 = tuple(int(f"{day:%Y%m%d}") for day in TradingCalendar.load().days(2023))


def months(days: Sequence[int], target_fen: int, *, today: int, **by: Mapping[int, int]) -> tuple[Month, ...]:
    nothing: dict[str, Mapping[int, int]] = {"net_by_day": {}, "kilograms": {}, "last_year": {}, "own_targets": {}}
    return month_lines(2023, days, target_fen, today=today, **nothing | by)


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
    lines = months(days, 300, today=20231228, net_by_day={20231227: 90}, kilograms={12: 1_500})
    assert lines[0].model_dump() == {
        "month": "2023-01", "days": 0, "days_begun": 0, "actual": None, "tonnes": None, "plan": "0.00",
        "plan_source": "year", "year_part": "0.00", "last_year": None,
    }  # fmt: skip
    assert lines[11].model_dump() == {
        "month": "2023-12", "days": 3, "days_begun": 2, "actual": "0.90", "tonnes": "1.500", "plan": "3.00",
        "plan_source": "year", "year_part": "3.00", "last_year": None,
    }  # fmt: skip


def test_a_half_year_beside_the_year_before() -> None:
    """At the end of June the second half has not begun; its months have a plan and last year's turnover."""
    net = {20230103: 5, 20230104: 6, 20230601: 7}
    lines = months(DAYS_2023, 242, today=20230630, net_by_day=net, last_year={1: 4, 12: 9})
    assert [line.actual_fen for line in lines] == [11, 0, 0, 0, 0, 7, *[None] * 6]
    assert [line.last_year_fen for line in lines] == [4, *[None] * 10, 9]
    assert (lines[5].days, lines[5].days_begun, lines[6].days_begun) == (20, 20, 0)


def test_a_month_with_a_target_of_its_own() -> None:
    lines = months(DAYS_2023, 242, today=0, own_targets={3: 1_000})
    assert (lines[2].plan_fen, lines[2].plan_source, lines[2].year_part_fen) == (1_000, "month", 23)
    assert (lines[3].plan_fen, lines[3].plan_source) == (19, "year")


def test_a_venue_without_a_day() -> None:
    lines = months((), 242, today=0)
    assert {(line.days, line.actual_fen, line.plan_fen, line.last_year_fen) for line in lines} == {(0, None, 0, None)}


@given(st.integers(0, 10**14), st.integers(0, 241))
def test_the_plans_add_up_to_the_target(target_fen: int, first: int) -> None:
    days = DAYS_2023[first:]
    plan = planned_by_month(days, target_fen)
    assert sum(plan.values()) == target_fen
    for month, of_month in Counter(map(month_of, days)).items():
        assert abs(plan[month] * len(days) - target_fen * of_month) <= len(days)
