from __future__ import annotations

from typing import Any

import pytest

from services.dashboard.order_form import FORMS, HINTS, SELF_TRADE_HINTS, TIME_HINTS, fields_of, order_body
from services.dashboard.terms import SELF_TRADE, TIMES
from services.gateway.schemas import OrderRequest

ENTERED: dict[str, Any] = {
    "price": " 205.00 ",
    "stop_price": "207.00",
    "quantity": "100",
    "display_quantity": "10",
    "expire_time": "2026-12-01T15:00",
    "post_only": True,
    "self_trade_prevention": "decrement",
}

ALWAYS = {"quantity", "self_trade_prevention"}


@pytest.mark.parametrize(
    ("order_type", "time", "fields"),
    [
        ("limit", "day", {"price", "post_only", "display_quantity"}),
        ("limit", "gtd", {"price", "post_only", "display_quantity", "expire_time"}),
        ("limit", "ioc", {"price"}),
        ("limit", "fok", {"price"}),
        ("market", "ioc", set()),
        ("stop", "gtc", {"stop_price"}),
        ("stop", "gtd", {"stop_price", "expire_time"}),
        ("stop_limit", "day", {"stop_price", "price"}),
    ],
)
def test_only_fields_that_mean_something_are_there_and_sent(order_type: str, time: str, fields: set[str]) -> None:
    assert fields_of(order_type, time) == ALWAYS | fields
    body = order_body("PRND-OX", "buy", order_type, time, ENTERED)
    assert body.keys() == {"symbol", "side", "order_type", "time_in_force"} | ALWAYS | fields


def test_every_order_the_ticket_can_send_has_the_apis_form() -> None:
    for order_type, form in FORMS.items():
        for time in form.times:
            OrderRequest.model_validate(order_body("PRND-OX", "sell", order_type, time, ENTERED), strict=True)


def test_what_was_entered_goes_as_the_api_wants_it() -> None:
    body = order_body("PRND-OX", "buy", "limit", "gtd", ENTERED)
    assert (body["price"], body["quantity"], body["display_quantity"]) == ("205.00", 100, 10)
    assert body["expire_time"] == "2026-12-01T15:00:00+08:00"


def test_what_is_no_whole_number_goes_as_it_stands_and_what_is_empty_not_at_all() -> None:
    entered = dict.fromkeys(ENTERED, "") | {"quantity": "1.5", "self_trade_prevention": "cancel_newest"}
    body = order_body("PRND-OX", "buy", "limit", "day", entered)
    assert body["quantity"] == "1.5"
    assert body.keys() == {"symbol", "side", "order_type", "time_in_force", "quantity", "self_trade_prevention"}


def test_every_choice_has_a_sentence() -> None:
    assert TIME_HINTS.keys() == TIMES.keys()
    assert SELF_TRADE_HINTS.keys() == SELF_TRADE.keys()
    for sentence in (
        *TIME_HINTS.values(),
        *SELF_TRADE_HINTS.values(),
        *HINTS.values(),
        *[f.hint for f in FORMS.values()],
    ):
        assert sentence.endswith(".")
