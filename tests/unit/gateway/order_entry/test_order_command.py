"""The checks of an order that need no market, and the command made from an accepted body."""

from __future__ import annotations

from typing import Any

import pytest

from matching_engine.records import (
    ALL_INSTRUMENTS,
    BOTH_SIDES,
    Command,
    CommandKind,
    Flag,
    OrderType,
    Phase,
    SelfTrade,
    Side,
    TimeInForce,
)
from services.gateway.order_entry.order_body import AmendParams, OrderBody
from services.gateway.order_entry.order_command import OrderRef, amend, mass_cancel, new_order
from services.gateway.order_schemas import OrderRequest
from services.gateway.problems import ProblemError, problem_of
from services.venue_state.errors import BadField
from services.venue_state.instruments import VenueInstrument
from services.venue_state.state import VenueState

SENDER = Command(gateway_id=1, incarnation=7, request_id=9, actor=5)
FIRST = OrderRef(account=2, order_id=1, client_order_id=b"")
PRICE, STOP = {"price": "10000"}, {"stop_price": "10100"}


def venue() -> VenueState:
    state = VenueState()
    state.add_instrument(
        VenueInstrument(
            0, tick_value_fen=1_000, band_ppm=50_000, max_quantity_lots=1_000, reference_ticks=1_000,
            phase=Phase.CONTINUOUS, facts={"symbol": "ND-OX", "tick_size": "10.00"},
        )
    )  # fmt: skip
    return state


def command(**body: Any) -> Command:
    return new_order(SENDER, venue(), 2, OrderBody(symbol="ND-OX", side="buy", **{"quantity": 300, **body}))


def changed(**values: Any) -> Command:
    return amend(SENDER, FIRST, venue().instruments[0], AmendParams(order_id="1", **values))


def test_every_field_of_a_limit_order() -> None:
    found = command(
        price="10000", time_in_force="gtd", expire_time="2023-12-01T15:00:00+08:00", post_only=True, display_quantity=3,
        self_trade_prevention="decrement", client_order_id="a",
    )  # fmt: skip
    assert found == SENDER._replace(
        kind=CommandKind.NEW_ORDER, account=2, side=Side.BUY, order_type=OrderType.LIMIT, time_in_force=TimeInForce.GTD,
        self_trade=SelfTrade.DECREMENT, price_ticks=1_000, quantity_lots=300, display_lots=3, time_s=1_701_414_000,
        flags=Flag.POST_ONLY, client_order_id=b"a",
    )  # fmt: skip


def test_what_is_not_given_is_the_default_of_the_model() -> None:
    model = OrderRequest(symbol="ND-OX", side="buy", quantity=300, price="10000")
    assert command(**PRICE) == new_order(SENDER, venue(), 2, OrderBody(**model.model_dump()))


@pytest.mark.parametrize(
    ("body", "order_type", "time_in_force", "ticks"),
    [
        (PRICE, OrderType.LIMIT, TimeInForce.DAY, (1_000, 0)),
        ({"order_type": "market"}, OrderType.MARKET, TimeInForce.IOC, (0, 0)),
        ({"order_type": "market", "time_in_force": "fok"}, OrderType.MARKET, TimeInForce.FOK, (0, 0)),
        ({"order_type": "stop", **STOP}, OrderType.STOP, TimeInForce.DAY, (0, 1_010)),
        ({"order_type": "stop_limit", **PRICE, **STOP}, OrderType.STOP_LIMIT, TimeInForce.DAY, (1_000, 1_010)),
    ],
)
def test_each_type_has_its_default_and_its_prices(
    body: dict[str, Any], order_type: OrderType, time_in_force: TimeInForce, ticks: tuple[int, int]
) -> None:
    found = command(**body)
    assert (found.order_type, found.time_in_force) == (order_type, time_in_force)
    assert (found.price_ticks, found.trigger_ticks) == ticks


ONLY_RESTING = "only a limit order that is day, gtc or gtd may"


