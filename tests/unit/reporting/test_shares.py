"""Largest remainder, by hand and by law."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from services.reporting.shares import shares_of


def test_thirds_add_up_to_one() -> None:
    assert shares_of([1, 1, 1]) == ["0.333334", "0.333333", "0.333333"]
    assert shares_of([2, 1, 3, 0]) == ["0.333333", "0.166667", "0.500000", "0.000000"]
    assert shares_of([0, 0]) == ["0.000000", "0.000000"]
    assert shares_of([]) == []


@given(st.lists(st.integers(0, 10**15), max_size=40))
def test_shares_add_up_and_are_less_than_a_part_off(amounts: list[int]) -> None:
    shares = [Decimal(share) for share in shares_of(amounts)]
    whole = sum(amounts)
    assert sum(shares) == (1 if whole else 0)
    for amount, share in zip(amounts, shares, strict=True):
        assert abs(share * whole - amount) * 10**6 < (whole or 1)
