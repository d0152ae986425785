"""What a trading day added, in words: each clause once, by hand, in both languages."""

from __future__ import annotations

import pytest

from services.reporting.last_day_said import Close, said, said_zh
from services.reporting.target import measure_progress

DAYS = tuple(20230101 + number for number in range(20))
M = 10**8
BN = 1_000 * M


def close(net: list[int], reach: int | None = None, target_fen: int = 20 * BN) -> Close:
    """The year when so many days had ended; each owes a billion yuan."""
    by_day = dict(zip(DAYS, net, strict=False))
    progress = measure_progress(DAYS, by_day, DAYS[len(net)], target_fen, first_trading_date=DAYS[0])
    return Close(7, by_day, progress, reach)


@pytest.mark.parametrize(
    ("before", "after", "english", "chinese"),
    [
        (
            close([1_100 * M], 370),
            close([1_100 * M, 1_050 * M], 392),
            "the lead over the pace grew by ¥ 50.0 m to ¥ 150 m; the chance to reach the target rose from 37 % to 39 %.",
            "领先进度扩大0.50亿元至1.50亿元；达标概率由37%升至39%。",
        ),
        (
            close([1_100 * M], 392),
            close([1_100 * M, 950 * M], 370),
            "the lead over the pace shrank by ¥ 50.0 m to ¥ 50.0 m; the chance to reach the target fell from 39 % to 37 %.",
            "领先进度缩小0.50亿元至0.50亿元；达标概率由39%降至37%。",
        ),
        (
            close([900 * M], 371),
            close([900 * M, 950 * M], 369),
            "the lag behind the pace grew by ¥ 50.0 m to ¥ 150 m; the chance to reach the target stayed at 37 %.",
            "落后进度扩大0.50亿元至1.50亿元；达标概率仍为37%。",
        ),
        (
            close([900 * M]),
            close([900 * M, 1_050 * M], 369),
            "the lag behind the pace shrank by ¥ 50.0 m to ¥ 50.0 m; the chance to reach the target was 37 %.",
            "落后进度缩小0.50亿元至0.50亿元；达标概率为37%。",
        ),
        (
            close([900 * M]),
            close([900 * M, 1_000 * M]),
            "the lag behind the pace stayed at ¥ 100 m.",
            "落后进度仍为1.00亿元。",
        ),
        (
            close([900 * M], 200),
            close([900 * M, 1_200 * M]),
            "it went from ¥ 100 m behind the pace to ¥ 100 m ahead of the pace.",
            "由落后进度1.00亿元转为领先进度1.00亿元。",
        ),
        (close([]), close([900 * M]), "it was ¥ 100 m behind the pace.", "落后进度1.00亿元。"),
    ],
)
def test_how_pace_and_chance_moved(before: Close, after: Close, english: str, chinese: str) -> None:
    day = DAYS[after.progress.completed - 1]
    net_fen = after.net_fen_of(day)
    assert said(day, net_fen, 0, before, after).endswith(f"; {english}")
    assert said_zh(day, net_fen, 0, before, after).endswith(f"；{chinese}")


def test_the_day_and_what_else_moved_the_year() -> None:
    before, after = close([900 * M]), close([900 * M, 1_000 * M], target_fen=40 * BN)
    english = "On 2023-01-02 ¥ 1.00 bn net was added, and the year stood at ¥ 1.90 bn at the close; "
    target, gap = (
        "the target went from ¥ 20.0 bn to ¥ 40.0 bn; ",
        "the lag behind the pace grew by ¥ 2.00 bn to ¥ 2.10 bn.",
    )
    told = "decisions about earlier days took ¥ 30.0 m away; "
    assert said(DAYS[1], BN, -30 * M, before, after) == english + told + target + gap
    told = "decisions about earlier days gave ¥ 30.0 m back; "
    assert said(DAYS[1], BN, 30 * M, before, after) == english + told + target + gap
    assert said(DAYS[1], BN, 0, before, after) == english + target + gap
    chinese = "2023-01-02新增净成交额10.00亿元，收盘时年度累计19.00亿元；"
    target, gap = "目标由200.00亿元改为400.00亿元；", "落后进度扩大20.00亿元至21.00亿元。"
    assert said_zh(DAYS[1], BN, -30 * M, before, after) == f"{chinese}当日决定就此前交易日剔除0.30亿元；{target}{gap}"
    assert said_zh(DAYS[1], BN, 30 * M, before, after) == f"{chinese}当日决定就此前交易日恢复0.30亿元；{target}{gap}"