@pytest.mark.parametrize(
    ("body", "code", "detail"),
    [
        ({}, "invalid_price", "price: a limit order needs one"),
        ({"order_type": "market", **PRICE}, "invalid_price", "price: a market order has none"),
        ({"order_type": "stop", **STOP, **PRICE}, "invalid_price", "price: a stop order has none"),
        ({"order_type": "stop_limit", **STOP}, "invalid_price", "price: a stop_limit order needs one"),
        ({**PRICE, **STOP}, "invalid_trigger", "stop_price: a limit order has none"),
        ({"order_type": "stop"}, "invalid_trigger", "stop_price: a stop order needs one"),
        (
            {"order_type": "market", "time_in_force": "day"},
            "invalid_time_in_force",
            "time_in_force: a market order is ioc or fok",
        ),
        (
            {"order_type": "stop", **STOP, "time_in_force": "ioc"},
            "invalid_time_in_force",
            "time_in_force: a stop order is day or gtc or gtd",
        ),
        ({**PRICE, "time_in_force": "gtd"}, "invalid_expiry", "expire_time: a gtd order needs one"),
        (
            {**PRICE, "expire_time": "2023-12-01T07:00:00Z"},
            "invalid_expiry",
            "expire_time: a day order has none",
        ),
        (
            {**PRICE, "time_in_force": "gtd", "expire_time": "2023-02-30T07:00:00Z"},
            "invalid_expiry",
            "expire_time: there is no such time",
        ),
        (
            {**PRICE, "time_in_force": "gtd", "expire_time": "2200-01-01T00:00:00Z"},
            "invalid_expiry",
            "expire_time: must lie between 1970 and 2106",
        ),
        (
            {**PRICE, "time_in_force": "ioc", "post_only": True},
            "invalid_option",
            f"post_only: {ONLY_RESTING} be post-only",
        ),
        (
            {**PRICE, "time_in_force": "fok", "display_quantity": 5},
            "invalid_display",
            f"display_quantity: {ONLY_RESTING} have one",
        ),
        (
            {"order_type": "stop_limit", **PRICE, **STOP, "display_quantity": 5},
            "invalid_display",
            f"display_quantity: {ONLY_RESTING} have one",
        ),
        (
            {**PRICE, "display_quantity": 2},
            "invalid_display",
            "display_quantity: must be from 3 to 300 lots: at least a hundredth of the quantity, at most all of it",
        ),
        ({**PRICE, "stop_price": "10005", "order_type": "stop_limit"}, "price_off_tick", None),
        ({**PRICE, "quantity": 1_001}, "invalid_quantity", "quantity: must be from 1 to 1000 lots"),
    ],
)
def test_what_does_not_fit_the_type_is_refused_by_its_field(
    body: dict[str, Any], code: str, detail: str | None
) -> None:
    with pytest.raises((ProblemError, BadField)) as caught:
        command(**body)
    problem = problem_of(caught.value)
    assert (problem.status, problem.code) == (422, code)
    assert detail in (None, problem.detail)


def test_an_amend_says_which_values_change() -> None:
    assert changed(price="10010", quantity=7) == SENDER._replace(
        kind=CommandKind.AMEND,
        account=2,
        order_id=1,
        price_ticks=1_001,
        quantity_lots=7,
        flags=Flag.CHANGE_PRICE | Flag.CHANGE_QUANTITY,
    )
    assert changed(display_quantity=0, stop_price="10000") == SENDER._replace(
        kind=CommandKind.AMEND,
        account=2,
        order_id=1,
        trigger_ticks=1_000,
        flags=Flag.CHANGE_DISPLAY | Flag.CHANGE_TRIGGER,
    )


@pytest.mark.parametrize(
    ("values", "code", "field"),
    [
        ({}, "invalid_option", "body"),
        ({"quantity": 0}, "invalid_quantity", "quantity"),
        ({"price": "0"}, "invalid_price", "price"),
        ({"price": "10005"}, "price_off_tick", "price"),
        ({"stop_price": "10005"}, "price_off_tick", "stop_price"),
        ({"display_quantity": -1}, "invalid_display", "display_quantity"),
    ],
)
def test_an_amend_that_cannot_be_is_refused_by_its_field(values: dict[str, Any], code: str, field: str) -> None:
    with pytest.raises((ProblemError, BadField)) as caught:
        changed(**values)
    problem = problem_of(caught.value)
    assert (problem.code, [error.field for error in problem.errors]) == (code, [field])


def test_a_mass_cancel_of_one_instrument_or_of_all() -> None:
    assert mass_cancel(SENDER, venue(), 2, "ND-OX", "sell") == SENDER._replace(
        kind=CommandKind.MASS_CANCEL, account=2, instrument=0, side=Side.SELL
    )
    assert mass_cancel(SENDER, venue(), 0, "*", None) == SENDER._replace(
        kind=CommandKind.MASS_CANCEL, account=0, instrument=ALL_INSTRUMENTS, side=BOTH_SIDES
    )
    with pytest.raises(ProblemError) as caught:
        mass_cancel(SENDER, venue(), 2, "XX", None)
    assert caught.value.code == "unknown_symbol"
