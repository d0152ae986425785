"""Stops of a bare book (rulebook 2): who is triggered by what, and in which order."""

from __future__ import annotations

import pytest

from matching_engine.records import MAX_BOOK_PRICE_TICKS, Reason, Side
from tests.unit.matching_engine.book.book_talk import (
    BUY,
    IOC,
    LIMIT,
    MARKET,
    SELL,
    STOP,
    STOP_LIMIT,
    Talk,
    accepted,
    canceled,
    rejected,
    replaced,
    trade,
    triggered,
)


def traded_at(price: int) -> Talk:
    """A book with a last price and nothing else."""
    talk = Talk()
    talk.sell(901, 1, price)
    talk.buy(902, 1, price)
    return talk


@pytest.mark.parametrize(("side", "toward"), [(BUY, 1), (SELL, -1)])
def test_a_stop_waits_unseen_until_a_trade_reaches_its_trigger(side: Side, toward: int) -> None:
    talk = traded_at(100)
    other = Side(1 - side)
    assert talk.stop(1, side, 5, 100 + 3 * toward) == [accepted(1, side, 5, kind=STOP)]
    assert (talk.bids(), talk.asks(), talk.stops(side)) == ([], [], [(1, 100 + 3 * toward)])
    talk.order(2, other, 9, 100 + 2 * toward)
    talk.order(3, other, 9, 100 + 3 * toward)
    assert len(talk.order(4, side, 9, 100 + 2 * toward)) == 2
    assert talk.stops(side) == [(1, 100 + 3 * toward)]
    assert talk.order(5, side, 1, 100 + 3 * toward) == [
        accepted(5, side, 1, 100 + 3 * toward),
        trade(5, side, 3, 1, 100 + 3 * toward),
        triggered(1, side, 5),
        trade(1, side, 3, 5, 100 + 3 * toward),
    ]
    assert talk.stops(side) == []


def test_a_triggered_stop_cancels_what_it_cannot_trade_and_a_stop_limit_rests() -> None:
    talk = traded_at(100)
    talk.stop(1, BUY, 5, 101)
    talk.stop_limit(2, BUY, 4, 101, 103)
    talk.sell(3, 3, 101)
    assert talk.buy(4, 1, 101) == [
        accepted(4, BUY, 1, 101),
        trade(4, BUY, 3, 1, 101),
        triggered(1, BUY, 5),
        trade(1, BUY, 3, 2, 101, 3),
        canceled(1, BUY, 3, 0, Reason.NO_LIQUIDITY),
        triggered(2, BUY, 4, 103, LIMIT),
    ]
    assert talk.bids() == [(103, [(2, 4)])]
    assert talk.book.order(2).order_type == LIMIT  # type: ignore[union-attr]


def test_buys_run_first_lowest_trigger_first_then_sells_highest_first_and_the_oldest_at_one_trigger() -> None:
    talk = Talk()
    talk.stop(1, BUY, 1, 103)
    talk.stop(2, BUY, 1, 101)
    talk.stop(3, BUY, 1, 101)
    talk.stop(4, SELL, 1, 101)
    talk.stop(5, SELL, 1, 104)
    talk.stop(6, SELL, 1, 104)
    talk.stop(7, BUY, 1, 106)
    talk.stop(8, SELL, 1, 99)
    assert talk.stops(BUY) == [(2, 101), (3, 101), (1, 103), (7, 106)]
    assert talk.stops(SELL) == [(5, 104), (6, 104), (4, 101), (8, 99)]
    talk.sell(11, 1, 100)
    talk.sell(12, 1, 105)
    events = talk.buy(13, 2, 105, IOC)
    run = [event.order_id for event in events if event == triggered(event.order_id, Side(event.side), 1)]
    assert run == [2, 3, 1, 5, 6, 4]
    assert talk.stops(BUY) == [(7, 106)]
    assert talk.stops(SELL) == [(8, 99)]


def test_what_a_stop_triggers_joins_the_end_of_the_line() -> None:
    talk = Talk()
    talk.stop(1, BUY, 2, 101)
    talk.stop(2, BUY, 1, 101)
    talk.stop(3, BUY, 1, 102)
    talk.stop(4, SELL, 1, 102)
    for order_id, price in ((11, 101), (12, 102), (13, 103), (14, 104), (15, 105)):
        talk.sell(order_id, 1, price)
    talk.buy(16, 1, 90)
    assert talk.buy(9, 1, 101) == [
        accepted(9, BUY, 1, 101),
        trade(9, BUY, 11, 1, 101),
        triggered(1, BUY, 2),
        trade(1, BUY, 12, 1, 102, 1),
        trade(1, BUY, 13, 1, 103),
        triggered(2, BUY, 1),
        trade(2, BUY, 14, 1, 104),
        triggered(4, SELL, 1),
        trade(4, SELL, 16, 1, 90),
        triggered(3, BUY, 1),
        trade(3, BUY, 15, 1, 105),
    ]


