"""FOK, post-only and iceberg orders of a bare book (rulebook 1.7 to 1.9)."""

from __future__ import annotations

import pytest

from matching_engine import OrderBook
from matching_engine.records import BookEvent, CommandKind, EventKind, Flag, Reason, SelfTrade
from tests.unit.matching_engine.book.book_talk import (
    BUY,
    FOK,
    IOC,
    MARKET,
    SELL,
    Talk,
    accepted,
    canceled,
    prevented,
    rejected,
    replaced,
    trade,
)
from tests.unit.matching_engine.book.mirrored_book import Mirror


@pytest.fixture(params=[SELL, BUY], ids=["makers sell", "makers buy"])
def mirror(request: pytest.FixtureRequest) -> Mirror:
    return Mirror(request.param)


@pytest.mark.parametrize(
    ("lots", "n", "whole"), [(10, 1, True), (11, 1, False), (5, 0, True), (6, 0, False), (16, 9, False)]
)
def test_fill_or_kill_takes_all_within_its_price_or_nothing(mirror: Mirror, lots: int, n: int, whole: bool) -> None:
    mirror.rest(1, 5, 0)
    mirror.rest(2, 5, 1)
    mirror.rest(3, 5, 2)
    price, takers = mirror.price(n), mirror.takers
    events = mirror.talk.order(9, takers, lots, price, FOK)
    if whole:
        left = lots - 5
        fills = [trade(9, takers, 1, 5, mirror.price(0), left)]
        fills += [trade(9, takers, 2, left, mirror.price(1))] if left else []
        assert events == [accepted(9, takers, lots, price), *fills]
    else:
        assert events == [accepted(9, takers, lots, price), canceled(9, takers, lots, price, Reason.FILL_OR_KILL)]
        mirror.book([(0, [(1, 5)]), (1, [(2, 5)]), (2, [(3, 5)])])


def test_fill_or_kill_counts_what_icebergs_hide(mirror: Mirror) -> None:
    mirror.rest(1, 9, 0, display=2)
    mirror.rest(2, 1, 0)
    price, takers = mirror.price(0), mirror.takers
    killed = [accepted(8, takers, 11, price), canceled(8, takers, 11, price, Reason.FILL_OR_KILL)]
    assert mirror.talk.order(8, takers, 11, price, FOK) == killed
    sold = [(1, 2), (2, 1), (1, 2), (1, 2), (1, 2), (1, 1)]
    lefts = [8, 7, 5, 3, 1, 0]
    fills = [trade(9, takers, maker, lots, price, left) for (maker, lots), left in zip(sold, lefts, strict=True)]
    assert mirror.talk.order(9, takers, 10, price, FOK) == [accepted(9, takers, 10, price), *fills]
    mirror.book([])


def test_a_market_order_may_be_fill_or_kill() -> None:
    talk = Talk()
    talk.sell(1, 5, 100)
    events = [accepted(2, BUY, 6, kind=MARKET), canceled(2, BUY, 6, 0, Reason.FILL_OR_KILL)]
    assert talk.market(2, BUY, 6, tif=FOK) == events
    assert talk.market(3, BUY, 5, tif=FOK) == [accepted(3, BUY, 5, kind=MARKET), trade(3, BUY, 1, 5, 100)]


@pytest.mark.parametrize("mode", [SelfTrade.CANCEL_NEWEST, SelfTrade.CANCEL_BOTH, SelfTrade.DECREMENT])
def test_fill_or_kill_does_not_get_beyond_its_own_group(mode: SelfTrade) -> None:
    talk = Talk()
    talk.order(1, SELL, 6, 100, display=2)  # hides 4, which it would meet behind its own order
    talk.sell(2, 5, 100, owner=7)
    talk.sell(3, 5, 100)
    killed = [accepted(8, BUY, 3, 100), canceled(8, BUY, 3, 100, Reason.FILL_OR_KILL)]
    assert talk.order(8, BUY, 3, 100, FOK, owner=7, mode=mode) == killed
    assert talk.order(9, BUY, 2, 100, FOK, owner=7, mode=mode) == [accepted(9, BUY, 2, 100), trade(9, BUY, 1, 2, 100)]
    assert talk.asks() == [(100, [(2, 5), (3, 5), (1, 2)])]


def test_fill_or_kill_passes_over_its_own_group_when_it_cancels_the_oldest() -> None:
    talk = Talk()
    talk.order(1, SELL, 6, 100, owner=7, display=2)
    talk.sell(2, 5, 101)
    mode = SelfTrade.CANCEL_OLDEST
    killed = [accepted(8, BUY, 6, 101), canceled(8, BUY, 6, 101, Reason.FILL_OR_KILL)]
    assert talk.order(8, BUY, 6, 101, FOK, owner=7, mode=mode) == killed
    assert talk.asks() == [(100, [(1, 2)]), (101, [(2, 5)])]
    assert talk.order(9, BUY, 5, 101, FOK, owner=7, mode=mode) == [
        accepted(9, BUY, 5, 101),
        prevented(1, SELL, 9, 6, 100),
        trade(9, BUY, 2, 5, 101),
    ]


