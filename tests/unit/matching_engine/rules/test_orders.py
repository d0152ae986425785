"""Accepted orders: their reserves, trades and open lots, event by event."""

from __future__ import annotations

from matching_engine.records import VENUE, CommandKind, EventKind, OrderType, Phase, Reason
from tests.unit.matching_engine.engine_talk import BUY, CASH, DAY, IOC, LOTS, SELL, Talk


def test_a_buy_rests_and_reserves_value_and_the_dearer_fee(talk: Talk) -> None:
    assert talk.order(2, BUY, 10, 1000) == [
        talk.accepted(2, BUY, 10, 1000, reserve=10 * 100_050),
        talk.level(BUY, 1000, 10, 1),
    ]
    assert talk.engine.cash(2) == (CASH, 1_000_500)


def test_a_sell_rests_and_reserves_inventory(talk: Talk) -> None:
    assert talk.order(2, SELL, 10, 1001, DAY) == [talk.accepted(2, SELL, 10, 1001), talk.level(SELL, 1001, 10, 1)]
    assert talk.engine.holding(2, 0) == (LOTS, 10)
    assert talk.engine.cash(2) == (CASH, 0)


def test_a_fee_is_never_less_than_a_fen_and_reserves_one_for_each_lot(talk: Talk) -> None:
    talk.list_instrument(1, amount_fen=1, price_ticks=10, rate_ppm=0)
    talk.tell(CommandKind.RECEIVE, account=3, instrument=1, quantity_lots=5)
    assert talk.order(2, BUY, 5, 10, instrument=1)[0].reserve_fen == 5 * 11
    (_, trade, _) = talk.order(3, SELL, 5, 10, instrument=1)
    assert (trade.amount_fen, trade.fee_fen, trade.maker_fee_fen, trade.reserve_fen) == (50, 1, 1, -55)


def test_a_taking_buy_trades_at_the_makers_price_and_gets_the_rest_of_its_reserve_back(talk: Talk) -> None:
    talk.order(3, SELL, 10, 999)
    maker = talk.seq
    assert talk.order(2, BUY, 4, 1000) == [
        talk.accepted(2, BUY, 4, 1000, reserve=4 * 100_050),
        talk.event(
            EventKind.TRADE,
            order_id=talk.seq,
            account=2,
            maker_order_id=maker,
            maker_account=3,
            side=BUY,
            price_ticks=999,
            quantity_lots=4,
            leaves_lots=0,
            amount_fen=399_600,
            fee_fen=200,  # 199.8
            maker_fee_fen=120,  # 119.88
            reserve_fen=-4 * 100_050,
            number=1,
            phase=Phase.CONTINUOUS,
        ),
        talk.level(SELL, 999, 6, 1),
    ]
    assert talk.engine.cash(2) == (CASH - 399_800, 0)
    assert talk.engine.cash(3) == (CASH + 399_480, 0)
    assert talk.engine.cash(VENUE) == (320, 0)
    assert talk.engine.holding(2, 0) == (LOTS + 4, 0)
    assert talk.engine.holding(3, 0) == (LOTS - 4, 6)
    assert talk.engine.turnover_fen(0) == 399_600


def test_a_taking_sell_releases_the_makers_reserve(talk: Talk) -> None:
    talk.order(2, BUY, 10, 1001)
    maker = talk.seq
    assert talk.order(3, SELL, 4, 1000) == [
        talk.accepted(3, SELL, 4, 1000),
        talk.event(
            EventKind.TRADE,
            order_id=talk.seq,
            account=3,
            maker_order_id=maker,
            maker_account=2,
            side=SELL,
            price_ticks=1001,
            quantity_lots=4,
            amount_fen=400_400,
            fee_fen=200,  # 200.2
            maker_fee_fen=120,  # 120.12
            reserve_fen=-4 * (100_100 + 51),  # 50.05 rounded up
            number=1,
            phase=Phase.CONTINUOUS,
        ),
        talk.level(BUY, 1001, 6, 1),
    ]
    assert talk.engine.cash(2) == (CASH - 400_520, 6 * 100_151)


def test_levels_stand_in_the_order_of_the_trades_then_the_orders_own(talk: Talk) -> None:
    for lots, price in ((1, 1002), (2, 1001), (3, 1001), (4, 1004)):
        talk.order(3, SELL, lots, price)
    events = talk.order(2, BUY, 10, 1003)
    assert [(e.number, e.price_ticks, e.quantity_lots, e.leaves_lots) for e in events[1:4]] == [
        (1, 1001, 2, 8),
        (2, 1001, 3, 5),
        (3, 1002, 1, 4),
    ]
    assert [event.trade_id for event in events[1:4]] == [talk.seq << 20 | n for n in (1, 2, 3)]
    assert events[4:] == [
        talk.level(SELL, 1001, 0, 0),
        talk.level(SELL, 1002, 0, 0),
        talk.level(BUY, 1003, 4, 1),
    ]


