from __future__ import annotations

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from services.reporting.breakdown.concentration import Concentration, concentrate, member_amounts
from services.reporting.breakdown.contracts import Quantity
from tests.unit.reporting.breakdown.products import ACCOUNTS, MAGNET, OXIDE, line

amounts = st.lists(st.integers(0, 10**15), max_size=30)


def test_an_example_by_hand() -> None:
    """Six members: 40, 30, 10, 10, 5 and 5 of 100. The five largest have 95; HHI 0.16 + 0.09 + 0.01 + 0.01 + 2 × 0.0025."""
    found = concentrate([5, 40, 10, 0, 30, 5, 10])
    assert found == Concentration(6, Fraction(95, 100), Fraction(1), Fraction(2_750, 10_000))


def test_one_member_and_none() -> None:
    assert concentrate([7]) == Concentration(1, Fraction(1), Fraction(1), Fraction(1))
    assert concentrate([]) is None
    assert concentrate([0, 0]) is None


def test_accounts_of_one_owner_group_are_one_member() -> None:
    traded = [
        line(2, OXIDE, bought=Quantity(1, 1_000, 60), sold=Quantity(1, 1_000, 10)),
        line(3, OXIDE, sold=Quantity(1, 1_000, 20)),
        line(4, OXIDE, sold=Quantity(1, 1_000, 30)),
        line(4, MAGNET, bought=Quantity(1, 100, 5)),
    ]
    assert member_amounts(traded, ACCOUNTS, "bought") == {2: 60, 3: 5}
    assert member_amounts(traded, ACCOUNTS, "sold") == {2: 10, 3: 50}
    assert member_amounts(traded, ACCOUNTS, "both", OXIDE) == {2: 70, 3: 50}
    assert member_amounts(traded, ACCOUNTS, "both", 9) == {}


@given(amounts)
def test_the_index_lies_between_equals_and_one(sizes: list[int]) -> None:
    found = concentrate(sizes)
    if found is None:
        assert not any(sizes)
        return
    assert Fraction(1, found.members) <= found.hhi <= 1
    assert 0 < found.top_5 <= found.top_10 <= 1
    assert (found.top_5 == 1) == (found.members <= 5)
    assert (found.top_10 == 1) == (found.members <= 10)


@given(amounts, st.integers(1, 9))
def test_only_proportions_matter(sizes: list[int], factor: int) -> None:
    assert concentrate(sizes) == concentrate([size * factor for size in reversed(sizes)])
