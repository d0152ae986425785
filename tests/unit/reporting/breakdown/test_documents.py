"""The documents: what stands in them, and that nothing names a member to everybody."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from services.reporting.breakdown.contracts import NOTHING, Account, Quantity
from services.reporting.breakdown.documents import (
    class_lines,
    concentration_lines,
    hands_of_period,
    ladder_fields,
    member_lines,
    phase_lines,
    ranked_lines,
    split_lines,
)
from services.reporting.breakdown.effects import explain
from services.reporting.breakdown.ladder import Counted, Release, make_ladders
from services.reporting.breakdown.schemas import LadderLine
from services.reporting.breakdown.year_documents import effect_lines, effect_total, fee_fields
from tests.unit.reporting.breakdown.products import ACCOUNTS, INSTRUMENTS, MAGNET, OXIDE, line

OXIDE_TRADED = Quantity(2, 2_000, 94_600_000)
MAGNETS_TRADED = Quantity(1, 500, 8_000_000)
TRADED = [
    line(2, OXIDE, sold=OXIDE_TRADED, fees_fen=9_460),
    line(2, MAGNET, bought=MAGNETS_TRADED, fees_fen=2_400),
    line(3, OXIDE, bought=OXIDE_TRADED, fees_fen=28_380),
    line(4, MAGNET, sold=MAGNETS_TRADED, fees_fen=800),
]


def test_a_ladder_in_words_and_numbers() -> None:
    found = make_ladders(
        INSTRUMENTS,
        {OXIDE: Counted(OXIDE_TRADED)},
        {OXIDE: 94_600_000},
        TRADED[:1],
        [Release(20230105, OXIDE, 3, None)],
    )
    shown = LadderLine(**ladder_fields(found.whole))
    assert (shown.net.amount, shown.net.tonnes, shown.net.trades) == ("946000.00", "2.000", 2)
    assert (shown.changed_hands, shown.delivered.amount) == ("946000.00", "0.00")
    assert (shown.taken_out.amount, shown.taken_out.tonnes) == ("1419000.00", "3.000")
    assert (shown.taken_out.unsettled, shown.churn) == ("1419000.00", "0.67")


def test_a_period_of_what_changed_hands() -> None:
    found = hands_of_period([20230103, 20230104], 300, 100)
    assert (found.first_date, found.last_date, found.share) == ("2023-01-03", "2023-01-04", "0.333333")
    assert hands_of_period([20230103], 0, 0).share == "0.000000"


def test_the_splits_of_the_trades() -> None:
    products = {OXIDE: OXIDE_TRADED, MAGNET: MAGNETS_TRADED}
    oxide, magnet = split_lines("product", products.items(), INSTRUMENTS)
    assert (oxide.part, oxide.name_zh, oxide.amount, oxide.share) == ("PRND-OX", "氧化镨钕", "946000.00", "0.922027")
    assert (magnet.part, magnet.tonnes, magnet.tonnes_share) == ("NDFEB-N35", "0.500", "0.200000")
    (category,) = split_lines("category", products.items(), INSTRUMENTS)
    assert (category.part, category.name_en, category.amount, category.trades) == (
        "magnetic_material", None, "1026000.00", 3,
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
    assert (first.part, first.bought.amount, first.sold.amount) == ("0", "1026000.00", "946000.00")
    assert (second.part, second.bought.amount, second.sold.amount, second.sold.share) == (
        "1", "0.00", "80000.00", "0.077973",
    )  # fmt: skip


def test_members_are_ranked_for_all_and_named_for_operators() -> None:
    """Both members did both sides of everything with each other: equal, so the smaller number comes first."""
    ranked, named = ranked_lines(TRADED, ACCOUNTS), member_lines(TRADED, ACCOUNTS)
    assert [one.part for one in ranked] == [one.part for one in named] == ["1", "2"]
    assert not {"member", "name"} & ranked[0].model_dump().keys()
    assert [(one.member, one.name, one.share, one.fees) for one in named] == [
        (2, "alice", "0.500000", "118.60"),
        (3, "bob", "0.500000", "291.80"),
    ]


class Read(Mapping[int, Account]):
    """Counts how often all of it is read."""

    def __init__(self, accounts: dict[int, Account]) -> None:
        self.accounts, self.times = accounts, 0

    def __getitem__(self, number: int) -> Account:
        return self.accounts[number]

    def __iter__(self) -> Iterator[int]:
        self.times += 1
        return iter(self.accounts)

    def __len__(self) -> int:
        return len(self.accounts)


def test_the_names_of_more_members_take_no_more_passes() -> None:
    passes = []
    for members in (2, 50):
        accounts = Read({number: Account(number, f"member {number}", 0) for number in range(2, 2 + members)})
        found = member_lines([line(number, OXIDE, sold=OXIDE_TRADED) for number in list(accounts)], accounts)
        assert [one.name for one in found] == [f"member {number}" for number in range(2, 2 + members)]
        passes.append(accounts.times)
    assert passes[0] == passes[1]


def test_the_concentration_of_all_and_of_each_product() -> None:
    whole, oxide, magnet = concentration_lines(TRADED, ACCOUNTS, INSTRUMENTS)
    assert (whole.symbol, oxide.symbol, magnet.symbol) == (None, "PRND-OX", "NDFEB-N35")
    assert whole.both is not None
    assert whole.bought is not None
    assert (whole.both.members, whole.both.hhi, whole.bought.top_5) == (2, "0.500000", "1.000000")
    assert oxide.sold is not None
    assert (oxide.sold.members, oxide.sold.hhi) == (1, "1.000000")
    (empty,) = concentration_lines([], {}, INSTRUMENTS)
    assert (empty.symbol, empty.bought, empty.both) == (None, None, None)


def test_a_product_whose_trades_do_not_count_has_no_market() -> None:
    assert len(concentration_lines([line(2, OXIDE, fees_fen=5)], ACCOUNTS, INSTRUMENTS)) == 1


def test_the_effects() -> None:
    """Oxide: 1 t at 500,000 yuan/t, then 2 t at 473,000. Price −27,000 × 1.5 = −40,500; tonnage 1 × 486,500."""
    found = explain({OXIDE: Quantity(1, 1_000, 50_000_000)}, {OXIDE: OXIDE_TRADED, MAGNET: MAGNETS_TRADED})
    total = effect_total(found)
    assert (total.net_before, total.net, total.difference) == ("500000.00", "1026000.00", "526000.00")
    assert (total.price, total.tonnage, total.new, total.gone) == ("-40500.00", "486500.00", "80000.00", "0.00")
    oxide, magnet = effect_lines(found, INSTRUMENTS)
    assert (oxide.kind, oxide.mean_price_before, oxide.mean_price, oxide.unit) == (
        "both",
        "500000.00",
        "473000.00",
        "t",
    )
    assert (magnet.kind, magnet.mean_price_before, magnet.mean_price, magnet.tonnes) == ("new", None, "160.00", "0.500")


def test_the_fees() -> None:
    found = fee_fields(TRADED, ACCOUNTS, INSTRUMENTS)
    assert (found["fees"], found["without_vat"], found["vat"], found["vat_percent"]) == ("410.40", "387.17", "23.23", 6)
    assert [(fee.part, fee.fees, fee.share) for fee in found["products"]] == [
        ("PRND-OX", "378.40", "0.922027"),
        ("NDFEB-N35", "32.00", "0.077973"),
    ]
    assert [(fee.part, fee.fees) for fee in found["classes"]] == [("0", "402.40"), ("1", "8.00")]
    assert fee_fields([], {}, INSTRUMENTS)["fees"] == "0.00"


def test_nothing_traded() -> None:
    assert split_lines("product", [], INSTRUMENTS) == phase_lines([]) == ()
    assert class_lines([], ACCOUNTS) == ()
    assert effect_total(explain({}, {OXIDE: NOTHING})).difference == "0.00"