def test_post_only_rests_or_is_refused_whoevers_order_it_meets(mirror: Mirror) -> None:
    mirror.rest(1, 5, 0)
    price, takers = mirror.price(0), mirror.takers
    refused = mirror.talk.order(2, takers, 3, price, owner=7, flags=Flag.POST_ONLY)
    mirror.refuses(refused, 2, Reason.POST_ONLY_WOULD_TRADE, quantity_lots=3, price_ticks=price)
    beside = mirror.price(-1)
    assert mirror.talk.order(2, takers, 3, beside, flags=Flag.POST_ONLY) == [accepted(2, takers, 3, beside)]
    mirror.book([(0, [(1, 5)])], [(-1, [(2, 3)])])
    late = mirror.talk.amend(2, price=price)
    assert [event._replace(side=BUY) for event in late] == [rejected(2, Reason.POST_ONLY_WOULD_TRADE, BUY, 0, price)]
    mirror.book([(0, [(1, 5)])], [(-1, [(2, 3)])])
    assert mirror.talk.amend(2, price=mirror.price(-2)) == [replaced(2, takers, 3, mirror.price(-2))]


def test_an_incoming_iceberg_trades_with_all_it_has_and_shows_part_of_the_rest() -> None:
    talk = Talk()
    talk.sell(1, 7, 100)
    assert talk.order(2, BUY, 20, 100, display=4) == [accepted(2, BUY, 20, 100), trade(2, BUY, 1, 7, 100, 13)]
    assert talk.bids() == [(100, [(2, 4)])]
    assert talk.book.refills == 3
    assert talk.cancel(2) == [canceled(2, BUY, 13, 100)]
    assert talk.book.refills == 0


def test_a_sweep_meets_what_is_shown_before_what_is_hidden() -> None:
    talk = Talk()
    talk.order(1, SELL, 6, 100, display=2)
    talk.order(2, SELL, 5, 100, display=4)
    talk.sell(3, 1, 100)
    sold = [(1, 2, 10), (2, 4, 6), (3, 1, 5), (1, 2, 3), (2, 1, 2), (1, 2, 0)]
    assert talk.buy(9, 12, 100, IOC) == [
        accepted(9, BUY, 12, 100),
        *(trade(9, BUY, m, lots, 100, left) for m, lots, left in sold),
    ]
    assert talk.asks() == []


@pytest.mark.parametrize(("quantity", "display"), [(1, 1), (100, 1), (101, 2), (10**9, 10**7), (10, 10)])
def test_the_smallest_and_largest_display(quantity: int, display: int) -> None:
    talk = Talk()
    assert talk.order(1, BUY, quantity, 5, display=display) == [accepted(1, BUY, quantity, 5)]
    assert talk.bids() == [(5, [(1, display)])]


def test_an_amend_makes_an_iceberg_and_unmakes_it() -> None:
    talk = Talk()
    talk.buy(1, 200, 5)
    assert talk.amend(1, display=1) == [rejected(1, Reason.INVALID_DISPLAY)]
    assert talk.amend(1, display=2) == [replaced(1, BUY, 200, 5)]
    assert (talk.bids(), talk.book.refills) == ([(5, [(1, 2)])], 99)
    assert talk.amend(1, lots=201) == [rejected(1, Reason.INVALID_DISPLAY, lots=201)]
    assert talk.amend(1, lots=100) == [replaced(1, BUY, 100, 5)]
    assert (talk.bids(), talk.book.refills) == ([(5, [(1, 2)])], 49)
    assert talk.amend(1, display=0) == [replaced(1, BUY, 100, 5)]
    assert (talk.bids(), talk.book.refills) == ([(5, [(1, 100)])], 0)
    assert talk.amend(1, display=9) == [replaced(1, BUY, 100, 5)]
    assert talk.amend(1, lots=4) == [replaced(1, BUY, 4, 5)]
    assert (talk.bids(), talk.book.refills) == ([(5, [(1, 4)])], 0)


@pytest.mark.parametrize("lots", [5, 4])
def test_an_amend_to_the_same_or_fewer_lots_keeps_its_place_in_the_queue(lots: int) -> None:
    talk = Talk()
    talk.buy(1, 5, 10)
    talk.buy(2, 5, 10)
    talk.book.submit(CommandKind.AMEND, 1, flags=Flag.CHANGE_QUANTITY, quantity_lots=lots)
    assert talk.bids() == [(10, [(1, lots), (2, 5)])]


def test_an_iceberg_of_fewer_lots_than_it_may_show_can_be_amended_further() -> None:
    book = OrderBook(1)
    book.submit(CommandKind.NEW_ORDER, 1, price_ticks=10, quantity_lots=10, display_lots=5)
    book.submit(CommandKind.AMEND, 1, flags=Flag.CHANGE_QUANTITY, quantity_lots=3)
    (event,) = book.submit(CommandKind.AMEND, 1, flags=Flag.CHANGE_PRICE, price_ticks=11)
    assert BookEvent(*event).kind == EventKind.REPLACED
