"""Progress against the target, in numbers small enough to check by hand, and laws for any year."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.data.calendar import TradingCalendar
from services.reporting.target import Progress, measure_progress, year_days

DAYS = tuple(20230101 + n for n in range(30))


def judged(net: list[int], elapsed: int, target_fen: int = 3_000) -> Progress:
    return measure_progress(DAYS, dict(zip(DAYS, net, strict=False)), DAYS[elapsed - 1] if elapsed else 0, target_fen)


def test_before_the_first_day() -> None:
    progress = judged([], 0)
    assert (progress.total, progress.elapsed, progress.left) == (30, 0, 30)
    assert (progress.pace_fen, progress.ahead_fen, progress.required_per_day_fen) == (0, 0, 100)
    assert progress.level is None
    assert all(day.net_fen is None and day.cumulative_fen is None for day in progress.days)


def test_in_the_middle() -> None:
    progress = judged([100] * 9 + [40], 10)
    assert (progress.pace_fen, progress.net_fen, progress.ahead_fen) == (1_000, 940, -60)
    assert (progress.missing_fen, progress.left, progress.required_per_day_fen) == (2_060, 20, 103)
    assert progress.days[9].cumulative_fen == 940
    assert (progress.days[10].pace_fen, progress.days[10].cumulative_fen) == (1_100, None)


def test_nineteen_days_are_too_early_and_twenty_are_not() -> None:
    early = judged([100] * 19, 19)
    assert (early.recent_mean_fen, early.forecast_year_mean_fen, early.forecast_recent_mean_fen) == (None, None, None)
    progress = judged([50] * 4 + [110] * 20, 24)
    assert progress.recent_mean_fen == 110
    assert progress.forecast_year_mean_fen == 3_000  # 2,400 in 24 days, for 30 days
    assert progress.forecast_recent_mean_fen == 2_400 + 6 * 110


@pytest.mark.parametrize(
    ("recent", "level"), [(100, "green"), (84, "green"), (83, "amber"), (67, "amber"), (66, "red"), (0, "red")]
)
def test_levels(recent: int, level: str) -> None:
    """With 1,000 missing over 10 days, 100 a day are required: above 1.2 times the recent mean amber, above 1.5 red."""
    progress = judged([recent] * 20, 20, target_fen=recent * 20 + 1_000)
    assert progress.required_per_day_fen == 100
    assert progress.level == level


def test_a_year_over_and_a_target_reached() -> None:
    progress = judged([200] * 30, 30)
    assert (progress.left, progress.missing_fen, progress.required_per_day_fen, progress.level) == (0, 0, 0, "green")
    assert judged([10] * 30, 30).required_per_day_fen == 2_700, "on the last day all that is missing"


def test_a_year_before_or_after_the_one_under_way() -> None:
    assert measure_progress(DAYS, {}, 20221230, 100).elapsed == 0
    assert measure_progress(DAYS, {}, 20240102, 100).elapsed == 30


def test_days_of_the_year() -> None:
    calendar = TradingCalendar.load()
    assert len(year_days(calendar, 2023, {})) == 242
    saturday = 20231007
    assert len(year_days(calendar, 2023, {saturday: 5, 20231009: 7})) == 243, "a day that was traded on counts"
    assert len(year_days(calendar, 2027, {})) == 261


@given(net=st.lists(st.integers(0, 10**13), max_size=30), elapsed=st.integers(0, 30), target_fen=st.integers(1, 10**15))
def test_laws(net: list[int], elapsed: int, target_fen: int) -> None:
    net = net[:elapsed]
    progress = judged(net, elapsed, target_fen)
    assert progress.days[-1].pace_fen == target_fen
    assert [day.pace_fen for day in progress.days] == sorted(day.pace_fen for day in progress.days)
    assert (progress.days[elapsed - 1].pace_fen if elapsed else 0) == progress.pace_fen
    assert sum(day.net_fen or 0 for day in progress.days) == progress.net_fen == sum(net)
    if elapsed:
        assert progress.days[elapsed - 1].cumulative_fen == progress.net_fen
    short = progress.missing_fen - progress.required_per_day_fen * max(progress.left, 1)
    assert -max(progress.left, 1) < short <= 0, "what is required a day is enough, and not a fen more than needed"
    assert progress.elapsed + progress.left == progress.total


def test_the_pace_of_a_real_year_ends_at_the_target() -> None:
    calendar = TradingCalendar.load()
    days = year_days(calendar, 2023, {})
    progress = measure_progress(days, {}, 20231231, 2_300_000_000_000)
    assert progress.days[0].pace_fen == 9_504_132_231  # 95.04 million yuan a day
    assert progress.days[-1].pace_fen == 2_300_000_000_000
    assert progress.days[0].date == 20230103
