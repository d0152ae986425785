from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from services.gateway.order_body import decode_batch, decode_order
from services.gateway.problems import FieldError, ProblemError
from services.gateway.ws_messages import CancelParams, SubscribeParams, decode_params

ORDER = {"symbol": "NDFEB-N52", "side": "buy", "price": "236.00", "quantity": 1}
DECIMAL = 'must be a decimal number in quotes, such as "236.00"'
CLIENT_ORDER_ID = "must be 1 to 36 visible ASCII characters in quotes"


def told(change: dict[str, Any]) -> tuple[FieldError, ...]:
    with pytest.raises(ProblemError) as caught:
        decode_order(json.dumps(ORDER | change).encode())
    return caught.value.errors


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("price", "abc", DECIMAL),
        ("price", "1e5", DECIMAL),
        ("price", "473,000.00", DECIMAL),
        ("price", "9" * 30, DECIMAL),
        ("price", 236, DECIMAL),
        ("quantity", "3", "must be a whole number, without quotes"),
        ("quantity", None, "must be a whole number, without quotes"),
        ("quantity", 1.5, "must be a whole number, without quotes"),
        ("client_order_id", "x" * 37, CLIENT_ORDER_ID),
        ("client_order_id", "订单", CLIENT_ORDER_ID),
        ("client_order_id", 7, CLIENT_ORDER_ID),
        ("symbol", 5, "must be a text in quotes"),
        ("side", "hold", "must be 'buy' or 'sell'"),
        ("colour", "red", "there is no such field here"),
    ],
)
def test_a_refused_field_is_told_what_it_must_be(field: str, value: object, message: str) -> None:
    assert told({field: value}) == (FieldError(field, message),)


def test_what_is_missing_is_named() -> None:
    with pytest.raises(ProblemError) as caught:
        decode_order(b"{}")
    assert caught.value.detail == "symbol: is missing; side: is missing; quantity: is missing"


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        ({"orders": []}, "orders: must hold 1 or more"),
        ({"orders": [ORDER] * 101}, "orders: must hold at most 100"),
        ({"orders": 5}, "orders: must be a list, as […]"),
        ({"orders": [5]}, "orders.0: must be an object, as {…}"),
        ([], "body: must be an object, as {…}"),
        ({"orders": [ORDER, ORDER | {"price": "x"}]}, f"orders.1.price: {DECIMAL}"),
    ],
)
def test_a_batch_says_where(body: object, detail: str) -> None:
    with pytest.raises(ProblemError) as caught:
        decode_batch(json.dumps(body).encode())
    assert caught.value.detail == detail


@pytest.mark.parametrize(
    ("params", "kind", "detail"),
    [
        (b'{"order_id": 118}', CancelParams, "order_id: must be the digits of an order's id in quotes"),
        (b'{"order_id": "-1"}', CancelParams, "order_id: must be the digits of an order's id in quotes"),
        (b'{"client_order_id": ""}', CancelParams, f"client_order_id: {CLIENT_ORDER_ID}"),
        (b'{"colour": 1}', CancelParams, "colour: there is no such field here"),
        (b"{}", SubscribeParams, "channels: is missing"),
    ],
)
def test_params_are_told_the_same(params: bytes, kind: type[CancelParams], detail: str) -> None:
    with pytest.raises(ProblemError) as caught:
        decode_params(msgspec.Raw(params), kind)
    assert caught.value.detail == detail
