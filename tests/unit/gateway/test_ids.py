from __future__ import annotations

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from services.gateway.ids import ALERT_IDS, KEY_IDS, MAX_ID, ORDER_IDS, TRADE_IDS, Ids, OrderIdText
from services.gateway.problems import ProblemError

KINDS = [
    (ORDER_IDS, "unknown_order"),
    (TRADE_IDS, "unknown_trade"),
    (KEY_IDS, "unknown_key_id"),
    (ALERT_IDS, "unknown_alert"),
]

every_kind = pytest.mark.parametrize(("ids", "code"), KINDS)


@every_kind
@given(number=st.integers(1, MAX_ID))
@example(number=1)
@example(number=MAX_ID)
def test_the_digits_of_an_id_are_its_number(ids: Ids, code: str, number: int) -> None:
    assert ids.number(str(number)) == number


@every_kind
@pytest.mark.parametrize(
    "text",
    ["", "0", "00", "-1", "+1", " 1", "1 ", "1\n", "1.0", "1e3", "1_000", "0x1", "abc", "batch", "٣", "²", str(MAX_ID + 1),
     "9" * 20, "9" * 5_000],
)  # fmt: skip
def test_any_other_text_is_a_404_of_its_kind(ids: Ids, code: str, text: str) -> None:
    with pytest.raises(ProblemError) as caught:
        ids.number(text)
    assert (caught.value.status, caught.value.code) == (404, code)


@given(st.from_regex(r"^[1-9][0-9]{0,17}\Z"))
def test_what_the_websocket_s_schema_accepts_is_an_id(text: str) -> None:
    assert msgspec.convert(text, OrderIdText) == text
    assert ORDER_IDS.number(text) == int(text)
