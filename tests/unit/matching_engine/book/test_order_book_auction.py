"""Call auctions of a bare book (rulebook 4.3 to 4.5)."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matching_engine import OrderBook
from matching_engine.records import Flag, Reason
from tests.long import examples
from tests.model.naive_book import NaiveBook
from tests.property.test_order_book_laws import fields
from tests.unit.matching_engine.book.book_talk import (
    BUY,
    FOK,
    IOC,
    MARKET,
    SELL,
    Talk,
    accepted,
    canceled,
    rejected,
    replaced,
    trade,
    triggered,
)

Orders = list[tuple[int, int]]


def auction(buys: Orders, sells: Orders, reference: int) -> tuple[int, int]:
    """Price and volume of an auction of orders (lots, price)."""
    talk = Talk()
    talk.collecting(True)
    for order_id, (lots, price) in enumerate(buys, start=1):
        talk.buy(order_id, lots, price)
    for order_id, (lots, price) in enumerate(sells, start=101):
        talk.sell(order_id, lots, price)
    events = talk.collecting(False, reference)
    return (events[0].price_ticks, sum(event.quantity_lots for event in events)) if events else (0, 0)


@pytest.mark.parametrize(
    ("buys", "sells", "reference", "found"),
    [
        ([], [], 100, (0, 0)),
        ([(5, 99)], [(5, 100)], 100, (0, 0)),
        ([(5, 100)], [(5, 100)], 7, (100, 5)),
        # the most volume
        ([(5, 103), (5, 101)], [(5, 100), (5, 101), (5, 102)], 103, (101, 10)),
        # the least imbalance: 5 buys are left at 101, 1 sell at 102
        ([(10, 102), (5, 101)], [(10, 100), (1, 102)], 90, (102, 10)),
        ([(10, 105)], [(10, 100)], 102, (102, 10)),
        ([(10, 105)], [(10, 100)], 90, (100, 10)),
        ([(10, 105)], [(10, 100)], 110, (105, 10)),
        # as much left on both sides: nearest the reference, whichever side of the gap it is on
        ([(10, 105), (3, 102)], [(10, 100), (3, 103)], 102, (102, 10)),
        ([(10, 105), (3, 102)], [(10, 100), (3, 103)], 103, (103, 10)),
        ([(10, 105), (3, 102)], [(10, 100), (3, 103)], 90, (100, 10)),
        ([(10, 105), (3, 102)], [(10, 100), (3, 103)], 110, (105, 10)),
        # neither left between the bid and the ask
        ([(10, 105), (3, 101)], [(10, 100), (3, 104)], 90, (102, 10)),
        ([(10, 105), (3, 101)], [(10, 100), (3, 104)], 110, (103, 10)),
        # buys left down to the next bid
        ([(13, 105), (9, 101)], [(10, 100)], 90, (102, 10)),
        ([(10, 105)], [(13, 100), (9, 103)], 110, (102, 10)),
        ([(2, 2**62 - 1)], [(2, -(2**62))], 0, (0, 2)),
        ([(2, 2**62 - 1)], [(3, -(2**62))], 2**62 - 1, (2**62 - 1, 2)),
    ],
)
def test_the_price_has_the_most_volume_the_least_imbalance_and_is_nearest_the_reference(
    buys: Orders, sells: Orders, reference: int, found: tuple[int, int]
) -> None:
    assert auction(buys, sells, reference) == found


@pytest.mark.parametrize("reference", [-1, 2, 6])
def test_every_small_book_has_the_price_that_trying_every_tick_finds(reference: int) -> None:
    for lots in product((0, 1, 2), repeat=6):
        buys = [(n, price) for n, price in zip(lots[:3], (1, 2, 4), strict=True) if n]
        sells = [(n, price) for n, price in zip(lots[3:], (1, 3, 4), strict=True) if n]
        ranked = []
        for price in range(-3, 10):
            buy = sum(n for n, limit in buys if limit >= price)
            sell = sum(n for n, limit in sells if limit <= price)
            ranked.append((min(buy, sell), -abs(buy - sell), -abs(price - reference), price))
        volume, _, _, best = max(ranked)
        assert auction(buys, sells, reference) == ((best, volume) if volume else (0, 0))


@pytest.mark.parametrize(
    ("buys", "sells", "imbalance"),
    [([(9, 5)], [(9, 5)], 0), ([(9, 5)], [(4, 5)], 5), ([(4, 5)], [(9, 5)], -5), ([(4, 5)], [(9, 6)], 0)],
)
def test_the_imbalance_is_buys_less_sells_at_the_price(buys: Orders, sells: Orders, imbalance: int) -> None:
    talk = Talk()
    talk.collecting(True)
    for order_id, (lots, price) in enumerate(buys, start=1):
        talk.buy(order_id, lots, price)
    for order_id, (lots, price) in enumerate(sells, start=101):
        talk.sell(order_id, lots, price)
    talk.collecting(False, 5)
    assert talk.book.auction_imbalance == imbalance


def test_orders_rest_crossed_and_uncross_at_one_price_best_and_oldest_first() -> None:
    talk = Talk()
    talk.collecting(True)
    for order_id, side, lots, price in (
        (1, BUY, 5, 103),
        (2, BUY, 5, 104),
        (3, BUY, 5, 103),
        (4, SELL, 4, 101),
        (5, SELL, 8, 100),
    ):
        assert talk.order(order_id, side, lots, price) == [accepted(order_id, side, lots, price)]
    assert talk.bids() == [(104, [(2, 5)]), (103, [(1, 5), (3, 5)])]
    assert talk.asks() == [(100, [(5, 8)]), (101, [(4, 4)])]
    assert talk.collecting(False, 102) == [
        trade(2, BUY, 5, 5, 102),
        trade(1, BUY, 5, 3, 102, 2),
        trade(1, BUY, 4, 2, 102),
        trade(3, BUY, 4, 2, 102, 3),
    ]
    assert (talk.bids(), talk.asks()) == ([(103, [(3, 3)])], [])


def test_hidden_lots_count_and_icebergs_are_refilled_at_the_back() -> None:
    talk = Talk()
    talk.collecting(True)
    talk.order(1, BUY, 5, 100, display=2)
    talk.buy(2, 2, 100)
    talk.sell(3, 6, 100)
    assert talk.collecting(False, 100) == [
        trade(1, BUY, 3, 2, 100, 3),
        trade(2, BUY, 3, 2, 100),
        trade(1, BUY, 3, 2, 100, 1),
    ]
    assert talk.bids() == [(100, [(1, 1)])]


@pytest.mark.parametrize(
    "refused",
    [
        {"tif": IOC},
        {"tif": FOK},
        {"kind": MARKET, "tif": IOC, "price": 0},
        {"flags": Flag.POST_ONLY},
        {"kind": 3, "trigger": 5, "price": 0},
        {"kind": 4, "trigger": 5},
    ],
)
def test_only_plain_limit_orders_that_may_rest_are_taken(refused: dict[str, int]) -> None:
    talk = Talk()
    talk.collecting(True)
    price = refused.get("price", 9)
    assert talk.order(1, BUY, 5, **{"price": 9, **refused}) == [rejected(1, Reason.NOT_IN_AUCTION, BUY, 5, price)]  # type: ignore[arg-type]
    assert len(talk.book) == 0


def test_amends_and_cancels_during_a_call() -> None:
    talk = Talk()
    talk.stop_limit(1, BUY, 5, 120, 121)
    talk.order(2, BUY, 5, 90, flags=Flag.POST_ONLY)
    talk.buy(3, 5, 90)
    talk.sell(4, 5, 100)
    talk.collecting(True)
    assert talk.amend(1, price=122) == [rejected(1, Reason.NOT_IN_AUCTION, price=122)]
    assert talk.amend(2, price=91) == [rejected(2, Reason.NOT_IN_AUCTION, price=91)]
    assert talk.amend(2, lots=4) == [replaced(2, BUY, 4, 90)]
    assert talk.amend(3, price=105) == [replaced(3, BUY, 5, 105)]
    assert talk.cancel(1) == [canceled(1, BUY, 5, 121)]
    assert (talk.bids(), talk.asks()) == ([(105, [(3, 5)]), (90, [(2, 4)])], [(100, [(4, 5)])])
    assert talk.collecting(False, 0) == [trade(3, BUY, 4, 5, 100)]


def test_the_price_of_the_uncrossing_triggers_stops() -> None:
    talk = Talk()
    talk.stop_limit(1, BUY, 5, 100, 102)
    talk.stop_limit(2, SELL, 5, 99, 98)
    talk.collecting(True)
    talk.buy(3, 5, 110)
    talk.sell(4, 5, 90)
    assert talk.collecting(False, 100) == [trade(3, BUY, 4, 5, 100), triggered(1, BUY, 5, 102, kind=1)]  # type: ignore[arg-type]
    assert talk.stops(SELL) == [(2, 99)]


@settings(deadline=None, max_examples=examples(100))
@given(
    st.lists(st.tuples(st.integers(0, 1), st.integers(1, 9), st.integers(-9, 9), st.integers(0, 3)), max_size=40),
    st.integers(-12, 12),
)
def test_it_does_what_the_naive_book_does(orders: list[tuple[int, int, int, int]], reference: int) -> None:
    book, naive = OrderBook(1), NaiveBook(1)
    book.collecting(0, True)
    naive.collecting(0, True, 0)
    for order_id, (side, lots, price, display) in enumerate(orders, start=1):
        shown = min(display, lots)
        book.submit(1, order_id, 0, side, price, lots, display_lots=shown, account=10)
        naive.apply(fields(order_id, price, 0, lots, shown, side=side))
    assert book.collecting(0, False, reference) == [tuple(event) for event in naive.collecting(0, False, reference)]
