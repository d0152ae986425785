"""Exact decimals out of whole numbers."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal, localcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.reporting.amounts import date_text, decimal_text, half_up, yuan


@pytest.mark.parametrize(
    ("amount_fen", "text"),
    [(0, "0.00"), (1, "0.01"), (-1, "-0.01"), (99, "0.99"), (-100, "-1.00"), (2_300_000_000_000, "23000000000.00")],
)
def test_yuan(amount_fen: int, text: str) -> None:
    assert yuan(amount_fen) == text


@given(amount_fen=st.integers(-(10**20), 10**20))
def test_yuan_is_exact(amount_fen: int) -> None:
    assert Decimal(yuan(amount_fen)) * 100 == amount_fen


@given(numerator=st.integers(-(10**18), 10**18), denominator=st.integers(1, 10**13), places=st.integers(0, 6))
def test_decimal_text_rounds_half_up(numerator: int, denominator: int, places: int) -> None:
    with localcontext(prec=60):
        expected = (Decimal(numerator) / denominator).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
    assert Decimal(decimal_text(numerator, denominator, places)) == expected


@pytest.mark.parametrize(
    ("numerator", "denominator", "whole"), [(1, 2, 1), (-1, 2, -1), (3, 2, 2), (4, 3, 1), (0, 7, 0)]
)
def test_half_up(numerator: int, denominator: int, whole: int) -> None:
    assert half_up(numerator, denominator) == whole


def test_date_text() -> None:
    assert date_text(20231201) == "2023-12-01"
    assert date_text(0) == ""
