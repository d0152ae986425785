"""Laws of the order book: whatever comes, it does what the naive book does, event for event and order for order."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matching_engine import OrderBook
from matching_engine.records import (
    BOOK_COMMAND,
    BOOK_EVENT,
    MAX_BOOK_PRICE_TICKS,
    MAX_QUANTITY_LOTS,
    BookEvent,
    EventKind,
    OrderType,
    Side,
    TimeInForce,
)
from tests.property.naive_book import Fields, NaiveBook

INSTRUMENTS = 2

law = settings(deadline=None, max_examples=200)

narrow_prices = st.integers(-3, 3)
wide_prices = st.one_of(
    narrow_prices,
    st.sampled_from([63, 64, 2_048, 4_096, -4_097, 131_072, 2**40, 2**61, -(2**61), -(2**61) - 1]),
    st.integers(-MAX_BOOK_PRICE_TICKS - 1, -MAX_BOOK_PRICE_TICKS + 100),
    st.integers(MAX_BOOK_PRICE_TICKS - 100, MAX_BOOK_PRICE_TICKS),
    st.integers(-(2**63), 2**63 - 1),
)


def commands(prices: st.SearchStrategy[int]) -> st.SearchStrategy[list[Fields]]:
    """Lists of BOOK_COMMAND values: mostly orders that can be carried out, with something wrong in every tenth field."""
    bytes_of_a_field = st.integers(0, 255)
    command = st.tuples(
        st.integers(1, 12),
        prices,
        st.integers(1, 9) | st.sampled_from([0, -1, MAX_QUANTITY_LOTS, MAX_QUANTITY_LOTS + 1, 2**63 - 1, -(2**63)]),
        st.integers(-5, 5),
        st.integers(0, 3),
        st.sampled_from([0, 0, 0, 1, 2, 2**32 - 1]),
        st.integers(0, INSTRUMENTS),
        st.sampled_from([1] * 8 + [2] * 3) | bytes_of_a_field,
        st.sampled_from([0, 1] * 5) | bytes_of_a_field,
        st.sampled_from([OrderType.LIMIT] * 9 + [OrderType.MARKET]) | bytes_of_a_field,
        st.sampled_from(list(TimeInForce) * 3) | bytes_of_a_field,
        st.sampled_from([0] * 20) | bytes_of_a_field,
        st.sampled_from([0] * 20) | bytes_of_a_field,
    )
    readable = st.tuples(
        st.integers(1, 12), prices, st.integers(1, 9), st.integers(-5, 5), st.integers(0, 3), st.integers(0, 2),
        st.integers(0, INSTRUMENTS - 1), st.sampled_from([1, 1, 1, 2]), st.integers(0, 1), st.just(1),
        st.integers(1, 3), st.just(0), st.just(0),
    )  # fmt: skip
    market = readable.map(lambda c: (c[0], 0, *c[2:9], int(OrderType.MARKET), int(TimeInForce.IOC), 0, 0))
    return st.lists(st.one_of(readable, readable, readable, market, command), max_size=60)


def as_array(fields: list[Fields]) -> np.ndarray:
    return np.array(fields, BOOK_COMMAND)


def same_books(book: OrderBook, naive: NaiveBook) -> None:
    assert len(book) == len(naive.resting)
    for instrument in range(naive.instruments):
        for side in Side:
            queue = naive.queue(instrument, side)
            prices = list(dict.fromkeys(order.price_ticks for order in queue))
            levels = [[order for order in queue if order.price_ticks == price] for price in prices]
            assert book.depth(instrument, side, 1_000) == [
                (level[0].price_ticks, sum(order.quantity_lots for order in level), len(level)) for level in levels
            ]
            for level in levels:
                found = book.orders_at(instrument, side, level[0].price_ticks)
                assert [(o.order_id, o.quantity_lots, o.account, o.owner, o.tag) for o in found] == [
                    (o.order_id, o.quantity_lots, o.account, o.owner, o.tag) for o in level
                ]


def submit(book: OrderBook, fields: Fields) -> list[BookEvent]:
    order_id, price, quantity, tag, account, owner, instrument, kind, side, order_type, tif, self_trade, flags = fields
    events = book.submit(
        kind, order_id, instrument, side, price, quantity, order_type, tif, self_trade, flags, account, owner, tag
    )
    return [BookEvent(*event) for event in events]


@law
@given(commands(narrow_prices) | commands(wide_prices))
def test_every_command_does_what_it_does_in_the_naive_book(flow: list[Fields]) -> None:
    book, naive = OrderBook(INSTRUMENTS), NaiveBook(INSTRUMENTS)
    for fields in flow:
        assert submit(book, fields) == list(naive.apply(fields))
        same_books(book, naive)


@law
@given(commands(narrow_prices) | commands(wide_prices), st.integers(0, 60))
def test_where_a_batch_ends_changes_nothing(flow: list[Fields], cut: int) -> None:
    whole, cut_up, naive = OrderBook(INSTRUMENTS), OrderBook(INSTRUMENTS), NaiveBook(INSTRUMENTS)
    array = as_array(flow)
    events = whole.process(array)
    assert events.tobytes() == cut_up.process(array[:cut]).tobytes() + cut_up.process(array[cut:]).tobytes()
    assert [BookEvent(*event) for event in events.tolist()] == [e for fields in flow for e in naive.apply(fields)]


@law
@given(st.binary(max_size=20 * BOOK_COMMAND.itemsize))
def test_random_bytes_are_answered_like_anything_else(data: bytes) -> None:
    array = np.frombuffer(data[: len(data) // BOOK_COMMAND.itemsize * BOOK_COMMAND.itemsize], BOOK_COMMAND)
    book, naive = OrderBook(INSTRUMENTS), NaiveBook(INSTRUMENTS)
    events = book.process(array)
    assert [BookEvent(*event) for event in events.tolist()] == [e for row in array.tolist() for e in naive.apply(row)]


@law
@given(commands(narrow_prices))
def test_quantities_add_up_and_the_book_is_never_crossed(flow: list[Fields]) -> None:
    book = OrderBook(INSTRUMENTS)
    left: dict[int, int] = {}  # accepted, and neither traded nor ended since
    for fields in flow:
        for event in submit(book, fields):
            if event.kind == EventKind.ACCEPTED:
                left[event.order_id] = event.quantity_lots
            elif event.kind == EventKind.TRADE:
                left[event.order_id] -= event.quantity_lots
                left[event.maker_order_id] -= event.quantity_lots
            elif event.kind in (EventKind.CANCELED, EventKind.PREVENTED):
                left[event.order_id] -= event.quantity_lots
                assert left[event.order_id] == 0
        resting = {order_id: lots for order_id, lots in left.items() if lots}
        for order_id, lots in resting.items():
            order = book.order(order_id)
            assert order is not None
            assert order.quantity_lots == lots
        assert len(book) == len(resting)
        for instrument in range(INSTRUMENTS):
            bid, ask = book.best(instrument, Side.BUY), book.best(instrument, Side.SELL)
            assert bid is None or ask is None or bid[0] < ask[0]


@pytest.mark.parametrize("spread", [20, 5_000, 2**30, 2**61])
def test_a_long_walk_of_prices_agrees_with_the_naive_book(spread: int) -> None:
    """Pages, nodes, slots and table entries are used again many times; the price tree grows and shrinks."""
    draw = random.Random(spread)
    flow: list[Fields] = []
    centre = 0
    for order_id in range(1, 4_001):
        if order_id % 500 == 0:
            centre = draw.randrange(-spread, spread)
        price = centre + draw.choice([draw.randrange(-spread, spread), draw.randrange(-20, 20)])
        flow.append(
            (order_id, price, draw.randrange(1, 9), 0, 1, 0, 0, 1, draw.randrange(2), 1, draw.choice([1, 2, 3]), 0, 0)
        )
        if draw.random() < 0.8:
            target = draw.randrange(max(1, order_id - 60), order_id + 1)
            flow.append((target, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0))
    book, naive = OrderBook(1), NaiveBook(1)
    for start in range(0, len(flow), 400):
        batch = flow[start : start + 400]
        events = book.process(as_array(batch))
        assert events.dtype == BOOK_EVENT
        assert [BookEvent(*e) for e in events.tolist()] == [e for fields in batch for e in naive.apply(fields)]
        same_books(book, naive)
