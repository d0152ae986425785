"""Call auctions of a bare book (rulebook 4.3 to 4.5): the naive book's, and prices at both ends of the range."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matching_engine import OrderBook
from tests.long import examples
from tests.model.naive_book import NaiveBook
from tests.property.test_order_book_laws import fields
from tests.unit.matching_engine.book.book_talk import Talk

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


@pytest.mark.parametrize(("sold", "reference", "price"), [(2, 0, 0), (3, 2**62 - 1, 2**62 - 1)])
def test_orders_at_both_ends_of_the_range_meet(sold: int, reference: int, price: int) -> None:
    assert auction([(2, 2**62 - 1)], [(sold, -(2**62))], reference) == (price, 2)


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
