from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from matching_engine.order_ids import OrderIds
from matching_engine.pools import NATIVE

# A few ids, many of which share a home in a small table, and the edges of 64 bits.
ids = st.integers(0, 40) | st.integers(2**64 - 40, 2**64 - 1) | st.integers(0, 200).map(lambda n: n << 56)


@settings(deadline=None)
@given(st.lists(st.tuples(st.booleans(), ids), max_size=200))
def test_it_finds_what_a_dictionary_finds(steps: list[tuple[bool, int]]) -> None:
    index = OrderIds()
    model: dict[int, int] = {}
    slot = 0
    for adds, order_id in steps:
        if adds and order_id not in model:
            slot += 1
            index.reserve(len(model) + 1)
            index.insert(order_id, slot)
            model[order_id] = slot
        elif not adds:
            assert index.erase(order_id) == model.pop(order_id, 0)
        assert index.count == len(model)
        assert index.find(order_id) == model.get(order_id, 0)
    assert [index.find(order_id) for order_id in model] == list(model.values())


def test_it_keeps_every_id_while_it_grows_and_is_sized_to_the_live_ones() -> None:
    index = OrderIds()
    for order_id in range(1, 10_001):
        index.reserve(order_id)
        index.insert(order_id * 2**20, order_id)
    assert index.count == 10_000
    assert [index.find(order_id * 2**20) for order_id in range(1, 10_001)] == list(range(1, 10_001))
    assert index.reserve(10_000) == 32_768


def test_a_million_ids_come_and_go_in_a_small_table() -> None:
    index = OrderIds()
    size = index.reserve(30)
    many = 1_000_000 if NATIVE else 10_000
    for order_id in range(1, many):
        index.insert(order_id, order_id & 31 or 32)
        if order_id > 20:
            assert index.erase(order_id - 20)
    assert index.count == 20
    assert index.reserve(30) == size
