"""Schedules at fixed instants. 2023: Friday 29 September to Sunday 8 October is a holiday; 28 September is a Thursday."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matching_engine.records import ALL_INSTRUMENTS, Command, CommandKind, Phase
from services.data.calendar import TradingCalendar
from services.data.trading_hours import DAY_ROLL_AT, TRADING_DAY
from services.sequencer.clock import ClockRefused
from services.sequencer.schedule import (
    AlwaysOpen,
    ExchangeHours,
    calendar_missing,
    date_ahead,
    trading_date_at,
)

SHANGHAI = timezone(timedelta(hours=8))
CLOSE, OPEN, AUCTION, MATCHING = (
    Command(kind=CommandKind.SET_PHASE, instrument=ALL_INSTRUMENTS, phase=phase)
    for phase in (Phase.CLOSED, Phase.CONTINUOUS, Phase.CALL_AUCTION, Phase.AUCTION_MATCHING)
)


def roll(day: int) -> Command:
    return Command(kind=CommandKind.DAY_ROLL, date=day)


def ns(text: str) -> int:
    """An instant in Shanghai."""
    return int(datetime.fromisoformat(text).replace(tzinfo=SHANGHAI).timestamp()) * 10**9


@pytest.fixture(scope="module")
def calendar() -> TradingCalendar:
    return TradingCalendar.load()


@pytest.mark.parametrize(
    ("instant", "after_ns", "expected"),
    [
        ("2023-09-26 00:00", 0, date(2023, 9, 26)),
        ("2023-09-26 17:00", -1, date(2023, 9, 26)),
        ("2023-09-26 17:00", 0, date(2023, 9, 27)),
        ("2023-09-26 23:59", 0, date(2023, 9, 27)),
        ("2023-09-28 16:59", 0, date(2023, 9, 28)),
        ("2023-09-28 17:00", 0, date(2023, 10, 9)),
        ("2023-10-01 12:00", 0, date(2023, 10, 9)),
        ("2023-10-08 18:00", 0, date(2023, 10, 9)),
        ("2023-10-09 08:00", 0, date(2023, 10, 9)),
        ("2023-12-29 17:00", 0, date(2024, 1, 2)),
    ],
)
def test_the_trading_date(calendar: TradingCalendar, instant: str, after_ns: int, expected: date) -> None:
    assert trading_date_at(calendar, ns(instant) + after_ns) == expected


@pytest.mark.parametrize(
    ("trading_date", "phase", "instant", "due"),
    [
        (0, Phase.CLOSED, "2023-09-26 03:00", [roll(20230926), OPEN]),
        (20230926, Phase.CONTINUOUS, "2023-09-26 16:59", []),
        (20230926, Phase.CLOSED, "2023-09-26 16:59", [OPEN]),
        (20230926, Phase.CONTINUOUS, "2023-09-26 17:00", [roll(20230927)]),
        (20230927, Phase.CONTINUOUS, "2023-09-26 17:00", []),
        (20230928, Phase.CONTINUOUS, "2023-09-28 17:00", [roll(20231009)]),
        (20231009, Phase.CONTINUOUS, "2023-10-05 17:00", []),
        (20230928, Phase.CLOSED, "2023-10-05 12:00", [roll(20231009), OPEN]),
        (20231009, Phase.CONTINUOUS, "2023-09-26 12:00", []),
    ],
    ids=[
        "first start", "nothing to do", "opens", "17:00", "rolled already", "before a holiday",
        "in a holiday", "one roll after an outage", "a clock set back rolls nothing back",
    ],
)  # fmt: skip
def test_always_open(
    calendar: TradingCalendar, trading_date: int, phase: int, instant: str, due: list[Command]
) -> None:
    assert AlwaysOpen(calendar).due(trading_date, phase, ns(instant)) == due


@pytest.mark.parametrize(
    ("trading_date", "phase", "instant", "due"),
    [
        (0, Phase.CLOSED, "2023-09-26 03:00", [CLOSE, roll(20230926)]),
        (0, Phase.CLOSED, "2023-09-26 10:00", [CLOSE, roll(20230926), OPEN]),
        (20230926, Phase.CLOSED, "2023-09-26 08:54", []),
        (20230926, Phase.CLOSED, "2023-09-26 08:55", [AUCTION]),
        (20230926, Phase.CALL_AUCTION, "2023-09-26 08:58", []),
        (20230926, Phase.CALL_AUCTION, "2023-09-26 08:59", [MATCHING]),
        (20230926, Phase.AUCTION_MATCHING, "2023-09-26 09:00", [OPEN]),
        (20230926, Phase.CONTINUOUS, "2023-09-26 11:29", []),
        (20230926, Phase.CONTINUOUS, "2023-09-26 11:30", [CLOSE]),
        (20230926, Phase.CLOSED, "2023-09-26 13:29", []),
        (20230926, Phase.CLOSED, "2023-09-26 13:30", [OPEN]),
        (20230926, Phase.CONTINUOUS, "2023-09-26 16:00", [AUCTION]),
        (20230926, Phase.CALL_AUCTION, "2023-09-26 16:04", [MATCHING]),
        (20230926, Phase.AUCTION_MATCHING, "2023-09-26 16:05", [CLOSE]),
        (20230926, Phase.CLOSED, "2023-09-26 16:59", []),
        (20230926, Phase.CLOSED, "2023-09-26 17:00", [CLOSE, roll(20230927)]),
        (20231009, Phase.CLOSED, "2023-10-05 10:00", []),
        (20231009, Phase.CLOSED, "2023-10-07 14:00", []),
        (20230926, Phase.CONTINUOUS, "2023-09-26 18:00", [CLOSE, roll(20230927)]),
        (20230927, Phase.CONTINUOUS, "2023-09-28 10:00", [CLOSE, roll(20230928), OPEN]),
        (20230927, Phase.CLOSED, "2023-09-28 10:00", [CLOSE, roll(20230928), OPEN]),
        (20230926, Phase.CALL_AUCTION, "2023-09-26 16:30", [CLOSE]),
        (20230926, Phase.CALL_AUCTION, "2023-09-27 08:56", [CLOSE, roll(20230927), AUCTION]),
        (20230926, Phase.CALL_AUCTION, "2023-09-26 10:00", [OPEN]),
        (20230926, Phase.CONTINUOUS, "2023-09-26 16:04", [MATCHING]),
    ],
    ids=[
        "first start at night", "first start in session", "before", "opening auction", "collects", "matches", "opens",
        "trades", "lunch", "still lunch", "opens again", "closing auction", "matches at the end", "ends", "settles", "17:00",
        "holiday", "weekend made up for elsewhere", "outage over the end", "outage over a night",
        "outage from a closed hour", "outage over a match", "outage from auction to auction", "outage over the opening",
        "outage into the matching",
    ],
)  # fmt: skip
def test_exchange_hours(
    calendar: TradingCalendar, trading_date: int, phase: int, instant: str, due: list[Command]
) -> None:
    assert ExchangeHours(calendar).due(trading_date, phase, ns(instant)) == due


@pytest.mark.parametrize("open_when", [AlwaysOpen, ExchangeHours])
@pytest.mark.parametrize(
    ("trading_date", "instant", "skipped"),
    [
        (20230926, "2023-09-27 17:00", 20230927),
        (20230104, "2023-10-05 12:00", 20230105),
        (20230928, "2023-10-09 17:00", 20231009),
        (20230926, "2024-10-30 10:00", 20230927),
        (20231229, "2024-01-02 17:00", 20240102),
    ],
    ids=["one day", "months", "after a holiday", "a clock 400 days ahead", "over the new year"],
)
def test_a_roll_that_skips_a_trading_day_needs_an_operator(
    calendar: TradingCalendar,
    open_when: type[AlwaysOpen | ExchangeHours],
    trading_date: int,
    instant: str,
    skipped: int,
) -> None:
    now_ns = ns(instant)
    for may_skip_from in (0, 20230925):
        with pytest.raises(ClockRefused, match=f"skipping {skipped}, and never go back.*--accept-clock"):
            open_when(calendar, may_skip_from=may_skip_from).due(trading_date, Phase.CLOSED, now_ns)
    vouched_for = open_when(calendar, may_skip_from=trading_date).due(trading_date, Phase.CLOSED, now_ns)
    right = trading_date_at(calendar, now_ns)
    assert roll(int(right.strftime("%Y%m%d"))) in vouched_for


@given(minutes=st.lists(st.integers(0, 40 * 24 * 60), min_size=1, max_size=30))
def test_whatever_the_clock_does_no_trading_day_is_skipped_unseen(minutes: list[int]) -> None:
    calendar, start_ns = TradingCalendar.load(), ns("2023-09-04 10:00")
    schedule, trading_date = AlwaysOpen(calendar), date(2023, 9, 4)
    for minute in minutes:
        try:
            due = schedule.due(int(trading_date.strftime("%Y%m%d")), Phase.CONTINUOUS, start_ns + minute * 60 * 10**9)
        except ClockRefused:
            assert trading_date_at(calendar, start_ns + minute * 60 * 10**9) > calendar.next_after(trading_date)
            continue
        for command in due:
            assert command == roll(int(calendar.next_after(trading_date).strftime("%Y%m%d")))
            trading_date = calendar.next_after(trading_date)


def test_a_trading_day_later_than_the_clock_s_is_worth_a_warning(calendar: TradingCalendar) -> None:
    now_ns = ns("2023-09-26 12:00")
    assert date_ahead(calendar, 20230926, now_ns) == date_ahead(calendar, 20230925, now_ns) == []
    [warning] = date_ahead(calendar, 20271231, now_ns)
    assert "The trading day is 20271231, by the clock it is 20230926" in warning


def test_a_calendar_that_is_not_published_is_worth_a_warning_from_november_on(calendar: TradingCalendar) -> None:
    assert calendar_missing(calendar, ns("2026-10-31 23:59")) == []
    [warning] = calendar_missing(calendar, ns("2026-11-01 00:00"))
    assert warning == "The trading days of 2027 are assumed: set REX_CALENDAR_FILE to its published calendar."
    assert calendar_missing(calendar, ns("2027-06-01 00:00")) == [warning]
    assert calendar_missing(calendar, ns("2025-12-31 23:59")) == []


@pytest.mark.parametrize(
    ("now", "after_ns", "then"),
    [
        ("2023-09-26 16:00", 0, "2023-09-26 17:00"),
        ("2023-09-26 17:00", -1, "2023-09-26 17:00"),
        ("2023-09-26 17:00", 0, "2023-09-27 17:00"),
        ("2023-09-26 07:59", 0, "2023-09-26 17:00"),
    ],
)
def test_always_open_looks_again_at_17(calendar: TradingCalendar, now: str, after_ns: int, then: str) -> None:
    assert AlwaysOpen(calendar).next_ns(ns(now) + after_ns) == ns(then)


def test_exchange_hours_looks_again_at_each_boundary(calendar: TradingCalendar) -> None:
    schedule = ExchangeHours(calendar)
    now = ns("2023-09-26 03:00")
    instants = []
    for _ in range(10):
        now = schedule.next_ns(now)
        instants.append(now)
    clocks = ("08:55", "08:59", "09:00", "11:30", "13:30", "16:00", "16:04", "16:05", "17:00")
    assert instants == [*(ns(f"2023-09-26 {clock}") for clock in clocks), ns("2023-09-27 08:55")]


def test_a_day_has_300_minutes_of_continuous_trading() -> None:
    ends = [start for start, _ in TRADING_DAY[1:]]
    spans = [end - start for (start, phase), end in zip(TRADING_DAY, ends, strict=False) if phase == Phase.CONTINUOUS]
    assert sum(spans) == 300 * 60 * 10**9
    assert [start for start, _ in TRADING_DAY] == sorted(start for start, _ in TRADING_DAY)
    assert TRADING_DAY[-1][0] <= DAY_ROLL_AT
