from __future__ import annotations

from decimal import Decimal

import pytest

from services.dashboard.amounts import NONE, age_seconds, change, clock, direction, grouped, percent, signed


@pytest.mark.parametrize(
    ("number", "text"),
    [
        ("23000000000.00", "23,000,000,000.00"),
        ("99999999999999999.99", "99,999,999,999,999,999.99"),  # beyond what a float holds
        ("0.10", "0.10"),
        ("-1234.50", "−1,234.50"),
        (1234567, "1,234,567"),
        (0, "0"),
        (None, NONE),
    ],
)
def test_grouped_is_exact(number: str | int | None, text: str) -> None:
    assert grouped(number) == text


def test_signed() -> None:
    assert [signed(number) for number in ("5.00", "-5.00", "0.00", None)] == ["+5.00", "−5.00", "0.00", NONE]


def test_change_is_a_percentage_from_the_reference() -> None:
    assert change("473100.00", "473000.00") == Decimal("0.02")
    assert change("444700.00", "473000.00") == Decimal("-5.98")
    assert change(None, "473000.00") is None
    assert [direction(value) for value in (Decimal("0.1"), Decimal("-0.1"), Decimal("0.00"), None)] == [
        "up",
        "down",
        "",
        "",
    ]


def test_percent() -> None:
    assert percent("0.0537") == "5.37 %"
    assert percent("0.05371234", 4) == "5.3712 %"
    assert percent(None) == NONE


def test_times_stand_in_shanghai() -> None:
    assert clock("2023-12-01T02:00:01.123456Z") == "10:00:01"
    assert clock("2023-12-01T23:59:59.000000Z") == "07:59:59"


def test_age_is_never_below_zero() -> None:
    second = 1_701_396_000_000_000_000  # 2023-12-01T02:00:00Z
    assert age_seconds("2023-12-01T01:59:58.500000Z", second) == 1
    assert age_seconds("2023-12-01T02:00:05.000000Z", second) == 0
