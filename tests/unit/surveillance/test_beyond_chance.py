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
    """With outsiders 1 took 3 times and 2 made 2 times in product 1, where outsiders met 3 times; in the whole venue they met
    10 times. 3 × 2 / (3 + 1) = 1.5 within the product is more than (4 × 3 + 1 × 1) / (10 + 1) over the venue. Their nine trades
    with each other do not count."""
    deals = [
        *[Deal(1, 101, 10, instrument=1, aggressor=1)] * 3,
        *[Deal(102, 2, 10, instrument=1, aggressor=102)] * 2,
        *[Deal(1, 2, 10, instrument=1, aggressor=2)] * 9,
        *[Deal(101, 102, 10, instrument=1, aggressor=102)] * 3,
        *[Deal(101, 102, 10, aggressor=101)] * 7,
    ]
    choice = TradeGraph(trades_of(deals), {}).all
    assert choice.chance_trades([0, 1]) == pytest.approx(3 * 2 / 4)


def test_where_outsiders_meet_only_the_group_chance_is_at_most_twice_what_it_trades_with_them() -> None:
    """1 and 2 took 3 and 1 times and made 6 and 4 times, all with outsiders, who never met: (3 × 4 + 6 × 1) / 5, and not
    the 18 / (0 + 1) that their 14 trades could not give."""
    deals = [
        *[Deal(1, 101, 10, aggressor=1)] * 3,
        Deal(2, 101, 10, aggressor=2),
        *[Deal(1, 101, 10, aggressor=101)] * 6,
        *[Deal(2, 101, 10, aggressor=101)] * 4,
        *[Deal(1, 2, 10, aggressor=2)] * 50,
    ]
    # Over the venue: (4 × 5 + 7 × 2) / 6.
    chance = TradeGraph(trades_of(deals), {}).all.chance_trades([0, 1])
    assert chance == pytest.approx(max(18 / 5, 34 / 6))
    quiet = [Deal(101, 102, 10, instrument=1, aggressor=101)] * 99
    assert TradeGraph(trades_of([*deals, *quiet]), {}).all.chance_trades([0, 1]) == pytest.approx(18 / 5)


_deals = st.builds(
    lambda pair, taker, instrument: Deal(pair[0], pair[1], 10, 0, instrument, aggressor=(0, *pair)[taker]),
    st.permutations([1, 2, 3, 101, 102]), st.integers(0, 2), st.integers(0, 2),
)  # fmt: skip


@given(st.lists(_deals, min_size=1, max_size=60), st.integers(0, 200))
def test_chance_has_a_bound_in_what_the_group_trades_with_outsiders(deals: list[Deal], more: int) -> None:
    """The group would meet at most twice as often as it takes from outsiders, or makes for them, and as each member does once
    more, whatever outsiders do, and however often it meets itself."""
    ring = [Deal(1, 2, 10, aggressor=1), Deal(2, 3, 10, aggressor=3), Deal(3, 1, 10)]
    choice = TradeGraph(trades_of([*deals, *ring]), {}).all
    group = sum(max(one.seller, one.buyer) > 100 > min(one.seller, one.buyer) for one in deals)
    chance = choice.chance_trades([0, 1, 2])
    assert 0 <= chance <= group + 6
    assert chance == TradeGraph(trades_of([*deals, *ring, *ring[:1] * more]), {}).all.chance_trades([0, 1, 2])


def test_a_trade_of_an_auction_is_taken_and_made_by_halves() -> None:
    deals = [Deal(1, 101, 10), Deal(101, 2, 10, aggressor=2), *[Deal(101, 102, 10)] * 4]
    choice = TradeGraph(trades_of(deals), {}).all
    assert [side.ravel().tolist() for side in choice.trades_by_role] == [[1, 2, 5, 4], [1, 0, 7, 4]]
    assert choice.chance_trades([0, 1]) == pytest.approx((1.5 * 1 + 1.5 * 2) / 5)
