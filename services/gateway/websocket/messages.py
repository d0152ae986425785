"""Messages of a WebSocket client: `{"method", "params", "req_id"}`, one JSON object per frame.

A message is decoded in two steps, so that the reply to an error in `params` has the `req_id`. An error raises ProblemError,
which names the field by its path inside `params`, as REST names it inside the body.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Annotated, ClassVar, Literal, TypeVar

import msgspec

from services.data.instruments import SYMBOL_OR_ALL
from services.gateway.order_entry.order_body import AmendParams, CancelParams, MixedBatchBody, OrderBody
from services.gateway.problems import ProblemError, field_problem
from services.gateway.strict_json import REFUSED, check_json, has_each_key_once, not_json
from services.gateway.websocket.market_models import SNAPSHOT_TRADES, CandleInterval
from services.gateway.websocket.private_models import ResumePoint
from services.gateway.wording import form_of

RequestId = int | str | None
Channel = Literal[
    "depth",
    "top",
    "trades",
    "ticker",
    "candles",
    "auction",
    "status",
    "turnover",
    "orders",
    "fills",
    "balances",
    "drop_copy",
    "alerts",
]

MAX_REQUEST_ID = 64
"""Greatest length of a `req_id` that is a string."""

_SymbolOrAll = Annotated[str, msgspec.Meta(extra_json_schema={"pattern": SYMBOL_OR_ALL})]
_RequestId = int | Annotated[str, msgspec.Meta(max_length=MAX_REQUEST_ID)] | None


class Message(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The envelope."""

    method: str
    params: msgspec.Raw = msgspec.field(default_factory=lambda: msgspec.Raw(b"{}"))
    req_id: _RequestId = None
    """Chosen by the client; the reply repeats it."""


class _Whole(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True, tag_field="method"
):
    """A message of a frequent method, decoded in one step."""

    req_id: _RequestId = None


class PlaceOrder(_Whole, frozen=True, tag="place_order"):
    """Its params are a new order."""

    method: ClassVar[str] = "place_order"
    params: OrderBody


class AmendOrder(_Whole, frozen=True, tag="amend_order"):
    """Its params are an amend."""

    method: ClassVar[str] = "amend_order"
    params: AmendParams


class CancelOrder(_Whole, frozen=True, tag="cancel_order"):
    """Its params are a cancel."""

    method: ClassVar[str] = "cancel_order"
    params: CancelParams


class Batch(_Whole, frozen=True, tag="batch"):
    """Its params are a mixed batch."""

    method: ClassVar[str] = "batch"
    params: MixedBatchBody


AnyMessage = Message | PlaceOrder | AmendOrder | CancelOrder | Batch


class AuthenticateParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The secret of a key, for a handshake without Authorization header (a browser cannot send one)."""

    key: str


class SubscribeParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Channels; for market channels also symbols, where `*` alone means every instrument; for private channels also the point
    to resume from."""

    channels: Annotated[list[Channel], msgspec.Meta(min_length=1)]
    symbols: Annotated[list[_SymbolOrAll], msgspec.Meta(min_length=1)] | None = None
    levels: Literal[10, 50] | None = None
    """Of `depth`: the best levels of each side; without it, all."""
    interval_ms: Literal[100, 250, 500, 1000, 5000] | None = None
    """Of `depth` and `top`: the least time between two pushes; without it, each change. Clients share streams: few values."""
    interval: CandleInterval | None = None
    """Of `candles`: their length."""
    latest: Annotated[int, msgspec.Meta(ge=1, le=SNAPSHOT_TRADES)] | None = None
    """Of `trades`: how many of the day's latest trades a snapshot has; without it, 50."""
    resume: ResumePoint | None = None


class OptionsParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the connection asks for; what is not named stays as it is."""

    heartbeat: bool | None = None
    """A heartbeat every five seconds."""
    times: bool | None = None
    """`time_in` and `time_out` in each reply."""


class MassCancelParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The query parameters of `DELETE /v1/orders`; the symbol `*` means every instrument."""

    symbol: _SymbolOrAll
    side: Literal["buy", "sell"] | None = None
    account: Annotated[int, msgspec.Meta(ge=1, le=2**32 - 1)] | None = None


class CancelOnDisconnectParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Without `enabled`: only asks how it stands."""

    enabled: bool | None = None
    after_close: bool = False
    """Whether a close by the client with code 1000 or 1001 counts as well."""


class CancelAllAfterParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The fields of `order_schemas.CancelAllAfterRequest`."""

    seconds: Annotated[int, msgspec.Meta(ge=0, le=86_400)]


class NoParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """No params."""


Params = TypeVar(
    "Params",
    AuthenticateParams,
    SubscribeParams,
    OptionsParams,
    CancelParams,
    AmendParams,
    MassCancelParams,
    CancelOnDisconnectParams,
    CancelAllAfterParams,
    NoParams,
)

_decode_message = msgspec.json.Decoder(Message).decode
_decode_whole: Callable[[str | bytes], PlaceOrder | AmendOrder | CancelOrder | Batch]
_decode_whole = msgspec.json.Decoder(PlaceOrder | AmendOrder | CancelOrder | Batch).decode


def decode_message(text: str | bytes) -> AnyMessage:
    """The message; raises a 400 or 422 problem. `params` are not decoded if the method is not frequent, or they are invalid."""
    try:
        whole = _decode_whole(text)
        if has_each_key_once(text, whole):
            return whole
    except REFUSED:
        pass
    try:
        message = _decode_message(text)
    except REFUSED as error:
        raise _problem(error) from None
    check_json(text)
    return message


def decode_params(params: msgspec.Raw | OrderBody | MixedBatchBody | Params, kind: type[Params]) -> Params:
    """The params of a method; raises a 422 problem."""
    if isinstance(params, kind):
        return params
    assert isinstance(params, msgspec.Raw)
    try:
        return msgspec.json.decode(params, type=kind)
    except REFUSED as error:
        raise _problem(error, params) from None


def request_id_of(text: str | bytes) -> RequestId:
    """The `req_id` of a message that could not be decoded; None where it has no valid one."""
    try:
        message = msgspec.json.decode(text)
    except REFUSED:
        return None
    request_id = message.get("req_id") if isinstance(message, dict) else None
    if isinstance(request_id, bool) or not isinstance(request_id, int | str):
        return None
    return None if isinstance(request_id, str) and len(request_id) > MAX_REQUEST_ID else request_id


def _problem(error: Exception, params: msgspec.Raw | None = None) -> ProblemError:
    text = str(error)
    if not isinstance(error, msgspec.ValidationError):
        return not_json(error, "message")
    # "Expected `str`, got `int` - at `$.channels[0]`" or "Object contains unknown field `x`"
    message, _, path = text.partition(" - at `$")
    field = re.sub(r"\[(\d+)\]", r".\1", path.rstrip("`")).strip(".")
    named = re.search(r"field `([^`]*)`", message)
    if named:
        field = f"{field}.{named[1]}".strip(".")
        message = "is missing" if "missing required" in message else "there is no such field here"
    elif message.startswith("Expected `str"):
        # The message is that of a valid JSON text, so the params can be decoded.
        values = {} if params is None else msgspec.json.decode(params)
        message = form_of(field, values.get(field)) or message
    return field_problem("validation_failed", field[:80] or "message", message[:200])
