from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.values.cursors import LAST_ID, Cursors, InvalidCursor

ORDERS, FILLS = Cursors("orders"), Cursors("fills")
IDS = st.integers(0, 30)


@given(st.integers(0, LAST_ID))
def test_a_cursor_is_its_id_and_that_of_another_list_is_refused(last_id: int) -> None:
    cursor = ORDERS.text(last_id)
    assert ORDERS.id_of(cursor) == last_id
    with pytest.raises(InvalidCursor):
        FILLS.id_of(cursor)


def test_no_cursor_begins_at_the_newest() -> None:
    assert ORDERS.id_of(None) == LAST_ID


@given(st.text(max_size=18))
def test_other_texts_are_refused(text: str) -> None:
    with pytest.raises(InvalidCursor):
        ORDERS.id_of(text)


def test_what_looks_like_a_cursor_and_is_none() -> None:
    cursor = ORDERS.text(123_456_789)
    for text in (cursor.lower(), cursor[:-1], f"{cursor}=", f"{cursor}\n", ""):
        with pytest.raises(InvalidCursor):
            ORDERS.id_of(text)


def test_an_id_that_no_list_has_is_refused() -> None:
    with pytest.raises(InvalidCursor):
        ORDERS.id_of(ORDERS.text(LAST_ID + 1))


@given(st.sets(IDS, max_size=12), st.integers(1, 13), st.lists(st.tuples(IDS, IDS), max_size=6))
def test_the_pages_of_a_list_in_memory_have_each_id_once(
    ids: set[int], limit: int, changes: list[tuple[int, int]]
) -> None:
    """Also where one comes and one goes between two pages: what is there from the first page to the last is in one of them."""
    stayed, seen = set(ids), list[int]()
    page, cursor = ORDERS.page(ids, limit, None)
    while cursor is not None:
        seen += page
        if changes:
            comes, goes = changes.pop()
            ids = ids - {goes} | {comes}
            stayed &= ids
        page, cursor = ORDERS.page(ids, limit, cursor)
        assert len(page) <= limit
        assert page == [] or page[0] > seen[-1]
    seen += page
    assert seen == sorted(set(seen))
    assert stayed <= set(seen)


def test_an_id_that_comes_between_two_pages_is_on_the_second() -> None:
    _, cursor = ORDERS.page({0, 1}, 2, None)
    assert ORDERS.page({0, 1, 2}, 2, cursor) == ([2], None)
