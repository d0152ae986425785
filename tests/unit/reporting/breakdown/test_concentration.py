from __future__ import annotations

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from services.reporting.breakdown.bridge import net_bought
from services.reporting.breakdown.concentration import (
    SideConcentration,
    concentrate,
    concentration_by_market,
    member_amounts,
)
from services.surveillance.changed_hands import changed_hands_by_product
from tests.unit.reporting.breakdown.products import ACCOUNTS, INSTRUMENTS, MAGNET, OXIDE, line, quantity

amounts = st.lists(st.integers(0, 10**15), max_size=30)


def test_an_example_by_hand() -> None:
    """Six members: 40, 30, 10, 10, 5 and 5 of 100. The five largest have 95; HHI 0.16 + 0.09 + 0.01 + 0.01 + 2 × 0.0025."""
    found = concentrate([5, 40, 10, 0, 30, 5, 10])
    assert found == SideConcentration(
        members=6, top_5=Fraction(95, 100), top_10=Fraction(1), hhi=Fraction(2_750, 10_000)
    )


def test_one_member_and_none() -> None:
    assert concentrate([7]) == SideConcentration(members=1, top_5=Fraction(1), top_10=Fraction(1), hhi=Fraction(1))
    assert concentrate([]) is None
    assert concentrate([0, 0]) is None


def test_accounts_of_one_owner_group_are_one_member() -> None:
    traded = [
        line(2, OXIDE, bought=quantity(1, 1_000, 60), sold=quantity(1, 1_000, 10)),
        line(3, OXIDE, sold=quantity(1, 1_000, 20)),
        line(4, OXIDE, sold=quantity(1, 1_000, 30)),
        line(4, MAGNET, bought=quantity(1, 100, 5)),
    ]
    found = member_amounts(traded, ACCOUNTS)
    assert (found.bought, found.sold, found.both) == ({2: 60, 3: 5}, {2: 10, 3: 50}, {2: 70, 3: 55})
    assert member_amounts([], ACCOUNTS) == ({}, {}, {})


def test_what_the_members_changed_hands_of() -> None:
    """Of oxide 2 bought 50 net, bob's two accounts together sold 50 net; of magnets bob bought 5."""
    traded = [
        line(2, OXIDE, bought=quantity(1, 1_000, 60), sold=quantity(1, 1_000, 10)),
        line(3, OXIDE, bought=quantity(1, 1_000, 10), sold=quantity(1, 1_000, 20)),
        line(4, OXIDE, sold=quantity(1, 1_000, 40)),
        line(4, MAGNET, bought=quantity(1, 100, 5)),
        line(2, MAGNET, sold=quantity(1, 100, 5)),
    ]
    net = net_bought(traded, ACCOUNTS)
    assert net == {(2, OXIDE): 50, (3, OXIDE): -50, (3, MAGNET): 5, (2, MAGNET): -5}
    assert changed_hands_by_product(net) == {OXIDE: 50, MAGNET: 5}


@given(st.lists(st.tuples(st.sampled_from([2, 3]), st.sampled_from([OXIDE, MAGNET]), st.integers(1, 10**12))))
def test_what_changed_hands_is_at_most_the_net_turnover(trades: list[tuple[int, int, int]]) -> None:
    """Alice (2) and bob (3) trade with each other; and backwards it is the same: somebody sold what another bought."""
    traded = [line(buyer, product, bought=quantity(1, 1, fen)) for buyer, product, fen in trades]
    traded += [line(5 - buyer, product, sold=quantity(1, 1, fen)) for buyer, product, fen in trades]
    net = net_bought(traded, ACCOUNTS)
    hands = changed_hands_by_product(net)
    assert 0 <= sum(hands.values()) <= sum(fen for _, _, fen in trades)
    assert changed_hands_by_product({cell: -fen for cell, fen in net.items()}) == hands


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


def test_the_concentration_of_all_and_of_each_product() -> None:
    traded = [
        line(2, OXIDE, sold=quantity(2, 2_000, 94_600_000)),
        line(2, MAGNET, bought=quantity(1, 500, 8_000_000)),
        line(3, OXIDE, bought=quantity(2, 2_000, 94_600_000)),
        line(4, MAGNET, sold=quantity(1, 500, 8_000_000)),
    ]
    whole, oxide, magnet = concentration_by_market(traded, ACCOUNTS, INSTRUMENTS)
    assert (whole.symbol, oxide.symbol, magnet.symbol) == (None, "PRND-OX", "NDFEB-N35")
    assert whole.both is not None
    assert whole.bought is not None
    assert (whole.both.members, whole.both.hhi, whole.bought.top_5) == (2, Fraction(1, 2), Fraction(1))
    assert whole.model_dump()["both"] == {"members": 2, "top_5": "1.000000", "top_10": "1.000000", "hhi": "0.500000"}
    assert oxide.sold is not None
    assert (oxide.sold.members, oxide.sold.hhi) == (1, Fraction(1))
    (empty,) = concentration_by_market([], {}, INSTRUMENTS)
    assert (empty.symbol, empty.bought, empty.both) == (None, None, None)


def test_a_product_whose_trades_do_not_count_has_no_market() -> None:
    assert len(concentration_by_market([line(2, OXIDE, fees_fen=5)], ACCOUNTS, INSTRUMENTS)) == 1
