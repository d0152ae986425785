"""Progress against the target, in numbers small enough to check by hand, and laws for any year."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.data.calendar import TradingCalendar
from services.reporting.target import Judgement, judge, year_days

DAYS = tuple(20230101 + n for n in range(30))


def judged(net: list[int], elapsed: int, target_fen: int = 3_000) -> Judgement:
    return judge(DAYS, dict(zip(DAYS, net, strict=False)), DAYS[elapsed - 1] if elapsed else 0, target_fen)


def test_before_the_first_day() -> None:
    verdict = judged([], 0)
    assert (verdict.total, verdict.elapsed, verdict.left) == (30, 0, 30)
    assert (verdict.pace_fen, verdict.ahead_fen, verdict.required_per_day_fen) == (0, 0, 100)
    assert verdict.level is None
    assert all(day.net_fen is None and day.cumulative_fen is None for day in verdict.days)


def test_in_the_middle() -> None:
    verdict = judged([100] * 9 + [40], 10)
    assert (verdict.pace_fen, verdict.net_fen, verdict.ahead_fen) == (1_000, 940, -60)
    assert (verdict.missing_fen, verdict.left, verdict.required_per_day_fen) == (2_060, 20, 103)
    assert verdict.days[9].cumulative_fen == 940
    assert (verdict.days[10].pace_fen, verdict.days[10].cumulative_fen) == (1_100, None)


def test_nineteen_days_are_too_early_and_twenty_are_not() -> None:
    early = judged([100] * 19, 19)
    assert (early.recent_mean_fen, early.forecast_year_mean_fen, early.forecast_recent_mean_fen) == (None, None, None)
    verdict = judged([50] * 4 + [110] * 20, 24)
    assert verdict.recent_mean_fen == 110
    assert verdict.forecast_year_mean_fen == 3_000  # 2,400 in 24 days, for 30 days
    assert verdict.forecast_recent_mean_fen == 2_400 + 6 * 110


@pytest.mark.parametrize(
    ("recent", "level"), [(100, "green"), (84, "green"), (83, "amber"), (67, "amber"), (66, "red"), (0, "red")]
)
def test_levels(recent: int, level: str) -> None:
    """With 1,000 missing over 10 days, 100 a day are required: above 1.2 times the recent mean amber, above 1.5 red."""
    verdict = judged([recent] * 20, 20, target_fen=recent * 20 + 1_000)
    assert verdict.required_per_day_fen == 100
    assert verdict.level == level


def test_a_year_over_and_a_target_reached() -> None:
    verdict = judged([200] * 30, 30)
    assert (verdict.left, verdict.missing_fen, verdict.required_per_day_fen, verdict.level) == (0, 0, 0, "green")
    assert judged([10] * 30, 30).required_per_day_fen == 2_700, "on the last day all that is missing"


def test_a_year_before_or_after_the_one_under_way() -> None:
    assert judge(DAYS, {}, 20221230, 100).elapsed == 0
    assert judge(DAYS, {}, 20240102, 100).elapsed == 30


def test_days_of_the_year() -> None:
    calendar = TradingCalendar.load()
    assert len(year_days(calendar, 2023, {})) == 242
    saturday = 20231007
    assert len(year_days(calendar, 2023, {saturday: 5, 20231009: 7})) == 243, "a day that was traded on counts"
    assert len(year_days(calendar, 2027, {})) == 261


@given(net=st.lists(st.integers(0, 10**13), max_size=30), elapsed=st.integers(0, 30), target_fen=st.integers(1, 10**15))
def test_laws(net: list[int], elapsed: int, target_fen: int) -> None:
    net = net[:elapsed]
    verdict = judged(net, elapsed, target_fen)
    assert verdict.days[-1].pace_fen == target_fen
    assert [day.pace_fen for day in verdict.days] == sorted(day.pace_fen for day in verdict.days)
    assert (verdict.days[elapsed - 1].pace_fen if elapsed else 0) == verdict.pace_fen
    assert sum(day.net_fen or 0 for day in verdict.days) == verdict.net_fen == sum(net)
    if elapsed:
        assert verdict.days[elapsed - 1].cumulative_fen == verdict.net_fen
    short = verdict.missing_fen - verdict.required_per_day_fen * max(verdict.left, 1)
    assert -max(verdict.left, 1) < short <= 0, "what is required a day is enough, and not a fen more than needed"
    assert verdict.elapsed + verdict.left == verdict.total


def test_the_pace_of_a_real_year_ends_at_the_target() -> None:
    calendar = TradingCalendar.load()
    days = year_days(calendar, 2023, {})
    verdict = judge(days, {}, 20231231, 2_300_000_000_000)
    assert verdict.days[0].pace_fen == 9_504_132_231  # 95.04 million yuan a day
    assert verdict.days[-1].pace_fen == 2_300_000_000_000
    assert verdict.days[0].date == 20230103
