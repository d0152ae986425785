from __future__ import annotations

import pytest

from services.pages.formatting import money, percent, short, stamp


@pytest.mark.parametrize(
    ("yuan", "text"),
    [
        ("23000000000.00", "¥ 23,000,000,000.00"),
        ("99999999999999999.99", "¥ 99,999,999,999,999,999.99"),  # beyond what a float holds
        ("-1234.50", "−¥ 1,234.50"),
        ("0.00", "¥ 0.00"),
        (None, "–"),
    ],
)
def test_money_is_exact(yuan: str | None, text: str) -> None:
    assert money(yuan) == text


@pytest.mark.parametrize(
    ("yuan", "english", "chinese"),
    [
        ("6400000000.00", "¥ 6.40 bn", "¥ 64.0 亿"),
        ("23000000000.00", "¥ 23.0 bn", "¥ 230 亿"),
        ("123456789012.34", "¥ 123 bn", "¥ 1,235 亿"),
        ("999999999.99", "¥ 1,000 m", "¥ 10.00 亿"),
        ("-5676000.00", "−¥ 5.68 m", "−¥ 568 万"),
        ("12345.00", "¥ 12.3 k", "¥ 1.23 万"),
        ("999.50", "¥ 1,000", "¥ 1,000"),
        ("0.00", "¥ 0", "¥ 0"),
        (None, "–", "–"),
    ],
)
def test_short_money_has_three_digits(yuan: str | None, english: str, chinese: str) -> None:
    assert (short(yuan, "en"), short(yuan, "zh")) == (english, chinese)


@pytest.mark.parametrize(
    ("share", "places", "text"),
    [("0.2783", 1, "27.8 %"), ("0.0537", 2, "5.37 %"), ("-0.105", 0, "−11 %"), ("12.5", 0, "1,250 %"), (None, 1, "–")],
)
def test_percent(share: str | None, places: int, text: str) -> None:
    assert percent(share, "en", places) == text
    assert percent(share, "zh", places) == text.replace(" ", "")


@pytest.mark.parametrize(
    ("time", "text"),
    [
        ("2026-11-27T06:03:07.123456Z", "2026-11-27 14:03:07 UTC+8"),
        ("2025-12-31T16:00:00.000000Z", "2026-01-01 00:00:00 UTC+8"),
        (None, "–"),
    ],
)
def test_times_are_those_of_shanghai(time: str | None, text: str) -> None:
    assert stamp(time) == text
