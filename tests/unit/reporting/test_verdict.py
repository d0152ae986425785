"""The verdict in words, each of them once, by hand."""

from __future__ import annotations

from fractions import Fraction

import pytest

from services.reporting.target import measure_progress
from services.reporting.verdict import Outcome, hundred_millions, judge

DAYS = tuple(20230101 + n for n in range(30))
BN = 10**11
TARGET_FEN = 30 * BN


def verdict(
    net: list[int], today: int, reach: Fraction | None = None, *, first_trading_date: int = DAYS[0]
) -> tuple[Outcome, str, str]:
    found = judge(
        measure_progress(
            DAYS, dict(zip(DAYS, net, strict=False)), today, TARGET_FEN, first_trading_date=first_trading_date
        ),
        reach,
    )
    return found.outcome, found.en, found.zh


def test_years_that_are_not_under_way() -> None:
    assert verdict([], 0, first_trading_date=0) == (
        Outcome.NOT_OPEN,
        "The venue had not opened in this year.",
        "该年度平台尚未开市。",
    )
    assert verdict([], 20221230, first_trading_date=20221230) == (
        Outcome.NOT_BEGUN,
        "The year has not begun.",
        "该年度尚未开始。",
    )
    missed = (
        Outcome.CLOSED_MISSED,
        "Closed: the target was missed by ¥ 16.6 bn.",
        "年度已结束：未达目标，差166.00亿元。",
    )
    assert verdict([134 * BN // 10], 20240102) == missed
    reached = (
        Outcome.CLOSED_REACHED,
        "Closed: the target was reached, with ¥ 50.0 m more.",
        "年度已结束：达成目标，超出0.50亿元。",
    )
    assert verdict([30 * BN + 5 * 10**9], 20240102) == reached


def test_a_running_year() -> None:
    net = [75 * BN // 100] * 20  # 15 bn in 20 days: the other 10 need 1.5 bn a day
    today = DAYS[20]
    assert verdict(net, today) == (Outcome.TOO_EARLY, "It is too early to say.", "为时尚早，暂无法判断。")
    assert verdict([], DAYS[0], Fraction(1, 1000))[0] is Outcome.TOO_EARLY, "of past years alone"
    assert verdict([BN, 29 * BN], today)[:2] == (Outcome.REACHED, "The target was reached on 2023-01-02.")
    assert verdict(net, today, Fraction(8, 10))[:2] == (
        Outcome.ON_TRACK,
        "On track: the target is reached with a probability of 80 %.",
    )
    assert verdict(net, today, Fraction(799, 1000))[:2] == (
        Outcome.OPEN,
        "Undecided: the target is reached with a probability of 80 %.",
    )
    assert verdict(net, today, Fraction(2, 10))[0] is Outcome.OPEN
    assert verdict(net, today, Fraction(199, 1000)) == (
        Outcome.BEHIND,
        "Behind the pace by ¥ 5.00 bn at the close of 2023-01-20: the target is reached with a probability of 20 %, "
        "and needs ¥ 1.50 bn a day, 2.0 times the mean of the last 20 days.",
        "截至2023-01-20收盘落后进度50.00亿元：达标概率 20%，每日需15.00亿元，为近20日均值的2.0倍。",
    )


@pytest.mark.parametrize(
    ("a_day_fen", "outcome"), [(BN * 6 // 10, Outcome.TOO_EARLY), (BN * 6 // 10 - 10**6, Outcome.OUT_OF_REACH)]
)
def test_more_than_three_times_the_best_twenty_days_cannot_be_reached(a_day_fen: int, outcome: Outcome) -> None:
    """After 20 days at x a day, (30 bn − 20 x) / 10 a day is required, which is 3 x at x = 0.6 bn."""
    assert verdict([a_day_fen] * 20, DAYS[20])[0] is outcome


def test_amounts_for_the_eye() -> None:
    assert [hundred_millions(amount) for amount in (0, 10**8 - 1, 10**8, 2_300 * 10**9)] == [
        "0.00亿元",
        "100.00万元",
        "0.01亿元",
        "230.00亿元",
    ]
