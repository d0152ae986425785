"""Decodes the body of an order on the hot path: msgspec first; the pydantic model decides about a body that msgspec refuses.

`schemas.OrderRequest` is the source of the schema: /openapi.json and the texts of all refusals come from it. A property test
proves that the model accepts every body that msgspec accepts, with the same values.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from pydantic import ValidationError

from services.gateway.problems import validation_problem
from services.gateway.schemas import BatchRequest, OrderRequest

# Python's `$` also matches before a last newline, pydantic's does not: hence \Z.
PriceText = Annotated[str, msgspec.Meta(pattern=r"^-?[0-9]{1,16}(\.[0-9]{1,8})?\Z", max_length=26)]
TimeText = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.0{1,9})?(Z|[+-][0-9]{2}:[0-9]{2})\Z",
        max_length=35,
    ),
]
ClientOrderId = Annotated[str, msgspec.Meta(pattern=r"^[!-~]{1,36}\Z")]


class OrderBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The fields of `schemas.OrderRequest`."""

    symbol: str
    side: Literal["buy", "sell"]
    quantity: int
    order_type: Literal["limit", "market", "stop", "stop_limit"] = "limit"
    time_in_force: Literal["day", "gtc", "ioc", "fok", "gtd"] | None = None
    price: PriceText | None = None
    client_order_id: ClientOrderId | None = None
    stop_price: PriceText | None = None
    expire_time: TimeText | None = None
    post_only: bool = False
    display_quantity: int | None = None
    self_trade_prevention: Literal["cancel_newest", "cancel_oldest", "cancel_both", "decrement"] = "cancel_newest"


class BatchBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The fields of `schemas.BatchRequest`."""

    orders: Annotated[list[OrderBody], msgspec.Meta(min_length=1, max_length=100)]


_REFUSED = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_order_decoder = msgspec.json.Decoder(OrderBody)
_batch_decoder = msgspec.json.Decoder(BatchBody)


def decode_order(body: bytes | msgspec.Raw) -> OrderBody:
    """The order in a JSON body; raises a 400 or 422 problem that names the field by its path."""
    try:
        return _order_decoder.decode(body)
    except _REFUSED:
        pass
    try:
        model = OrderRequest.model_validate_json(bytes(body))
    except ValidationError as error:
        raise validation_problem(error.errors()) from None
    return msgspec.convert(model.model_dump(), OrderBody)


def decode_batch(body: bytes) -> list[OrderBody]:
    """The orders of a JSON batch; raises a 400 or 422 problem for the whole batch that names the field (`orders.3.price`)."""
    try:
        return _batch_decoder.decode(body).orders
    except _REFUSED:
        pass
    try:
        model = BatchRequest.model_validate_json(body)
    except ValidationError as error:
        raise validation_problem(error.errors()) from None
    return msgspec.convert(model.model_dump(), BatchBody).orders
