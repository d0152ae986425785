"""Bulletins from rows: prices, changes, rankings, comparisons."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from services.commands.attachments import Measure, MeasureImposed
from services.market_statistics.prnd_index import IndexDay, IndexInput
from services.reporting.exports.daily_bulletin import daily_bulletins, empty_bulletin, member_sheet, product_sheet
from services.reporting.exports.monthly_bulletin import first_month_needed, month_sheet, monthly_bulletin
from services.reporting.exports.reading import BulletinRows, Goods, MemberDay, Prices
from tests.unit.read_model.history import instrument_text

POSITION = {
    "seq": 9, "row_hash": bytes(32), "journal_id": bytes(16), "trading_date": 20230105, "time_ns": 1_672_900_000_000_000_000,
}  # fmt: skip


def facts(number: int) -> dict[str, Any]:
    return {**instrument_text(number).model_dump(), "instrument": number, "first_reference_ticks": 1_000}


def day(lots: int, amount_fen: int, settlement: int | None) -> dict[str, Any]:
    return {
        "quantity_lots": lots, "amount_fen": amount_fen, "trades": bool(lots), "settlement_ticks": settlement, "busted": 0,
        "prevented": 0,
    }  # fmt: skip


def market(**changes: Any) -> BulletinRows:
    given: dict[str, Any] = {
        "position": POSITION,
        "instruments": {0: facts(0), 1: facts(1)},
        "days": {
            20230103: {0: day(3, 3_000_000, 1_010), 1: day(0, 0, 1_000)},
            20230104: {0: day(2, 2_040_000, 1_020), 1: day(50, 1_665_000, 990)},
            20230105: {0: day(1, 1_030_000, None)},
        },
        "prices": {
            (20230103, 0): Prices(1_000, 1_020, 990, 1_005),
            (20230104, 0): Prices(1_015, 1_025, 1_015, 1_020),
            (20230105, 0): Prices(1_030, 1_030, 1_030, 1_030),
        },
        "members": {20230103: [MemberDay(2, 0, 3_000_000), MemberDay(3, 1_000_000, 0), MemberDay(4, 2_000_000, 0)]},
        "names": {2: "two", 3: "three", 4: "four"},
        "settled_before": {},
        "closings": {},
        "goods": {(20230103, 1): Goods(200, 0), (20230104, 0): Goods(0, 500), (20230105, 0): Goods(70, 20)},
        "stock_before": {0: 2_000, 1: 500},
        "simulated": frozenset(),
        "index": {
            20230103: IndexDay(20230103, Fraction(100), True, IndexInput(20230103, (1, 1), (1, 1), 5, 3, 3)),
            20230104: IndexDay(
                20230104, Fraction(201_999, 2_000), False, IndexInput(20230104, (1, 1), (1, 1), 1, 1, 1)
            ),
        },
    }
    return BulletinRows(**given | changes)


def test_a_day_that_has_ended_has_its_index() -> None:
    """201,999 / 2,000 is 100.9995: half up 101.00."""
    first, second, today = (day.to_json()["prnd_index"] for day in daily_bulletins(market()))
    assert (first, second, today) == (
        {"value": "100.00", "assessed": True}, {"value": "101.00", "assessed": False}, None,
    )  # fmt: skip


def test_a_day_has_its_prices_and_both_changes() -> None:
    first, second, today = daily_bulletins(market())
    (oxide, magnet) = first.products
    assert (oxide.previous_settlement, oxide.open, oxide.high, oxide.low, oxide.close, oxide.settlement) == (
        "10000.00", "10000.00", "10200.00", "9900.00", "10050.00", "10100.00",
    )  # fmt: skip
    assert (oxide.change_1, oxide.change_2) == ("50.00", "100.00")
    assert (oxide.volume_kilograms, oxide.turnover_fen) == (3_000, 3_000_000)
    assert (magnet.open, magnet.close, magnet.change_1, magnet.change_2, magnet.volume_lots) == (
        None,
        None,
        None,
        "0.0000",
        0,
    )
    assert (second.products[0].previous_settlement, second.products[0].change_1) == ("10100.00", "100.00")
    assert (second.products[1].change_2, second.products[1].volume_kilograms) == ("-0.3330", 5_000)
    assert (second.total.turnover_fen, second.total.trades) == (3_705_000, 2)
    assert (first.complete, today.complete, today.products[0].settlement, today.products[0].change_2) == (
        True, False, None, None,
    )  # fmt: skip


def test_what_came_in_and_went_out_and_what_is_in_stock_at_the_end_of_each_day() -> None:
    days = [
        [(one.received_lots, one.released_lots, one.stock_lots) for one in day.products]
        for day in daily_bulletins(market())
    ]
    assert days == [
        [(0, 0, 2_000), (200, 0, 700)], [(0, 500, 1_500), (0, 0, 700)], [(70, 20, 1_550), (0, 0, 700)],
    ]  # fmt: skip
    empty = empty_bulletin(market(days={}, goods={(20230105, 0): Goods(70, 20)}))
    assert [(one.received_lots, one.stock_lots) for one in empty.products] == [(70, 2_050), (0, 500)]


def test_members_are_ranked_when_the_day_has_ended() -> None:
    first, second, _ = daily_bulletins(market())
    assert [(one.rank, one.name, one.turnover_fen, one.share) for one in first.bought] == [
        (1, "four", 2_000_000, Fraction(2, 3)),
        (2, "three", 1_000_000, Fraction(1, 3)),
    ]
    assert [(one.name, one.share) for one in first.sold] == [("two", Fraction(1))]
    assert [(one.name, one.share) for one in first.both] == [
        ("two", Fraction(1, 2)),
        ("four", Fraction(1, 3)),
        ("three", Fraction(1, 6)),
    ]
    assert second.bought == ()
    under_way = market(members={20230105: [MemberDay(2, 5, 0)]})
    assert list(daily_bulletins(under_way))[-1].bought == ()


@given(amounts=st.lists(st.integers(0, 10**12), min_size=21, max_size=40))
def test_law_the_ranking_holds_the_twenty_largest(amounts: list[int]) -> None:
    members = [MemberDay(number, amount, 0) for number, amount in enumerate(amounts)]
    found = next(iter(daily_bulletins(market(members={20230103: members})))).bought
    assert [one.turnover_fen for one in found] == sorted(filter(None, amounts), reverse=True)[:20]
    assert all(one.account < two.account for one, two in pairwise(found) if one.turnover_fen == two.turnover_fen)


def test_a_day_without_a_trade_yet_lists_every_product() -> None:
    found = empty_bulletin(market(days={}, prices={}, settled_before={0: 1_100}))
    assert (found.date, found.complete, found.total.turnover_fen) == (20230105, False, 0)
    assert [one.previous_settlement for one in found.products] == ["11000.00", "33.3000"]
    assert [one.turnover_fen for one in found.products] == [0, 0]
    assert len(product_sheet(found).rows) == 2
    assert member_sheet(found).rows == ()


MONTHS = {
    202201: {0: day(10, 1_000, None)},
    202301: {0: day(12, 3_000, None), 1: day(100, 1_000, None)},
    202212: {0: day(4, 2_000, None)},
    202302: {0: day(6, 1_500, None)},
}


def test_a_month_is_compared_with_the_month_and_the_year_before() -> None:
    assert first_month_needed(202301) == 202201
    found = monthly_bulletin(202301, POSITION, market().instruments, MONTHS)
    oxide, magnet = found.products
    assert (oxide.turnover_fen, oxide.turnover_month_on_month, oxide.turnover_year_on_year) == (
        3_000,
        Fraction(1, 2),
        Fraction(2),
    )
    assert (oxide.volume_kilograms, oxide.volume_month_on_month, oxide.volume_year_on_year) == (
        12_000,
        Fraction(2),
        Fraction(1, 5),
    )
    assert (magnet.turnover_month_on_month, magnet.turnover_year_on_year, magnet.volume_kilograms) == (
        None,
        None,
        10_000,
    )
    assert [one.share for one in found.products] == ["0.750000", "0.250000"]
    assert (found.total.turnover_fen, found.total.share, found.complete) == (4_000, "1.000000", False)
    assert [(one.symbol, one.turnover_fen) for one in found.categories] == [
        ("magnetic_material", 1_000),
        ("deep_processed", 3_000),
    ]
    assert [one.to_json() for one in found.months] == [
        {"month": "2023-01", "turnover": "40.00", "turnover_year_before": "10.00"}
    ]
    assert len(month_sheet(found).rows) == 5


def test_the_measures_of_a_month_are_counted() -> None:
    given: tuple[tuple[Measure, int], ...] = (
        ("warning", 20230131), ("warning", 20230201), ("opening_ban", 20230228),
    )  # fmt: skip
    imposed = [
        MeasureImposed(accounts=(2,), measure=measure, trading_date=date, reason="cancels", name="Li Na")
        for measure, date in given
    ]
    found = monthly_bulletin(202302, POSITION, market().instruments, MONTHS, imposed)
    assert found.measures == {"warning": 1, "watch_list": 0, "opening_ban": 1}
    assert monthly_bulletin(202302, POSITION, market().instruments, MONTHS).measures["warning"] == 0


def test_january_to_date_adds_up_the_months() -> None:
    found = monthly_bulletin(202302, POSITION, market().instruments, MONTHS)
    assert (found.total.turnover_fen, found.total.turnover_to_date_fen) == (1_500, 5_500)
    assert found.total.turnover_to_date_year_on_year == Fraction(9, 2)
    assert (found.total.turnover_month_on_month, found.total.volume_to_date) == (Fraction(-5, 8), 28_000)