@pytest.mark.parametrize(("side", "trigger"), [(BUY, 100), (BUY, 99), (SELL, 100), (SELL, 101)])
def test_a_stop_whose_trigger_is_reached_already_runs_at_once(side: Side, trigger: int) -> None:
    talk = traded_at(100)
    assert talk.stop_limit(1, side, 5, trigger, 100) == [
        accepted(1, side, 5, 100, STOP_LIMIT),
        triggered(1, side, 5, 100, LIMIT),
    ]
    assert talk.stop(2, side, 5, trigger) == [
        accepted(2, side, 5, kind=STOP),
        triggered(2, side, 5),
        canceled(2, side, 5, 0, Reason.NO_LIQUIDITY),
    ]


def test_without_a_last_price_nothing_is_reached() -> None:
    talk = Talk()
    assert talk.stop(1, BUY, 5, -MAX_BOOK_PRICE_TICKS - 1) == [accepted(1, BUY, 5, kind=STOP)]
    assert talk.stop(2, SELL, 5, MAX_BOOK_PRICE_TICKS) == [accepted(2, SELL, 5, kind=STOP)]
    talk.buy(3, 5, 100)
    assert talk.sell(4, 1, 100) == [
        accepted(4, SELL, 1, 100),
        trade(4, SELL, 3, 1, 100),
        triggered(1, BUY, 5),
        canceled(1, BUY, 5, 0, Reason.NO_LIQUIDITY),
        triggered(2, SELL, 5),
        trade(2, SELL, 3, 4, 100, 1),
        canceled(2, SELL, 1, 0, Reason.NO_LIQUIDITY),
    ]


def test_a_waiting_stop_can_be_canceled_and_amended() -> None:
    talk = traded_at(100)
    talk.stop(1, BUY, 5, 105)
    talk.stop_limit(2, BUY, 5, 105, 110)
    assert talk.amend(1, lots=3) == [replaced(1, BUY, 3, kind=STOP)]
    assert talk.stops(BUY) == [(1, 105), (2, 105)]
    assert talk.amend(1, lots=4) == [replaced(1, BUY, 4, kind=STOP)]
    assert talk.stops(BUY) == [(2, 105), (1, 105)]
    assert talk.amend(2, price=108, trigger=104) == [replaced(2, BUY, 5, 108, STOP_LIMIT)]
    assert talk.stops(BUY) == [(2, 104), (1, 105)]
    assert talk.amend(1, price=0) == [rejected(1, Reason.INVALID_PRICE)]
    assert talk.amend(1, display=1) == [rejected(1, Reason.INVALID_DISPLAY)]
    assert talk.cancel(1) == [canceled(1, BUY, 4, 0)]
    assert talk.amend(2, trigger=100) == [replaced(2, BUY, 5, 108, STOP_LIMIT), triggered(2, BUY, 5, 108, LIMIT)]
    assert (talk.stops(BUY), talk.bids()) == ([], [(108, [(2, 5)])])
    assert talk.amend(2, trigger=120) == [rejected(2, Reason.INVALID_TRIGGER)]


def test_the_id_of_a_waiting_stop_is_taken() -> None:
    talk = Talk()
    talk.stop(1, BUY, 5, 105)
    assert talk.buy(1, 2, 5) == [rejected(1, Reason.DUPLICATE_ORDER_ID, BUY, 2, 5)]
    assert len(talk.book) == 1


def test_a_cascade_of_10_000_stops_runs_to_its_end() -> None:
    talk = Talk()
    count = 10_000
    for n in range(1, count + 1):
        talk.stop(n, BUY, 1, n)
        talk.sell(count + n, 1, n)
    talk.sell(3 * count, 1, count + 1)
    events = talk.buy(4 * count, 1, 1)
    assert events[:2] == [accepted(4 * count, BUY, 1, 1), trade(4 * count, BUY, count + 1, 1, 1)]
    cascade = [
        event for n in range(1, count) for event in (triggered(n, BUY, 1), trade(n, BUY, count + n + 1, 1, n + 1))
    ]
    assert events[2:-2] == cascade
    assert events[-2:] == [triggered(count, BUY, 1), trade(count, BUY, 3 * count, 1, count + 1)]
    assert len(talk.book) == 0


def test_a_market_order_triggers_too() -> None:
    talk = Talk()
    talk.stop(1, BUY, 1, 100)
    talk.sell(2, 1, 100)
    assert talk.market(3, BUY, 1) == [
        accepted(3, BUY, 1, kind=MARKET),
        trade(3, BUY, 2, 1, 100),
        triggered(1, BUY, 1),
        canceled(1, BUY, 1, 0, Reason.NO_LIQUIDITY),
    ]
