"""Exact decimals out of whole numbers."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal, localcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.values.decimals import counted, decimal_text, fixed_text, half_up, scaled, yuan_text


@pytest.mark.parametrize(
    ("text", "decimals", "value"), [("-0.5", 1, -5), ("-0.05", 2, -5), ("1.10", 1, 11), ("1.11", 1, None)]
)
def test_scaled(text: str, decimals: int, value: int | None) -> None:
    assert scaled(text, decimals) == value


@pytest.mark.parametrize(
    ("value", "decimals", "text"), [(5, 2, "0.05"), (-5, 2, "-0.05"), (100, 2, "1.00"), (7, 0, "7")]
)
def test_fixed_text(value: int, decimals: int, text: str) -> None:
    assert fixed_text(value, decimals) == text


@pytest.mark.parametrize(
    ("amount_fen", "text"),
    [(0, "0.00"), (1, "0.01"), (-1, "-0.01"), (99, "0.99"), (-100, "-1.00"), (2_300_000_000_000, "23000000000.00")],
)
def test_yuan_text(amount_fen: int, text: str) -> None:
    assert yuan_text(amount_fen) == text


@given(amount_fen=st.integers(-(10**20), 10**20))
def test_yuan_text_is_exact(amount_fen: int) -> None:
    assert Decimal(yuan_text(amount_fen)) * 100 == amount_fen


@given(numerator=st.integers(-(10**18), 10**18), denominator=st.integers(1, 10**13), decimals=st.integers(0, 6))
def test_decimal_text_rounds_half_up(numerator: int, denominator: int, decimals: int) -> None:
    with localcontext(prec=60):
        expected = (Decimal(numerator) / denominator).quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)
    assert Decimal(decimal_text(numerator, denominator, decimals)) == expected


@pytest.mark.parametrize(
    ("numerator", "denominator", "whole"), [(1, 2, 1), (-1, 2, -1), (3, 2, 2), (4, 3, 1), (0, 7, 0)]
)
def test_half_up(numerator: int, denominator: int, whole: int) -> None:
    assert half_up(numerator, denominator) == whole


def test_a_count_of_one_has_a_noun_of_its_own() -> None:
    assert [counted(number, "day") for number in (0, 1, 2, 1_234)] == ["0 days", "1 day", "2 days", "1,234 days"]
    assert [counted(number, "entry", "entries") for number in (1, 2)] == ["1 entry", "2 entries"]
