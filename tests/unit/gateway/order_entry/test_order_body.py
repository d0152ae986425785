from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import ValidationError

from services.gateway.order_entry.order_body import OrderBody, decode_batch, decode_order
from services.gateway.order_schemas import BatchRequest, OrderRequest
from services.gateway.problems import ProblemError, validation_problem
from services.gateway.strict_json import check_json

GOOD = {
    "symbol": "PRND-OX",
    "side": "buy",
    "order_type": "limit",
    "time_in_force": "gtc",
    "price": "473000.00",
    "quantity": 3,
    "client_order_id": "a-1",
    "stop_price": "472000.00",
    "expire_time": "2023-12-01T07:00:00Z",
    "post_only": False,
    "display_quantity": 1,
    "self_trade_prevention": "decrement",
}

_strings = st.one_of(
    st.text(max_size=40),
    st.sampled_from(
        [
            "buy",
            "sell",
            "limit",
            "stop_limit",
            "gtd",
            "fok",
            "cancel_both",
            "1",
            "1\n",
            "-1.50",
            "a\n",
            "",
            "é",
            "1e5",
            "٣",
            "2023-12-01T15:00:00+08:00",
            "2023-12-01T15:00:00.000Z",
            "2023-12-01T15:00:00Z\n",
            "2023-12-01T15:00:00",
        ]
    ),
    st.from_regex(r"-?[0-9]{0,18}\.?[0-9]{0,10}\n?", fullmatch=True),
)
_values: st.SearchStrategy[Any] = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), _strings, st.lists(st.integers(), max_size=2),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
)  # fmt: skip
_bodies = st.builds(
    lambda changes, dropped: {k: v for k, v in {**GOOD, **changes}.items() if k not in dropped},
    st.dictionaries(st.one_of(st.sampled_from(list(GOOD)), st.text(max_size=8)), _values, max_size=3),
    st.sets(st.sampled_from(list(GOOD)), max_size=3),
)


def model_says(body: bytes) -> OrderBody | ProblemError:
    try:
        check_json(body)
    except ProblemError as problem:
        return problem
    try:
        model = OrderRequest.model_validate_json(body)
    except ValidationError as error:
        return validation_problem(error.errors())
    return OrderBody(**model.model_dump(exclude_unset=True))


def gateway_says(body: bytes) -> OrderBody | ProblemError:
    try:
        return decode_order(body)
    except ProblemError as problem:
        return problem


def agree(body: bytes) -> None:
    ours, model = gateway_says(body), model_says(body)
    if isinstance(ours, ProblemError):
        assert isinstance(model, ProblemError)
        assert ours.document() == model.document()
        assert ours.code in ("malformed_json", "duplicate_key", "validation_failed")
    else:
        assert ours == model


@given(_bodies)
def test_fast_decoder_and_model_accept_and_refuse_the_same_objects(body: dict[str, Any]) -> None:
    agree(json.dumps(body).encode())


@given(st.binary(max_size=80))
@example(b"")
@example(b"null")
@example(b"[]")
@example(b"[" * 5_000)
@example(b'{"a":' * 5_000)
@example(b"\xef\xbb\xbf{}")
@example(b'{"symbol":"\xff"}')
@example(b'{"symbol":"\\ud800","side":"buy","price":"1","quantity":1}')
@example(b'{"symbol":"A","side":"buy","price":"1","quantity":1,"quantity":"x"}')
@example(b'{"symbol":"A","side":"buy","price":"1","quantity":"x","quantity":1}')
@example(b'{"symbol":"A","side":"buy","price":"1","quantity":1.0}')
@example(b'{"symbol":"A","side":"buy","price":"1","quantity":' + b"9" * 5_000 + b"}")
@example(b'{"symbol":"A","side":"buy","price":1.5,"quantity":1}')
@example(b'{"symbol":"A","side":"buy","price":NaN,"quantity":1}')
def test_fast_decoder_and_model_accept_and_refuse_the_same_bytes(body: bytes) -> None:
    agree(body)


@given(st.lists(st.one_of(st.just(GOOD), _bodies), max_size=3), st.integers(0, 60))
def test_fast_decoder_and_model_accept_and_refuse_the_same_batches(orders: list[Any], copies: int) -> None:
    body = json.dumps({"orders": orders * copies}).encode()
    try:
        check_json(body)
        model = BatchRequest.model_validate_json(body)
        expected: Any = [OrderBody(**order.model_dump(exclude_unset=True)) for order in model.orders]
    except ProblemError as problem:
        expected = problem.document()
    except ValidationError as error:
        expected = validation_problem(error.errors()).document()
    try:
        found: Any = decode_batch(body)
    except ProblemError as problem:
        found = problem.document()
    assert found == expected


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"quantity": 1.5}, "quantity"),
        ({"quantity": "3"}, "quantity"),
        ({"quantity": True}, "quantity"),
        ({"price": 473000}, "price"),
        ({"price": "1e5"}, "price"),
        ({"price": "473000.000000001"}, "price"),
        ({"price": "12345678901234567"}, "price"),
        ({"side": "BUY"}, "side"),
        ({"symbol": None}, "symbol"),
        ({"client_order_id": "with space"}, "client_order_id"),
        ({"client_order_id": "x" * 37}, "client_order_id"),
        ({"client_order_id": ""}, "client_order_id"),
        ({"client_order_id": "é"}, "client_order_id"),
        ({"client_order_id": "a\x7f"}, "client_order_id"),
        ({"client_order_id": "a\n"}, "client_order_id"),
        ({"time_in_force": "gtx"}, "time_in_force"),
        ({"stop_price": "1e5"}, "stop_price"),
        ({"expire_time": "2023-12-01T15:00:00.5Z"}, "expire_time"),
        ({"expire_time": "2023-12-01T15:00:00"}, "expire_time"),
        ({"expire_time": 1701414000}, "expire_time"),
        ({"post_only": "yes"}, "post_only"),
        ({"post_only": None}, "post_only"),
        ({"display_quantity": "1"}, "display_quantity"),
        ({"self_trade_prevention": "none"}, "self_trade_prevention"),
        ({"hidden": True}, "hidden"),
    ],
)
def test_a_refusal_names_the_field(change: dict[str, Any], field: str) -> None:
    with pytest.raises(ProblemError) as caught:
        decode_order(json.dumps({**GOOD, **change}).encode())
    assert (caught.value.status, caught.value.code) == (422, "validation_failed")
    assert [error.field for error in caught.value.errors] == [field]


def test_a_batch_names_the_order_and_its_field() -> None:
    with pytest.raises(ProblemError) as caught:
        decode_batch(json.dumps({"orders": [GOOD, {**GOOD, "quantity": "x"}]}).encode())
    assert [error.field for error in caught.value.errors] == ["orders.1.quantity"]
