"""Messages of a WebSocket client: `{"method", "params", "req_id"}`, one JSON object per frame.

A message is decoded in two steps, so that the reply to an error in `params` has the `req_id`. An error raises ProblemError,
which names the field by its path inside `params`, as REST names it inside the body.
"""

from __future__ import annotations

import re
from typing import Annotated, Literal, TypeVar

import msgspec

from services.gateway.ids import OrderIdText
from services.gateway.order_entry.order_body import ClientOrderId, PriceText
from services.gateway.problems import ProblemError, field_problem
from services.gateway.wording import FORMS

RequestId = int | str | None
Channel = Literal["depth", "trades", "ticker", "orders", "alerts"]

MAX_REQUEST_ID = 64
"""Greatest length of a `req_id` that is a string."""


class Message(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The envelope."""

    method: str
    params: msgspec.Raw = msgspec.Raw(b"{}")
    req_id: int | Annotated[str, msgspec.Meta(max_length=MAX_REQUEST_ID)] | None = None


class AuthenticateParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The secret of a key, for a handshake without Authorization header (a browser cannot send one)."""

    key: str


class SubscribeParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Channels; for market channels also symbols, where `*` alone means every instrument."""

    channels: Annotated[list[Channel], msgspec.Meta(min_length=1)]
    symbols: Annotated[list[str], msgspec.Meta(min_length=1)] | None = None


class CancelParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One of the two ids of an order."""

    order_id: OrderIdText | None = None
    client_order_id: ClientOrderId | None = None


class AmendParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One of the two ids of an order, and the fields of `schemas.AmendRequest`."""

    order_id: OrderIdText | None = None
    client_order_id: ClientOrderId | None = None
    price: PriceText | None = None
    quantity: int | None = None
    display_quantity: int | None = None
    stop_price: PriceText | None = None


class MassCancelParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The query parameters of `DELETE /v1/orders`; the symbol `*` means every instrument."""

    symbol: str
    side: Literal["buy", "sell"] | None = None
    account: Annotated[int, msgspec.Meta(ge=1, le=2**32 - 1)] | None = None


class NoParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """No params."""


Params = TypeVar("Params", AuthenticateParams, SubscribeParams, CancelParams, AmendParams, MassCancelParams, NoParams)

_REFUSED = (msgspec.DecodeError, UnicodeError, RecursionError)
_decode_message = msgspec.json.Decoder(Message).decode


def decode_message(text: str | bytes) -> Message:
    """The message, with `params` not decoded; raises a 400 or 422 problem."""
    try:
        return _decode_message(text)
    except _REFUSED as error:
        raise _problem(error) from None


def decode_params(params: msgspec.Raw, kind: type[Params]) -> Params:
    """The params of a method; raises a 422 problem."""
    try:
        return msgspec.json.decode(params, type=kind)
    except _REFUSED as error:
        raise _problem(error) from None


def request_id_of(text: str | bytes) -> RequestId:
    """The `req_id` of a message that could not be decoded; None where it has no valid one."""
    try:
        message = msgspec.json.decode(text)
    except _REFUSED:
        return None
    request_id = message.get("req_id") if isinstance(message, dict) else None
    if isinstance(request_id, bool) or not isinstance(request_id, int | str):
        return None
    return None if isinstance(request_id, str) and len(request_id) > MAX_REQUEST_ID else request_id


def _problem(error: Exception) -> ProblemError:
    text = str(error)
    if not isinstance(error, msgspec.ValidationError):
        return ProblemError(400, "malformed_json", f"The message is not JSON: {text}.")
    # "Expected `str`, got `int` - at `$.channels[0]`" or "Object contains unknown field `x`"
    message, _, path = text.partition(" - at `$")
    field = re.sub(r"\[(\d+)\]", r".\1", path.rstrip("`")).strip(".")
    named = re.search(r"field `([^`]*)`", message)
    if named:
        field = f"{field}.{named[1]}".strip(".")
        message = "is missing" if "missing required" in message else "there is no such field here"
    elif message.startswith("Expected `str"):
        message = FORMS.get(field, message)
    return field_problem("validation_failed", field[:80] or "message", message[:200])
