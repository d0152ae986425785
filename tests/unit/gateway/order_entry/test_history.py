from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.gateway.order_entry.history import LAST_ID, cursor_id, cursor_text
from services.gateway.problems import ProblemError


@given(st.integers(0, LAST_ID))
def test_a_cursor_is_its_id(last_id: int) -> None:
    assert cursor_id(cursor_text(last_id)) == last_id


def test_no_cursor_begins_at_the_newest() -> None:
    assert cursor_id(None) == LAST_ID


@given(st.text(max_size=14).filter(lambda text: len(text) != len(cursor_text(0))))
def test_other_texts_are_refused_by_name(text: str) -> None:
    with pytest.raises(ProblemError) as caught:
        cursor_id(text)
    assert (caught.value.code, caught.value.errors[0].field) == ("invalid_cursor", "cursor")


@pytest.mark.parametrize("text", ["", "AAAA", "__________8", "AAAAAAAAAAA=", "AAAAAAAAAA\n"])
def test_what_looks_like_a_cursor_and_is_none(text: str) -> None:
    with pytest.raises(ProblemError):
        cursor_id(text)
