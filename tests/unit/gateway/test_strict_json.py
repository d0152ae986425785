from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.gateway.problems import ProblemError
from services.gateway.strict_json import check_json
from services.gateway.websocket.messages import decode_message

Pairs = list[tuple[str, Any]]

names = st.text(max_size=4) | st.sampled_from(['"', "\\", "a", "\u2028", "a:", "é"])
leaves = st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False)


class Members(list[tuple[str, Any]]):
    """An object as its members in their order, a name maybe twice."""


values = st.recursive(
    leaves | names,
    lambda inner: st.lists(inner, max_size=3) | st.lists(st.tuples(names, inner), max_size=4).map(Members),
    max_leaves=8,
)


def text_of(value: Any, ascii_only: bool) -> str:
    if isinstance(value, Members):
        members = [f"{json.dumps(name, ensure_ascii=ascii_only)} :{text_of(one, ascii_only)}" for name, one in value]
        return "{" + ", ".join(members) + "}"
    if isinstance(value, list):
        return "[" + ",".join(text_of(one, ascii_only) for one in value) + " ]"
    return json.dumps(value, ensure_ascii=ascii_only)


def repeats(value: Any) -> bool:
    if isinstance(value, Members):
        found = [name for name, _ in value]
        return len(set(found)) < len(found) or any(repeats(one) for _, one in value)
    return isinstance(value, list) and any(map(repeats, value))


@given(values, st.booleans())
def test_exactly_the_texts_with_a_repeated_key_are_refused(value: Any, ascii_only: bool) -> None:
    text = text_of(value, ascii_only)
    for form in (text, text.encode()):
        if repeats(value):
            with pytest.raises(ProblemError) as refused:
                check_json(form)
            assert (refused.value.status, refused.value.code) == (400, "duplicate_key")
        else:
            check_json(form)


ORDER: Pairs = [("symbol", "A"), ("side", "buy"), ("quantity", 1)]
order_members = st.lists(
    st.sampled_from([
        *ORDER, ("order_type", "limit"), ("order_type", "market"), ("price", "1.5"), ("price", None), ("post_only", False),
        ("time_in_force", "gtc"), ("expire_time", "2023-12-01T15:00:00Z"), ("client_order_id", "a:b"),
        ("client_order_id", "::"), ("display_quantity", None), ("self_trade_prevention", "cancel_newest"),
    ]), max_size=7,
).map(lambda more: Members([*ORDER, *more]))  # fmt: skip
cancel_members = st.lists(
    st.sampled_from([("order_id", "1"), ("order_id", None), ("client_order_id", ":")]), min_size=1, max_size=3
).map(Members)
entries = st.tuples(st.sampled_from(["place", "cancel"]), order_members | cancel_members).map(
    lambda one: Members([one])
)
envelopes = st.builds(
    lambda method, params, more: Members([("method", method), ("params", params), *more]),
    st.sampled_from(["place_order", "cancel_order", "batch", "ping"]),
    order_members
    | cancel_members
    | st.lists(entries, min_size=1, max_size=3).map(lambda all: Members([("requests", all)])),
    st.lists(st.sampled_from([("req_id", 1), ("req_id", ":"), ("req_id", None), ("method", "batch")]), max_size=2),
)


@given(envelopes, st.sampled_from(["price", "symbol", "order_id", "method"]), st.booleans())
def test_exactly_the_orders_with_a_repeated_key_are_refused(message: Any, escaped: str, escapes: bool) -> None:
    text = text_of(message, ascii_only=True)
    if escapes:  # One of two equal keys may be written in another way.
        text = text.replace(f'"{escaped}"', f'"\\u{ord(escaped[0]):04x}{escaped[1:]}"', 1)
    for form in (text, text.encode()):
        if repeats(message):
            with pytest.raises(ProblemError) as refused:
                decode_message(form)
            assert refused.value.code == "duplicate_key"
        else:
            decode_message(form)


@pytest.mark.parametrize(
    "text",
    ["", "{", "NaN", '{"a": Infinity}', '{"a": -Infinity}', "1e999", "[1,]", "'a'", "[" * 100_000,
     '{"a":' * 20_000, "\ufeff{}", '"\x01"'],
)  # fmt: skip
def test_what_is_no_json(text: str) -> None:
    for form in (text, text.encode()):
        with pytest.raises(ProblemError) as refused:
            check_json(form)
        assert (refused.value.status, refused.value.code) == (400, "malformed_json")


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        (b"", "it is empty"),
        (b" \n", "it is empty"),
        (rb'{"symbol": "\ud800"}', "half of a surrogate pair stands alone in a text"),
        (b'{"quantity": ' + b"9" * 5_000 + b"}", "a number has too many digits"),
        (b'{"symbol": "\xff"}', "byte 12 is not UTF-8"),
        (b'{"symbol": "A"', "Input data was truncated"),
    ],
)
def test_the_cause_is_told(text: bytes, cause: str) -> None:
    with pytest.raises(ProblemError) as refused:
        check_json(text)
    assert refused.value.detail == f"The body is not JSON: {cause}."


def test_the_key_is_named() -> None:
    with pytest.raises(ProblemError) as refused:
        check_json(b'{"orders": [{"price": "1", "quantity": 2, "pri\\u0063e": "2"}]}')
    assert refused.value.errors[0].field == "price"


def test_a_message_has_each_key_once_in_its_params_too() -> None:
    assert decode_message('{"method": "ping", "params": {}, "req_id": 1}').req_id == 1
    for text in (
        '{"method": "ping", "method": "place_order"}',
        '{"method": "cancel_order", "params": {"order_id": "1", "order_id": "2"}}',
    ):
        with pytest.raises(ProblemError) as refused:
            decode_message(text)
        assert refused.value.code == "duplicate_key"


@pytest.mark.parametrize("escaped", [r"\u003a", r"\u003A"])
def test_an_escaped_colon_hides_no_repeated_key(escaped: str) -> None:
    with pytest.raises(ProblemError) as refused:
        check_json(f'{{"a": 1, "a": 2, "b": "{escaped}"}}')
    assert refused.value.code == "duplicate_key"
