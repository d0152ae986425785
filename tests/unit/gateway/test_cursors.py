from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.gateway.cursors import LAST_ID, Cursors
from services.gateway.problems import ProblemError

ORDERS, FILLS = Cursors("orders"), Cursors("fills")


@given(st.integers(0, LAST_ID))
def test_a_cursor_is_its_id_and_that_of_another_list_is_refused(last_id: int) -> None:
    cursor = ORDERS.text(last_id)
    assert ORDERS.id_of(cursor) == last_id
    with pytest.raises(ProblemError):
        FILLS.id_of(cursor)


def test_no_cursor_begins_at_the_newest() -> None:
    assert ORDERS.id_of(None) == LAST_ID


@given(st.text(max_size=18))
def test_other_texts_are_refused_by_name(text: str) -> None:
    with pytest.raises(ProblemError) as caught:
        ORDERS.id_of(text)
    assert (caught.value.code, caught.value.errors[0].field) == ("invalid_cursor", "cursor")


def test_what_looks_like_a_cursor_and_is_none() -> None:
    cursor = ORDERS.text(123_456_789)
    for text in (cursor.lower(), cursor[:-1], f"{cursor}=", f"{cursor}\n", ""):
        with pytest.raises(ProblemError):
            ORDERS.id_of(text)


def test_an_id_that_no_list_has_is_refused() -> None:
    with pytest.raises(ProblemError):
        ORDERS.id_of(ORDERS.text(LAST_ID + 1))
