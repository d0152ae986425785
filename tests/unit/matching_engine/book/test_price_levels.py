from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matching_engine.book.price_levels import PriceLevels
from matching_engine.records import MAX_BOOK_PRICE_TICKS
from tests.long import examples

BUYS, SELLS = 0, 1

prices = st.one_of(
    st.integers(-3, 3),
    st.integers(-200, 200),
    st.integers(-5_000, 5_000),
    st.integers(-(2**20), 2**20),
    st.sampled_from([2**61 - 1, 2**61, -(2**61), -(2**61) - 1]),
    st.integers(-MAX_BOOK_PRICE_TICKS - 1, -MAX_BOOK_PRICE_TICKS + 100),
    st.integers(MAX_BOOK_PRICE_TICKS - 100, MAX_BOOK_PRICE_TICKS),
)


def walk(levels: PriceLevels, side: int) -> list[int]:
    """The prices in use, as the levels themselves lead from the best to the worst."""
    found = []
    level = levels.best(side)
    while level:
        found.append(levels.price(side, level))
        level = levels.next(level)
    return found


@settings(deadline=None, max_examples=examples(300))
@given(st.sampled_from([BUYS, SELLS]), st.lists(st.tuples(st.booleans(), prices), max_size=80))
def test_it_holds_what_a_set_of_prices_holds(side: int, steps: list[tuple[bool, int]]) -> None:
    levels = PriceLevels(2)
    model: set[int] = set()
    for opens, price in steps:
        if opens:
            levels.reserve(1)
            level = levels.open(side, price)
            model.add(price)
            assert levels.find(side, price) == level
            assert levels.price(side, level) == price
        elif model:
            price = min(model, key=lambda held: abs(held - price))
            levels.close(side, levels.find(side, price))
            model.remove(price)
            assert levels.find(side, price) == 0
        assert walk(levels, side) == sorted(model, reverse=side == BUYS)
        assert walk(levels, 1 - side) == []
    for price in sorted(model):
        levels.close(side, levels.find(side, price))
    assert levels.best(side) == 0


@pytest.mark.parametrize("first", [7, MAX_BOOK_PRICE_TICKS, -MAX_BOOK_PRICE_TICKS - 1])
@pytest.mark.parametrize("side", [BUYS, SELLS])
def test_a_better_price_has_a_lower_key_whatever_came_first(side: int, first: int) -> None:
    levels = PriceLevels(2)
    levels.reserve(1)
    levels.open(side, first)
    ladder = [-MAX_BOOK_PRICE_TICKS - 1, -(2**61), -64, 0, 6, 7, 8, 2**61, MAX_BOOK_PRICE_TICKS]
    keys = [levels.key(side, price) for price in ladder]
    assert keys == sorted(keys, reverse=side == BUYS)
    assert min(keys) >= 0
    assert max(keys) < 2**64 - 1


@pytest.mark.parametrize("stride", [1, 64, 5_000, 2**40])
def test_memory_follows_the_prices_in_use(stride: int) -> None:
    """Ten levels in use at a time, walking over 20,000 prices: pages and nodes come back."""
    levels = PriceLevels(1)
    for n in range(20_000):
        levels.reserve(1)
        levels.open(0, n * stride)
        if n >= 10:
            levels.close(0, levels.find(0, (n - 10) * stride))
    assert walk(levels, 0) == [n * stride for n in range(19_999, 19_989, -1)]
    assert levels.reserve(1) <= 16 * 64
    assert levels.spare_nodes < 512


@pytest.mark.parametrize("side", [BUYS, SELLS])
def test_a_far_price_that_came_and_went_leaves_the_tree_as_low_as_it_was(side: int) -> None:
    levels = PriceLevels(2)
    levels.reserve(3)
    levels.open(side, 100)
    one_node_in_use = levels.spare_nodes
    levels.close(side, levels.open(side, MAX_BOOK_PRICE_TICKS))
    assert levels.spare_nodes == one_node_in_use
    levels.open(side, 101)
    assert levels.spare_nodes == one_node_in_use
    assert walk(levels, side) == sorted([100, 101], reverse=side == BUYS)


def test_opening_without_reserved_room_says_so() -> None:
    assert PriceLevels(1).open(0, 5) == 0


def test_more_levels_than_links_can_tell_apart_are_refused_before_anything_changes() -> None:
    levels = PriceLevels(1)
    with pytest.raises(MemoryError, match="32-bit"):
        levels.reserve(2**26)
    levels.reserve(1)
    assert levels.price(0, levels.open(0, 5)) == 5
