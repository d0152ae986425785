"""How likely so many trades are by chance."""

from __future__ import annotations

from math import exp, factorial, inf, log

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.surveillance.closed_groups import log_chance_of
from services.surveillance.graph import TradeGraph
from tests.unit.surveillance.trades_by_hand import Deal, trades_of


@given(st.integers(1, 60), st.floats(0.01, 40))
def test_the_bound_is_at_least_the_poisson_tail_and_near_it(trades: int, expected: float) -> None:
    tail = sum(exp(-expected) * expected**n / factorial(n) for n in range(trades, trades + 100))
    bound = log_chance_of(trades, expected)
    assert bound >= log(tail) - 1e-6
    if trades >= 2 * expected:
        assert bound <= log(2 * tail)


def test_what_is_expected_is_no_surprise_and_the_impossible_is() -> None:
    assert log_chance_of(5, 5.0) == 0
    assert log_chance_of(1, 0.0) == -inf


def test_a_large_number_of_trades_is_no_overflow() -> None:
    assert -inf < log_chance_of(10**7, 10.0) < -(10**7)


def test_expected_trades_are_the_larger_of_venue_and_products() -> None:
    """1 and 2 have all 3 trades of product 1, 3 and 4 all 7 of product 0: 1 and 2 would meet 3 × 3 / 20 times over the whole
    venue, 3 × 3 / 6 times within their product."""
    deals = [*[Deal(1, 2, 10, instrument=1)] * 3, *[Deal(3, 4, 10)] * 7]
    choice = TradeGraph(trades_of(deals), {}).all
    assert choice.chance_trades([0, 1]) == pytest.approx(3 * 3 / 6)
    assert choice.chance_trades([0, 2]) == pytest.approx(3 * 7 / 20)
    assert choice.chance_trades([0, 1, 2]) == pytest.approx(3 * 3 / 6 + 2 * 3 * 7 / 20)
