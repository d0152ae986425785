"""The index of ids, through the book whose orders it finds."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matching_engine import OrderBook
from matching_engine.pools import NATIVE
from matching_engine.records import CommandKind, EventKind

WORD = 2**64 - 1
# A few ids, many of which share a home in a small table, and the edges of 64 bits.
ids = st.integers(0, 40) | st.integers(2**64 - 40, WORD) | st.integers(0, 200).map(lambda n: n << 56)


def add(book: OrderBook, order_id: int) -> bool:
    return book.submit(CommandKind.NEW_ORDER, order_id, price_ticks=1, quantity_lots=1)[0][8] == EventKind.ACCEPTED


def remove(book: OrderBook, order_id: int) -> bool:
    return book.submit(CommandKind.CANCEL, order_id)[0][8] == EventKind.CANCELED


def found(book: OrderBook, order_id: int) -> bool:
    order = book.order(order_id)
    assert order is None or order.order_id == order_id
    return order is not None


@settings(deadline=None)
@given(st.lists(st.tuples(st.booleans(), ids), max_size=200))
def test_it_finds_what_a_set_holds(steps: list[tuple[bool, int]]) -> None:
    book = OrderBook(1)
    model: set[int] = set()
    for adds, order_id in steps:
        if adds:
            assert add(book, order_id) == (order_id not in model)
            model.add(order_id)
        else:
            assert remove(book, order_id) == (order_id in model)
            model.discard(order_id)
        assert book.ids.count == len(model)
        assert found(book, order_id) == (order_id in model)
    assert all(found(book, order_id) for order_id in model)


@pytest.mark.parametrize(
    "stride",
    [1, 2**20, 2**32, 2**44, 2**32 + 1, pow(0x9E3779B97F4A7C15, -1, 2**64), 2**64 - 1],
    ids=["next", "2^20", "2^32", "2^44", "both halves", "inverse of the golden ratio", "downwards"],
)
def test_it_keeps_every_id_while_it_grows_and_is_sized_to_the_live_ones(stride: int) -> None:
    """Ids that follow a pattern crowd no part of the table; a crowded one would take hours, not a moment."""
    book = OrderBook(1)
    count = 100_000 if NATIVE else 5_000
    taken = [n * stride & WORD for n in range(1, count + 1)]
    for order_id in taken:
        assert add(book, order_id)
    assert book.ids.count == count
    assert all(found(book, order_id) for order_id in taken)
    assert not found(book, 0)
    assert 4 * count <= book.ids.reserve(count) < 8 * count + 8  # of four bytes each
    assert all(remove(book, order_id) for order_id in taken)


def test_many_ids_come_and_go_in_a_small_table() -> None:
    book = OrderBook(1)
    size = book.ids.reserve(30)
    for order_id in range(1, 300_000 if NATIVE else 10_000):
        assert add(book, order_id)
        if order_id > 20:
            assert remove(book, order_id - 20)
    assert book.ids.count == 20
    assert book.ids.reserve(30) == size
