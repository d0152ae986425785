from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from matching_engine.records import Phase, Reason, Side
from services.gateway.order_entry.order_body import AmendParams, CancelParams, decode_batch, decode_order
from services.gateway.problems import FieldError, ProblemError
from services.gateway.websocket.messages import (
    MassCancelParams,
    SubscribeParams,
    decode_params,
)
from services.venue_state.accounts import VenueAccount, VenueHolding
from services.venue_state.instruments import VenueInstrument
from services.venue_state.reasons import REASONS, reason_text

ORDER = {"symbol": "NDFEB-N52", "side": "buy", "price": "236.00", "quantity": 1}
DECIMAL = 'must be a decimal number in quotes, such as "236.00"'
NUMBER = "must be a decimal number, such as 236.00"
TOO_LARGE = "is too large: at most 16 digits before the point"
TIME = 'must be a time with a zone and whole seconds, such as "2023-12-01T15:00:00+08:00"'
CLIENT_ORDER_ID = "must be 1 to 36 visible ASCII characters in quotes"


def told(change: dict[str, Any]) -> tuple[FieldError, ...]:
    with pytest.raises(ProblemError) as caught:
        decode_order(json.dumps(ORDER | change).encode())
    return caught.value.errors


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("price", "abc", NUMBER),
        ("price", "1e5", NUMBER),
        ("price", "473,000.00", NUMBER),
        ("price", "", NUMBER),
        ("price", "9" * 17, TOO_LARGE),
        ("price", "9" * 30, TOO_LARGE),
        ("price", f"-{'9' * 30}.5", TOO_LARGE),
        ("price", "1.000000001", "is too exact: at most 8 digits after the point"),
        ("price", 236, DECIMAL),
        ("quantity", "3", "must be a whole number, without quotes"),
        ("quantity", None, "must be a whole number, without quotes"),
        ("quantity", 1.5, "must be a whole number, without quotes"),
        ("client_order_id", "x" * 37, CLIENT_ORDER_ID),
        ("client_order_id", "订单", CLIENT_ORDER_ID),
        ("client_order_id", 7, CLIENT_ORDER_ID),
        ("symbol", 5, "must be a string in quotes"),
        ("side", "hold", "must be 'buy' or 'sell'"),
        ("colour", "red", "there is no such field here"),
        ("stop_price", 236, DECIMAL),
        ("expire_time", "tomorrow", TIME),
        ("expire_time", "2023-12-01T15:00:00.5Z", TIME),
        ("post_only", "yes", "must be true or false"),
        ("display_quantity", 1.5, "must be a whole number, without quotes"),
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
        ({"orders": []}, "orders: must have 1 or more items"),
        ({"orders": [ORDER] * 101}, "orders: must have at most 100 items"),
        ({"orders": 5}, "orders: must be an array, as […]"),
        ({"orders": [5]}, "orders.0: must be an object, as {…}"),
        ([], "body: must be an object, as {…}"),
        ({"orders": [ORDER, ORDER | {"price": "x"}]}, f"orders.1.price: {NUMBER}"),
    ],
)
def test_a_batch_says_where(body: object, detail: str) -> None:
    with pytest.raises(ProblemError) as caught:
        decode_batch(json.dumps(body).encode())
    assert caught.value.detail == detail


@pytest.mark.parametrize(
    ("params", "kind", "detail"),
    [
        (b'{"order_id": 118}', CancelParams, "order_id: must be an order id in quotes: digits only, not 0 first"),
        (b'{"order_id": "-1"}', CancelParams, "order_id: must be an order id in quotes: digits only, not 0 first"),
        (b'{"client_order_id": ""}', CancelParams, f"client_order_id: {CLIENT_ORDER_ID}"),
        (b'{"colour": 1}', CancelParams, "colour: there is no such field here"),
        (b"{}", SubscribeParams, "channels: is missing"),
        (b'{"order_id": "1", "price": 5}', AmendParams, f"price: {DECIMAL}"),
        (b'{"order_id": "1", "stop_price": "x"}', AmendParams, f"stop_price: {NUMBER}"),
        (b'{"order_id": "1", "price": "99999999999999999"}', AmendParams, f"price: {TOO_LARGE}"),
        (b'{"side": "buy"}', MassCancelParams, "symbol: is missing"),
    ],
)
def test_params_are_told_the_same(params: bytes, kind: type[CancelParams], detail: str) -> None:
    with pytest.raises(ProblemError) as caught:
        decode_params(msgspec.Raw(params), kind)
    assert caught.value.detail == detail


def test_every_reason_has_a_sentence_of_its_own() -> None:
    assert set(REASONS) == set(Reason) - {Reason.NONE}
    assert len(set(REASONS.values())) == len(REASONS)
    for sentence in REASONS.values():
        assert sentence[0].isupper()
        assert sentence.endswith(".")


@pytest.mark.parametrize(
    ("reason", "numbers"),
    [
        (Reason.INSUFFICIENT_FUNDS, "Available: ¥ 70.00."),
        (Reason.INSUFFICIENT_INVENTORY, "Available: 6 lots of ND-OX."),
        (Reason.ORDER_QUANTITY_LIMIT, "At most: 50 lots."),
        (Reason.ORDER_VALUE_LIMIT, "At most: ¥ 900.00."),
        (Reason.OPEN_ORDERS_LIMIT, "At most: 7."),
        (Reason.TURNOVER_LIMIT, "At most: ¥ 8,000.00; so far: ¥ 123.00."),
        (Reason.PRICE_ABOVE_BAND, "Limit: 10,500.00."),
        (Reason.PRICE_BELOW_BAND, "Limit: 9,500.00."),
        (Reason.PRICE_OUTSIDE_COLLAR, "At most 2.5 % below it."),
    ],
)
def test_a_reason_is_told_with_the_account_s_own_numbers(reason: Reason, numbers: str) -> None:
    account = VenueAccount(2, "alice")
    account.cash_fen, account.reserved_fen, account.day_fen = 10_000, 3_000, 12_300
    account.max_order_lots, account.max_order_fen, account.max_open_orders, account.max_day_fen = 50, 90_000, 7, 800_000
    instrument = VenueInstrument(
        0, tick_value_fen=1_000, band_ppm=50_000, max_quantity_lots=100, reference_ticks=1_000, phase=Phase.CONTINUOUS,
        facts={"symbol": "ND-OX", "tick_size": "10.00"},
    )  # fmt: skip
    instrument.collar_ppm = 25_000
    account.holdings[0] = VenueHolding(lots=10, reserved_lots=4)
    assert reason_text(reason, Side.SELL, account, instrument) == f"{REASONS[reason]} {numbers}"


def test_a_reason_without_numbers_is_its_sentence() -> None:
    assert reason_text(Reason.MARKET_CLOSED) == REASONS[Reason.MARKET_CLOSED]
    assert reason_text(Reason.NONE) is None
