from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from services.reporting.breakdown.contracts import NOTHING, Quantity, added
from services.reporting.breakdown.splits import Part, group, split, split_sides
from tests.unit.reporting.breakdown.products import ACCOUNTS, MAGNET, OXIDE, line

quantities = st.builds(Quantity, *[st.integers(1, 10**15)] * 3)


def test_an_example_by_hand() -> None:
    """Three equal thirds of the yuan: 0.333333 each leaves a millionth, which the first of equals gets."""
    found = split({"a": Quantity(1, 500, 7), "b": Quantity(1, 250, 7), "c": Quantity(2, 250, 7)})
    assert found == {
        "a": Part(Quantity(1, 500, 7), "0.333334", "0.500000", "0.250000"),
        "b": Part(Quantity(1, 250, 7), "0.333333", "0.250000", "0.250000"),
        "c": Part(Quantity(2, 250, 7), "0.333333", "0.250000", "0.500000"),
    }


def test_nothing_to_split() -> None:
    assert split({}) == {}
    assert split({"a": NOTHING}) == {"a": Part(NOTHING, "0.000000", "0.000000", "0.000000")}
    assert split_sides([], lambda one: one.account) == {}


def test_the_sides_of_the_members() -> None:
    """Bob's two accounts bought 30 and sold nothing; alice sold all of it. Of both sides together each has a half."""
    traded = [
        line(2, OXIDE, sold=Quantity(2, 3_000, 30)),
        line(3, OXIDE, bought=Quantity(1, 1_000, 10)),
        line(4, OXIDE, bought=Quantity(1, 2_000, 20)),
        line(2, MAGNET),
    ]
    found = split_sides(traded, lambda one: ACCOUNTS[one.account].member)
    assert list(found) == [2, 3]
    assert (found[3].bought.traded, found[3].bought.share) == (Quantity(2, 3_000, 30), "1.000000")
    assert (found[3].sold.share, found[3].share) == ("0.000000", "0.500000")
    by_class = split_sides(traded, lambda one: ACCOUNTS[one.account].account_class)
    assert [(number, part.share) for number, part in by_class.items()] == [(0, "0.666667"), (1, "0.333333")]


def test_equal_keys_are_added_up_in_order() -> None:
    parts = [("b", Quantity(1, 1, 1)), ("a", Quantity(1, 2, 3)), ("b", Quantity(1, 1, 1))]
    assert group(parts) == {"b": Quantity(2, 2, 2), "a": Quantity(1, 2, 3)}


@given(st.dictionaries(st.integers(0, 40), quantities, min_size=1))
def test_shares_add_up_to_one(parts: dict[int, Quantity]) -> None:
    found = split(parts)
    for shares in zip(*((part.share, part.tonnes_share, part.trades_share) for part in found.values()), strict=True):
        assert sum(map(Decimal, shares)) == 1
    assert added(part.traded for part in found.values()) == added(parts.values())


@given(st.lists(st.tuples(st.sampled_from([2, 3, 4]), st.sampled_from([2, 3, 4]), quantities), min_size=1))
def test_what_all_bought_is_what_all_sold(trades: list[tuple[int, int, Quantity]]) -> None:
    traded = [line(buyer, OXIDE, bought=what) for buyer, _, what in trades]
    traded += [line(seller, OXIDE, sold=what) for _, seller, what in trades]
    found = split_sides(traded, lambda one: one.account).values()
    assert added(part.bought.traded for part in found) == added(part.sold.traded for part in found)
    assert sum(Decimal(part.share) for part in found) == 1
