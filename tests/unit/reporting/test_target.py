"""Progress against the target, in numbers small enough to check by hand, and laws for any year."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.data.calendar import TradingCalendar
from services.reporting.target import Progress, Stage, measure_progress, year_days

DAYS = tuple(20230101 + n for n in range(30))
BEFORE, AFTER = 20221230, 20240102


def judged(net: list[int], completed: int, target_fen: int = 3_000, *, first: int = 0) -> Progress:
    """The venue opened on day number `first`; so many of its days are completed, and the next is under way."""
    open_days = DAYS[first:]
    today = open_days[completed] if completed < len(open_days) else AFTER
    return measure_progress(
        DAYS, dict(zip(open_days, net, strict=False)), today, target_fen, first_trading_date=open_days[0]
    )


def test_on_the_first_day() -> None:
    progress = judged([], 0)
    assert (progress.stage, progress.total, progress.completed, progress.left) == (Stage.RUNNING, 30, 0, 30)
    assert (progress.pace_fen, progress.ahead_fen, progress.required_per_day_fen) == (0, 0, 100)
    assert progress.level is None
    assert [day.net_fen for day in progress.days] == [0] + [None] * 29


def test_today_stands_apart_from_pace_and_rates() -> None:
    progress = judged([100] * 9 + [90, 40], 10)
    assert (progress.net_fen, progress.completed_fen, progress.today_fen) == (1_030, 990, 40)
    assert (progress.pace_fen, progress.ahead_fen) == (1_000, -10)
    assert (progress.missing_fen, progress.left, progress.required_per_day_fen) == (1_970, 20, 101)
    assert progress.days[10].cumulative_fen == 1_030
    assert (progress.days[11].pace_fen, progress.days[11].cumulative_fen) == (1_200, None)


def test_a_year_exactly_on_pace_is_green_on_its_last_mornings() -> None:
    for completed in (27, 28, 29):
        progress = judged([100] * completed, completed)
        assert (progress.ahead_fen, progress.required_per_day_fen, progress.level) == (0, 100, "green")


def test_nineteen_days_are_too_few_and_twenty_are_enough() -> None:
    early = judged([100] * 19 + [50], 19)
    assert (early.recent_mean_fen, early.best_mean_fen, early.at_year_mean_fen, early.at_recent_mean_fen) == (None,) * 4
    progress = judged([50] * 4 + [110] * 19 + [130, 7], 24)
    assert progress.recent_mean_fen == 111
    assert progress.best_mean_fen == 111
    assert progress.completed_fen == 2_420
    assert progress.at_year_mean_fen == 3_025  # 2,420 in 24 days, for 30 days
    assert progress.at_recent_mean_fen == 2_420 + 6 * 111


@pytest.mark.parametrize(
    ("recent", "level"), [(100, "green"), (84, "green"), (83, "amber"), (67, "amber"), (66, "red"), (0, "red")]
)
def test_levels(recent: int, level: str) -> None:
    """With 1,000 missing over 10 days, 100 a day are required: above 1.2 times the recent mean amber, above 1.5 red."""
    progress = judged([recent] * 20, 20, target_fen=recent * 20 + 1_000)
    assert progress.required_per_day_fen == 100
    assert progress.level == level


def test_a_closed_year_requires_nothing() -> None:
    progress = judged([200] * 30, 30)
    assert (progress.stage, progress.left, progress.missing_fen) == (Stage.CLOSED, 0, 0)
    assert (progress.required_per_day_fen, progress.level, progress.today_fen) == (None, None, 0)
    assert progress.pace_fen == 3_000
    assert judged([10] * 30, 29).required_per_day_fen == 3_000 - 290, "on the last day all that is missing"


def test_a_target_is_reached_on_the_day_that_reaches_it() -> None:
    assert judged([1_000] * 3 + [5], 3).reached_on == DAYS[2]
    assert judged([1_000, 1_000, 999], 2).reached_on is None


def test_a_venue_born_in_the_course_of_the_year_is_behind_by_none_of_the_days_before() -> None:
    progress = judged([300] * 5 + [1], 5, first=20)
    assert (progress.first, progress.total, progress.completed, progress.left) == (20, 10, 5, 5)
    assert (progress.pace_fen, progress.ahead_fen, progress.required_per_day_fen) == (1_500, 0, 300)
    assert [day.pace_fen for day in progress.days[18:22]] == [0, 0, 300, 600]
    assert [day.net_fen for day in progress.days[18:22]] == [None, None, 300, 300]


@pytest.mark.parametrize(
    ("today", "first_trading_date", "stage"),
    [
        (0, 0, Stage.NOT_OPEN),
        (AFTER, AFTER, Stage.NOT_OPEN),
        (BEFORE, BEFORE, Stage.NOT_BEGUN),
        (DAYS[0], DAYS[0], Stage.RUNNING),
        (DAYS[-1], BEFORE, Stage.RUNNING),
        (AFTER, DAYS[-1], Stage.CLOSED),
    ],
)
def test_stages(today: int, first_trading_date: int, stage: Stage) -> None:
    assert measure_progress(DAYS, {}, today, 100, first_trading_date=first_trading_date).stage is stage


def test_days_of_the_year() -> None:
    calendar = TradingCalendar.load()
    assert len(year_days(calendar, 2023, {})) == 242
    saturday = 20231007
    assert len(year_days(calendar, 2023, {saturday: 5, 20231009: 7})) == 243, "a day that was traded on counts"


@given(
    net=st.lists(st.integers(0, 10**13), max_size=30),
    completed=st.integers(0, 30),
    first=st.integers(0, 29),
    target_fen=st.integers(1, 10**15),
)
def test_laws(net: list[int], completed: int, first: int, target_fen: int) -> None:
    completed = min(completed, 30 - first)
    net = net[: min(completed + 1, 30 - first)]
    progress = judged(net, completed, target_fen, first=first)
    assert progress.days[-1].pace_fen == target_fen
    assert [day.pace_fen for day in progress.days] == sorted(day.pace_fen for day in progress.days)
    assert (progress.days[first + completed - 1].pace_fen if completed else 0) == progress.pace_fen
    assert sum(day.net_fen or 0 for day in progress.days) == progress.net_fen == sum(net)
    required = progress.required_per_day_fen
    if required is not None:
        short = max(target_fen - progress.completed_fen, 0) - required * progress.left
        assert -progress.left < short <= 0, "what is required a day is enough, and not a fen more than needed"
    assert progress.first + progress.completed + progress.left == 30


def test_the_pace_of_a_real_year_ends_at_the_target() -> None:
    days = year_days(TradingCalendar.load(), 2023, {})
    progress = measure_progress(days, {}, 20240102, 2_300_000_000_000, first_trading_date=20230103)
    assert progress.days[0].pace_fen == 9_504_132_231  # 95.04 million yuan a day
    assert progress.days[-1].pace_fen == 2_300_000_000_000
    assert progress.days[0].date == 20230103
