"""The names of codes in requests and replies are those of `records.py`, in lower case."""

from __future__ import annotations

from enum import IntEnum
from typing import Any, get_args, get_type_hints

import msgspec
import pytest

from matching_engine.records import OrderType, Phase, SelfTrade, Side, TimeInForce
from services.gateway import order_schemas, schemas
from services.gateway.http.operate import SchedulePhaseName
from services.gateway.order_entry.order_body import OrderBody
from services.gateway.replies.execution_report import REASON_NAMES
from services.read_model.tables import END_STATES
from services.venue_state import orders
from services.venue_state.instruments import PHASE_NAMES
from services.venue_state.reasons import REASONS


@pytest.mark.parametrize(
    ("literal", "names", "codes"),
    [
        (schemas.SideName, orders.SIDE_NAMES, Side),
        (order_schemas.OrderTypeName, orders.ORDER_TYPE_NAMES, OrderType),
        (order_schemas.TimeInForceName, orders.TIME_IN_FORCE_NAMES, TimeInForce),
        (order_schemas.SelfTradeName, orders.SELF_TRADE_NAMES, SelfTrade),
        (schemas.PhaseName, PHASE_NAMES, Phase),
    ],
)
def test_names_are_those_of_the_codes(literal: Any, names: dict[int, str], codes: type[IntEnum]) -> None:
    assert list(get_args(literal)) == [code.name.lower() for code in codes]
    assert names == {code.value: code.name.lower() for code in codes}


def test_the_schedule_sets_every_phase_but_those_of_operators() -> None:
    assert {*get_args(SchedulePhaseName), "halted", "delisted"} == set(PHASE_NAMES.values())


def test_the_two_models_of_an_order_have_the_same_fields_defaults_and_names() -> None:
    model = order_schemas.OrderRequest.model_fields
    body = {field.name: field for field in msgspec.structs.fields(OrderBody)}
    assert body.keys() == model.keys()
    for name, field in body.items():
        assert field.required == model[name].is_required()
        if not field.required:
            assert field.default in (msgspec.UNSET, model[name].get_default())
    hints = get_type_hints(OrderBody)
    for name, literal in (
        ("side", schemas.SideName),
        ("order_type", order_schemas.OrderTypeName),
        ("self_trade_prevention", order_schemas.SelfTradeName),
    ):
        assert hints[name] in (literal, literal | msgspec.UnsetType)
    times, nothing = get_args(hints["time_in_force"])
    assert (get_args(times), nothing) == (get_args(order_schemas.TimeInForceName), type(None))


def test_every_reason_has_a_sentence_and_every_end_a_state() -> None:
    assert REASONS.keys() | {0} == REASON_NAMES.keys()
    for sentence in REASONS.values():
        assert sentence.endswith(".")
        assert sentence[0].isupper()
    assert set(END_STATES.values()) <= set(get_args(order_schemas.OrderState))
