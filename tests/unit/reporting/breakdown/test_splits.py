"""How the trades are split, and that nothing names a member to everybody."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from services.reporting.breakdown.documents import NOTHING, Quantity
from services.reporting.breakdown.reading import YearAccount
from services.reporting.breakdown.splits import (
    SplitAmount,
    class_lines,
    member_lines,
    phase_lines,
    ranked_lines,
    split,
    split_lines,
    split_sides,
)
from tests.unit.reporting.breakdown.products import ACCOUNTS, INSTRUMENTS, MAGNET, OXIDE, line, quantity

quantities = st.builds(quantity, *[st.integers(1, 10**15)] * 3)

OXIDE_TRADED = quantity(2, 2_000, 94_600_000)
MAGNETS_TRADED = quantity(1, 500, 8_000_000)
TRADED = [
    line(2, OXIDE, sold=OXIDE_TRADED, fees_fen=9_460),
    line(2, MAGNET, bought=MAGNETS_TRADED, fees_fen=2_400),
    line(3, OXIDE, bought=OXIDE_TRADED, fees_fen=28_380),
    line(4, MAGNET, sold=MAGNETS_TRADED, fees_fen=800),
]


def amount(traded: Quantity, share: str, tonnes_share: str, trades_share: str) -> SplitAmount:
    return SplitAmount(**vars(traded), share=share, tonnes_share=tonnes_share, trades_share=trades_share)


def test_an_example_by_hand() -> None:
    """Three equal thirds of the yuan: 0.333333 each leaves a millionth, which the first of equals gets."""
    found = split({"a": quantity(1, 500, 7), "b": quantity(1, 250, 7), "c": quantity(2, 250, 7)})
    assert found == {
        "a": amount(quantity(1, 500, 7), "0.333334", "0.500000", "0.250000"),
        "b": amount(quantity(1, 250, 7), "0.333333", "0.250000", "0.250000"),
        "c": amount(quantity(2, 250, 7), "0.333333", "0.250000", "0.500000"),
    }


def test_nothing_to_split() -> None:
    assert split({}) == {}
    assert split({"a": NOTHING}) == {"a": amount(NOTHING, "0.000000", "0.000000", "0.000000")}
    assert split_sides([], lambda one: one.account) == {}
    assert split_lines("product", [], INSTRUMENTS) == phase_lines([]) == ()
    assert class_lines([], ACCOUNTS) == ()


def test_the_sides_of_the_members() -> None:
    """Bob's two accounts bought 30 and sold nothing; alice sold all of it. Of both sides together each has a half."""
    traded = [
        line(2, OXIDE, sold=quantity(2, 3_000, 30)),
        line(3, OXIDE, bought=quantity(1, 1_000, 10)),
        line(4, OXIDE, bought=quantity(1, 2_000, 20)),
        line(2, MAGNET),
    ]
    found = split_sides(traded, lambda one: ACCOUNTS[one.account].member)
    assert list(found) == [2, 3]
    assert found[3].bought == amount(quantity(2, 3_000, 30), "1.000000", "1.000000", "1.000000")
    assert (found[3].sold.share, found[3].share) == ("0.000000", "0.500000")
    by_class = split_sides(traded, lambda one: ACCOUNTS[one.account].account_class)
    assert [(number, part.share) for number, part in by_class.items()] == [(0, "0.666667"), (1, "0.333333")]


def test_equal_keys_are_added_up_in_order() -> None:
    parts = [("b", quantity(1, 1, 1)), ("a", quantity(1, 2, 3)), ("b", quantity(1, 1, 1))]
    assert Quantity.totals(parts) == {"b": quantity(2, 2, 2), "a": quantity(1, 2, 3)}


@given(st.dictionaries(st.integers(0, 40), quantities, min_size=1))
def test_shares_add_up_to_one(parts: dict[int, Quantity]) -> None:
    found = split(parts)
    for shares in zip(*((part.share, part.tonnes_share, part.trades_share) for part in found.values()), strict=True):
        assert sum(map(Decimal, shares)) == 1
    assert Quantity.total(found.values()) == Quantity.total(parts.values())


