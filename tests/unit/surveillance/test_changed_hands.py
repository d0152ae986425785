"""What changed hands: by hand, against a plain computation, and what wash trading does to it."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from services.surveillance.changed_hands import changed_hands_by_day, changed_hands_fen
from services.surveillance.contracts import ScreenTrades
from tests.unit.surveillance.trades_by_hand import FIRST_DATE, Deal, trades_of

_members = st.permutations([1, 2, 3, 4]).map(lambda order: (order[0], order[1]))
deals = st.lists(
    st.builds(
        lambda pair, *rest: Deal(pair[0], pair[1], *rest), _members, st.integers(0, 1000), st.integers(0, 5), st.integers(0, 2)
    ),
    max_size=30,
)  # fmt: skip


def plainly(trades: ScreenTrades) -> int:
    """The sum over member and product of max(0, bought − sold), one trade at a time."""
    net: Counter[tuple[int, int]] = Counter()
    for trade in trades:
        net[int(trade["buyer"]), int(trade["instrument"])] += int(trade["amount_fen"])
        net[int(trade["seller"]), int(trade["instrument"])] -= int(trade["amount_fen"])
    return sum(fen for fen in net.values() if fen > 0)


def test_what_is_sold_on_changed_hands_once() -> None:
    """1 sells to 2, who sells to 3: goods for 100 went from 1 to 3."""
    assert changed_hands_fen(trades_of([Deal(1, 2, 100), Deal(2, 3, 100)])) == 100


def test_products_are_not_set_against_each_other() -> None:
    assert changed_hands_fen(trades_of([Deal(1, 2, 100, instrument=0), Deal(2, 1, 100, instrument=1)])) == 200


def test_a_circle_changes_no_hands() -> None:
    assert changed_hands_fen(trades_of([Deal(1, 2, 100), Deal(2, 3, 100), Deal(3, 1, 100)])) == 0


def test_each_day_is_a_period_of_its_own() -> None:
    trades = trades_of([Deal(1, 2, 100, day=0), Deal(2, 1, 70, day=2)])
    assert changed_hands_by_day(trades) == {FIRST_DATE: 100, FIRST_DATE + 2: 70}
    assert changed_hands_fen(trades) == 30


def test_nothing_changes_hands_without_trades() -> None:
    assert changed_hands_fen(trades_of([])) == 0
    assert changed_hands_by_day(trades_of([])) == {}


@given(deals)
def test_it_is_the_plain_sum_and_no_more_than_its_days(some: list[Deal]) -> None:
    trades = trades_of(some)
    assert changed_hands_fen(trades) == plainly(trades)
    assert (
        changed_hands_fen(trades) <= sum(changed_hands_by_day(trades).values()) <= sum(deal.amount_fen for deal in some)
    )


@given(deals, st.permutations([1, 2, 3, 4]), st.integers(1, 1000))
def test_a_circle_adds_nothing(some: list[Deal], ring: list[int], amount: int) -> None:
    circle = [Deal(seller, buyer, amount) for seller, buyer in zip(ring, [*ring[1:], ring[0]], strict=True)]
    assert changed_hands_fen(trades_of([*some, *circle])) == changed_hands_fen(trades_of(some))