def test_an_ioc_remainder_is_canceled(talk: Talk) -> None:
    talk.order(3, SELL, 1, 1000)
    events = talk.order(2, BUY, 5, 1000, IOC)
    assert [event.kind for event in events] == [
        EventKind.ACCEPTED,
        EventKind.TRADE,
        EventKind.CANCELED,
        EventKind.LEVEL,
    ]
    assert events[2] == talk.ended(
        EventKind.CANCELED,
        Reason.IMMEDIATE_OR_CANCEL,
        talk.seq,
        2,
        side=BUY,
        price_ticks=1000,
        quantity_lots=4,
        reserve_fen=-4 * 100_050,
    )
    assert talk.engine.cash(2)[1] == 0


def test_a_market_buy_reserves_at_the_upper_edge_of_the_band(talk: Talk) -> None:
    talk.order(3, SELL, 1, 1000)
    events = talk.market(2, BUY, 3)
    reserve = 105_000 + 53  # 52.5 rounded up
    assert events[0] == talk.accepted(2, BUY, 3, 1050, reserve=3 * reserve, market=True)
    assert (events[1].price_ticks, events[1].reserve_fen) == (1000, -reserve)
    assert events[2] == talk.ended(
        EventKind.CANCELED,
        Reason.NO_LIQUIDITY,
        talk.seq,
        2,
        side=BUY,
        price_ticks=1050,
        quantity_lots=2,
        reserve_fen=-2 * reserve,
    )
    assert events[3:] == [talk.level(SELL, 1000, 0, 0)]


def test_a_market_sell_with_nothing_to_meet_ends_at_once(talk: Talk) -> None:
    assert talk.market(2, SELL, 3) == [
        talk.accepted(2, SELL, 3, 950, market=True),
        talk.ended(EventKind.CANCELED, Reason.NO_LIQUIDITY, talk.seq, 2, side=SELL, price_ticks=950, quantity_lots=3),
    ]
    assert talk.engine.holding(2, 0) == (LOTS, 0)


def test_an_order_that_would_meet_its_owner_group_is_prevented_from_there_on(talk: Talk) -> None:
    talk.order(2, SELL, 1, 1000)
    talk.order(3, SELL, 1, 1001)
    own = talk.seq
    talk.order(2, SELL, 1, 1002)
    events = talk.order(4, BUY, 5, 1002)
    assert [event.kind for event in events] == [
        EventKind.ACCEPTED,
        EventKind.TRADE,
        EventKind.SELF_TRADE_PREVENTED,
        EventKind.LEVEL,
    ]
    assert events[2] == talk.ended(
        EventKind.SELF_TRADE_PREVENTED,
        Reason.SELF_TRADE,
        talk.seq,
        4,
        maker_order_id=own,
        side=BUY,
        price_ticks=1002,
        quantity_lots=4,
        reserve_fen=-4 * (100_200 + 51),
    )
    assert events[3] == talk.level(SELL, 1000, 0, 0)


def test_a_resting_buyer_pays_no_more_than_it_reserved_when_fees_rise(talk: Talk) -> None:
    talk.order(2, BUY, 1, 1000)
    talk.tell(CommandKind.SET_FEES, rate_ppm=10_000, taker_rate_ppm=10_000)
    trade = talk.order(3, SELL, 1, 1000)[1]
    assert (trade.fee_fen, trade.maker_fee_fen, trade.reserve_fen) == (1000, 50, -100_050)


def test_prices_at_the_edges_of_the_band_are_taken(talk: Talk) -> None:
    assert talk.order(2, BUY, 1, 950)[0].kind == EventKind.ACCEPTED
    assert talk.order(3, SELL, 1, 1050)[0].kind == EventKind.ACCEPTED


def test_an_order_may_spend_exactly_what_is_free(talk: Talk) -> None:
    talk.tell(CommandKind.OPEN_ACCOUNT)
    talk.tell(CommandKind.DEPOSIT, account=5, amount_fen=2 * 100_050)
    talk.order(5, BUY, 1, 1000)
    events = talk.order(5, BUY, 1, 1000, order_type=OrderType.LIMIT)
    assert events == [talk.accepted(5, BUY, 1, 1000, reserve=100_050), talk.level(BUY, 1000, 2, 2)]
    assert talk.order(5, BUY, 1, 950)[0].reason == Reason.INSUFFICIENT_FUNDS