@given(st.lists(st.tuples(st.sampled_from([2, 3, 4]), st.sampled_from([2, 3, 4]), quantities), min_size=1))
def test_what_all_bought_is_what_all_sold(trades: list[tuple[int, int, Quantity]]) -> None:
    traded = [line(buyer, OXIDE, bought=what) for buyer, _, what in trades]
    traded += [line(seller, OXIDE, sold=what) for _, seller, what in trades]
    found = split_sides(traded, lambda one: one.account).values()
    assert Quantity.total(part.bought for part in found) == Quantity.total(part.sold for part in found)
    assert sum(Decimal(part.share) for part in found) == 1


def test_the_splits_of_the_trades() -> None:
    products = {OXIDE: OXIDE_TRADED, MAGNET: MAGNETS_TRADED}
    oxide, magnet = split_lines("product", products.items(), INSTRUMENTS)
    assert (oxide.part, oxide.name_zh, oxide.amount_fen, oxide.share) == ("PRND-OX", "氧化镨钕", 94_600_000, "0.922027")
    assert (magnet.part, magnet.kilograms, magnet.tonnes_share) == ("NDFEB-N35", 500, "0.200000")
    (category,) = split_lines("category", products.items(), INSTRUMENTS)
    assert (category.part, category.name_en, category.amount_fen, category.trades) == (
        "magnetic_material", None, 102_600_000, 3,
    )  # fmt: skip
    assert [family.part for family in split_lines("family", products.items(), INSTRUMENTS)] == ["oxide", "magnet"]


def test_families_of_one_name_in_two_categories_stay_apart() -> None:
    both = {0: INSTRUMENTS[OXIDE], 1: replace(INSTRUMENTS[OXIDE], symbol="X", category="deep_processed")}
    found = split_lines("family", [(0, OXIDE_TRADED), (1, OXIDE_TRADED)], both)
    assert [(family.part, family.share) for family in found] == [("oxide", "0.500000")] * 2


def test_the_split_by_phase() -> None:
    continuous, auction = phase_lines([(1, OXIDE_TRADED), (1, MAGNETS_TRADED), (3, MAGNETS_TRADED)])
    assert (continuous.part, continuous.trades, auction.part, auction.trades) == ("continuous", 3, "call_auction", 1)


def test_the_split_by_account_class() -> None:
    """Class 0 bought 1,026,000.00 and sold 946,000.00; class 1 sold magnets of 80,000.00."""
    first, second = class_lines(TRADED, ACCOUNTS)
    assert (first.part, first.bought.amount_fen, first.sold.amount_fen) == ("0", 102_600_000, 94_600_000)
    assert (second.part, second.bought.amount_fen, second.sold.amount_fen, second.sold.share) == (
        "1", 0, 8_000_000, "0.077973",
    )  # fmt: skip


def test_members_are_ranked_for_all_and_named_for_operators() -> None:
    """Both members did both sides of everything with each other: equal, so the smaller number comes first."""
    ranked, named = ranked_lines(TRADED, ACCOUNTS), member_lines(TRADED, ACCOUNTS)
    assert [one.part for one in ranked] == [one.part for one in named] == ["1", "2"]
    assert not {"member", "name"} & ranked[0].model_dump().keys()
    assert [(one.member, one.name, one.share, one.fees_fen) for one in named] == [
        (2, "alice", "0.500000", 11_860),
        (3, "bob", "0.500000", 29_180),
    ]
    assert named[0].model_dump()["sold"] == {
        "amount": "946000.00", "tonnes": "2.000", "trades": 2, "share": "0.922027", "tonnes_share": "0.800000",
        "trades_share": "0.666667",
    }  # fmt: skip


class Read(Mapping[int, YearAccount]):
    """Counts how often all of it is read."""

    def __init__(self, accounts: dict[int, YearAccount]) -> None:
        self.accounts, self.times = accounts, 0

    def __getitem__(self, number: int) -> YearAccount:
        return self.accounts[number]

    def __iter__(self) -> Iterator[int]:
        self.times += 1
        return iter(self.accounts)

    def __len__(self) -> int:
        return len(self.accounts)


def test_the_names_of_more_members_take_no_more_passes() -> None:
    passes = []
    for members in (2, 50):
        accounts = Read({number: YearAccount(number, f"member {number}", 0) for number in range(2, 2 + members)})
        found = member_lines([line(number, OXIDE, sold=OXIDE_TRADED) for number in list(accounts)], accounts)
        assert [one.name for one in found] == [f"member {number}" for number in range(2, 2 + members)]
        passes.append(accounts.times)
    assert passes[0] == passes[1]
