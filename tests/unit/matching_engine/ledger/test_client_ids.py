"""The table of client order ids against a dictionary."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matching_engine.ledger.client_ids import ClientIds

texts = st.one_of(
    st.binary(min_size=1, max_size=36),
    st.sampled_from([b"a", b"b", b"a" * 36, b"a" * 35 + b"b", b"\0" * 35 + b"x"]),
).map(lambda text: text.ljust(36, b"\0"))
actions = st.lists(st.tuples(st.integers(1, 3), texts, st.integers(0, 9)), max_size=200)


@given(actions, st.integers(0, 9))
def test_it_remembers_what_a_dictionary_would(steps: list[tuple[int, bytes, int]], first_day: int) -> None:
    ids = ClientIds()
    model: dict[tuple[int, bytes], tuple[int, int]] = {}
    for order_id, (account, text, day) in enumerate(steps, start=1):
        row = ids.find(account, text)
        assert (row != 0) == ((account, text) in model)
        if row == 0:
            ids.reserve(1)
            ids.day = day
            assert ids.remember(account, text, order_id, order_id * 3) == ids.count
            model[account, text] = (order_id, day)
        else:
            assert ids.remember(account, text, order_id, 0) == row
    ids.forget_before(first_day)
    model = {key: (order_id, day) for key, (order_id, day) in model.items() if day >= first_day}
    assert ids.count == len(model)
    assert [bytes(text).ljust(36, b"\0") for text in ids.texts()] == [text for _, text in model]
    for account, text, _ in steps:
        assert (ids.find(account, text) != 0) == ((account, text) in model)


def test_thousands_of_ids_are_found_in_their_rows() -> None:
    ids = ClientIds()
    for n in range(5000):
        ids.reserve(1)
        ids.day = n
        assert ids.remember(n % 7, b"order-%d" % n + bytes(28 - len(str(n)) + 2), n, 0) == n + 1
    for n in range(5000):
        text = b"order-%d" % n + bytes(28 - len(str(n)) + 2)
        assert ids.find(n % 7, text) == n + 1
        assert ids.find(7, text) == 0
    ids.forget_before(4000)
    assert ids.count == 1000
    assert ids.find(4321 % 7, b"order-4321".ljust(36, b"\0")) == 322


@pytest.mark.parametrize("a_day_ends", [False, True])
def test_ids_are_found_while_room_is_made_ahead(a_day_ends: bool) -> None:
    """The next table is filled in parts, from 98,304 ids of 131,072 on. Ids come in while it is, and a day may end."""
    ids = ClientIds()
    first = 0
    texts = [b"order-%06d" % n + bytes(24) for n in range(140_032)]
    for start in range(0, len(texts), 64):
        if start == 110_016 and not a_day_ends:
            assert ids.reserve(0) == 262_144  # Long before `reserve` has to.
        if start == 98_432 and a_day_ends:
            assert ids.reserve(0) == 131_072
            ids.forget_before(1)
            first = start - 64
            assert ids.count == 64
        ids.day = int(start == 98_368)
        room = ids.reserve(64)
        for n in range(start, start + 64):
            assert ids.remember(1, texts[n], n + 1, 0) == n + 1 - first
        assert ids.reserve(0) == room
        ids.make_room(64)
    assert ids.count == len(texts) - first
    for n, text in enumerate(texts):
        assert ids.find(1, text) == max(n + 1 - first, 0)
