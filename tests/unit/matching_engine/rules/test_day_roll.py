"""The day roll: settlement, the new band, orders that end, the year's turnover."""

from __future__ import annotations

import pytest

from matching_engine.records import CommandKind, EventKind, OrderType, Reason, SettlementSource, Side
from tests.unit.matching_engine.engine_talk import BUY, DAY, GTC, SELL, Talk


def test_a_roll_settles_and_ends_orders_in_the_order_of_the_book(talk: Talk) -> None:
    talk.list_instrument(1)
    first = talk.seq + 1
    talk.order(2, BUY, 1, 960, GTC)  # outside the new band
    talk.order(2, BUY, 2, 999, DAY)
    talk.order(2, BUY, 3, 999, GTC)
    talk.order(3, SELL, 4, 1040, DAY)
    talk.order(3, SELL, 5, 1040, DAY, instrument=0)
    talk.order(3, SELL, 6, 1050, GTC)
    trade_at(talk, 1039, 7)
    events = talk.day_roll(20230103)
    kinds = {"price_ticks": 999, "side": BUY, "quantity_lots": 2}
    assert events == [
        talk.event(EventKind.DAY_ROLLED, date=20230103),
        talk.event(
            EventKind.SETTLED,
            instrument=0,
            price_ticks=1039,
            quantity_lots=7,
            amount_fen=727_300,
            number=SettlementSource.DAY_VWAP,
        ),
        talk.event(EventKind.SETTLED, instrument=1, price_ticks=1000, number=SettlementSource.PREVIOUS),
        talk.ended(EventKind.EXPIRED, Reason.END_OF_DAY, first + 1, 2, reserve_fen=-2 * 99_950, **kinds),
        talk.ended(
            EventKind.CANCELED,
            Reason.OUTSIDE_BAND,
            first,
            2,
            side=BUY,
            price_ticks=960,
            quantity_lots=1,
            reserve_fen=-96_048,
        ),
        talk.ended(EventKind.EXPIRED, Reason.END_OF_DAY, first + 3, 3, side=SELL, price_ticks=1040, quantity_lots=4),
        talk.ended(EventKind.EXPIRED, Reason.END_OF_DAY, first + 4, 3, side=SELL, price_ticks=1040, quantity_lots=5),
        talk.level(BUY, 999, 3, 1),
        talk.level(BUY, 960, 0, 0),
        talk.level(SELL, 1040, 0, 0),
    ]
    assert talk.engine.cash(2)[1] == 3 * 99_950
    assert talk.engine.holding(3, 0)[1] == 6
    assert talk.engine.trading_date == 20230103


def test_the_settlement_price_is_the_volume_weighted_average_half_up(talk: Talk) -> None:
    trade_at(talk, 1000, 3)
    trade_at(talk, 1001, 3)
    assert talk.day_roll(20230103)[1].price_ticks == 1001
    trade_at(talk, 1000, 6)
    trade_at(talk, 1001, 2)
    assert talk.day_roll(20230104)[1].price_ticks == 1000
    settled = talk.day_roll(20230105)[1]
    assert settled == talk.event(EventKind.SETTLED, price_ticks=1000, number=SettlementSource.PREVIOUS)


def test_the_new_band_is_round_the_settlement_price_and_edges_round_inwards(talk: Talk) -> None:
    trade_at(talk, 1050, 5)
    talk.day_roll(20230103)
    # 1050 × 0.95 = 997.5 and 1050 × 1.05 = 1102.5
    assert talk.order(2, BUY, 1, 997)[0].reason == Reason.PRICE_BELOW_BAND
    assert talk.order(2, BUY, 1, 998)[0].kind == EventKind.ACCEPTED
    assert talk.order(2, BUY, 1, 1103)[0].reason == Reason.PRICE_ABOVE_BAND
    assert talk.order(2, BUY, 1, 1102)[0].kind == EventKind.ACCEPTED


@pytest.mark.parametrize(
    ("settled", "side", "stays", "ends"), [(1040, BUY, 988, 987), (960, SELL, 1008, 1009)], ids=["low", "high"]
)
def test_an_order_at_the_edge_of_the_new_band_stays_open(
    talk: Talk, settled: int, side: Side, stays: int, ends: int
) -> None:
    """The band's edges are 0.95 × 1040 = 988 and 1.05 × 960 = 1008. A trigger is outside as a price is."""
    trade_at(talk, settled, 5)
    orders = []
    for price in (stays, ends):
        talk.order(2, side, 1, price)
        talk.order(2, Side(1 - side), 1, 0, order_type=OrderType.STOP, trigger_ticks=price)
        orders.append({talk.seq - 1, talk.seq})
    ended = [event for event in talk.day_roll(20230103) if event.kind == EventKind.CANCELED]
    assert {(event.order_id, event.reason) for event in ended} == {(order, Reason.OUTSIDE_BAND) for order in orders[1]}
    assert all(talk.cancel(2, order)[0].kind == EventKind.CANCELED for order in orders[0])


def test_no_band_leaves_the_range_of_prices(talk: Talk) -> None:
    talk.list_instrument(1, price_ticks=2**31 - 1, rate_ppm=999_999, amount_fen=1)
    assert talk.order(2, BUY, 1, 2**31 - 1, instrument=1)[0].reason == Reason.INSUFFICIENT_FUNDS
    talk.list_instrument(2, price_ticks=1, rate_ppm=999_999, amount_fen=1)
    assert talk.order(2, BUY, 1, 1, instrument=2)[0].kind == EventKind.ACCEPTED
    assert talk.order(2, BUY, 1, 2, instrument=2)[0].reason == Reason.PRICE_ABOVE_BAND


@pytest.mark.parametrize("date", [0, 20230102, 20230103, 20230100, 20230132, 20231301, 20230004, 100000101, 2**32 - 1])
def test_a_day_must_be_a_later_date(talk: Talk, date: int) -> None:
    talk.day_roll(20230103)
    assert talk.day_roll(date) == [talk.rejected(Reason.INVALID_DATE)]
    assert talk.engine.trading_date == 20230103


def test_turnover_is_counted_once_and_in_the_year_of_its_trading_day(talk: Talk) -> None:
    trade_at(talk, 1000, 1)
    talk.day_roll(20231229)
    trade_at(talk, 1000, 2)
    talk.day_roll(20240102)
    trade_at(talk, 1000, 3)
    talk.day_roll(20240103)
    trade_at(talk, 1000, 4)
    assert [talk.engine.turnover_fen(year) for year in (0, 2023, 2024, 2025)] == [100_000, 200_000, 700_000, 0]


def trade_at(talk: Talk, price: int, lots: int) -> None:
    """A trade between accounts 2 and 4 that leaves no order behind."""
    talk.order(4, SELL, lots, price)
    assert [event.kind for event in talk.order(2, BUY, lots, price)][1] == EventKind.TRADE
    talk.tell(CommandKind.RECORD)
