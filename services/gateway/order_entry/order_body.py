"""Decodes the body of an order on the hot path: msgspec first; the pydantic model decides about a body that msgspec refuses.

`OrderRequest` is the source of the schema: /openapi.json and the texts of all refusals come from it. A property test
proves that the model accepts every body that msgspec accepts, with the same values.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache
from typing import Annotated, Literal, TypeVar

import msgspec
from msgspec import UNSET, UnsetType
from pydantic import BaseModel, ValidationError

from services.gateway.ids import OrderIdText
from services.gateway.order_schemas import BatchRequest, CancelOrdersRequest, MixedBatchRequest, OrderRequest
from services.gateway.problems import field_problem, validation_problem
from services.gateway.strict_json import REFUSED, decode_strictly

Decoded = TypeVar("Decoded")

# Python's `$` also matches before a last newline, pydantic's does not: hence \Z.
_PRICE = r"^-?[0-9]{1,16}(\.[0-9]{1,8})?\Z"
PriceText = Annotated[str, msgspec.Meta(pattern=_PRICE, max_length=26)]
TimeText = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.0{1,9})?(Z|[+-][0-9]{2}:[0-9]{2})\Z",
        max_length=35,
    ),
]
_CLIENT_ORDER_ID = r"^[!-~]{1,36}\Z"
ClientOrderId = Annotated[str, msgspec.Meta(pattern=_CLIENT_ORDER_ID)]

_matches_price = re.compile(_PRICE).match
_matches_client_order_id = re.compile(_CLIENT_ORDER_ID).match


@lru_cache(maxsize=8192)
def _is_price(text: str) -> bool:
    """Whether the text has the form of PriceText. Prices repeat."""
    return _matches_price(text) is not None


class OrderBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The fields of `order_schemas.OrderRequest`. UNSET stands for the default there, so that it differs from what was given
    (`decode_strictly`).

    Price and client_order_id are PriceText and ClientOrderId: as patterns of msgspec they would cost an order more than all
    else of its decoding does.
    """

    symbol: str
    side: Literal["buy", "sell"]
    quantity: int
    order_type: Literal["limit", "market", "stop", "stop_limit"] | UnsetType = UNSET
    time_in_force: Literal["day", "gtc", "ioc", "fok", "gtd"] | None = None
    price: Annotated[str, msgspec.Meta(max_length=26)] | None = None
    client_order_id: str | None = None
    stop_price: PriceText | None = None
    expire_time: TimeText | None = None
    post_only: bool | UnsetType = UNSET
    display_quantity: int | None = None
    self_trade_prevention: Literal["cancel_newest", "cancel_oldest", "cancel_both", "decrement"] | UnsetType = UNSET

    def __post_init__(self) -> None:
        price, name = self.price, self.client_order_id
        if price is not None and not _is_price(price):
            raise ValueError("price is no decimal number")
        if name is not None and _matches_client_order_id(name) is None:
            raise ValueError("client_order_id is not 1 to 36 characters from ! to ~")


class AmendParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One of the two ids of an order, and the fields of `order_schemas.AmendRequest`: `order_schemas.AmendOf`."""

    order_id: OrderIdText | None = None
    client_order_id: ClientOrderId | None = None
    price: PriceText | None = None
    quantity: int | None = None
    display_quantity: int | None = None
    stop_price: PriceText | None = None


class CancelParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One of the two ids of an order: `order_schemas.CancelOf`."""

    order_id: OrderIdText | None = None
    client_order_id: ClientOrderId | None = None


class MixedEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The fields of `order_schemas.MixedEntry`."""

    place: OrderBody | None = None
    amend: AmendParams | None = None
    cancel: CancelParams | None = None


class MixedBatchBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The fields of `order_schemas.MixedBatchRequest`."""

    requests: Annotated[list[MixedEntry], msgspec.Meta(min_length=1, max_length=500)]


class CancelOrdersBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The fields of `order_schemas.CancelOrdersRequest`."""

    order_ids: Annotated[list[OrderIdText], msgspec.Meta(max_length=500)] = []
    client_order_ids: Annotated[list[ClientOrderId], msgspec.Meta(max_length=500)] = []


BatchEntry = OrderBody | AmendParams | CancelParams


class BatchBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The fields of `order_schemas.BatchRequest`."""

    orders: Annotated[list[OrderBody], msgspec.Meta(min_length=1, max_length=100)]


_decode_order = msgspec.json.Decoder(OrderBody).decode
_decode_batch = msgspec.json.Decoder(BatchBody).decode
_decode_mixed_batch = msgspec.json.Decoder(MixedBatchBody).decode
_decode_cancels = msgspec.json.Decoder(CancelOrdersBody).decode
MOST_CANCELS = 500

# Of each body two functions: `decode_…` takes what REST has got, and raises the problems of `check_json` too; `…_of` takes the
# params of a message, which `messages.decode_message` has checked, and decoded if its method is frequent.


def _taken(decode: Callable[[msgspec.Raw], Decoded], params: msgspec.Raw) -> Decoded | None:
    """None: msgspec refuses it."""
    with suppress(*REFUSED):
        return decode(params)
    return None


def _by_model(body: bytes, model: type[BaseModel], kind: type[Decoded], *, include_input: bool = False) -> Decoded:
    """What the model says of a body that msgspec refuses: its value, or a 422 problem."""
    try:
        taken = model.model_validate_json(body)
    except ValidationError as error:
        raise validation_problem(error.errors(include_url=False, include_input=include_input)) from None
    return msgspec.convert(taken.model_dump(exclude_unset=True), kind)


def decode_order(body: bytes) -> OrderBody:
    """The order in a JSON body; raises a 400 or 422 problem that names the field by its path."""
    return decode_strictly(_decode_order, body) or _order(body)


def order_of(params: msgspec.Raw | OrderBody) -> OrderBody:
    """The order in the params of a message; raises as `decode_order` does."""
    return params if isinstance(params, OrderBody) else _taken(_decode_order, params) or _order(bytes(params))


def _order(body: bytes) -> OrderBody:
    return _by_model(body, OrderRequest, OrderBody, include_input=True)


def decode_batch(body: bytes) -> list[OrderBody]:
    """The orders of a JSON batch; raises a 400 or 422 problem for the whole batch that names the field (`orders.3.price`)."""
    batch = decode_strictly(_decode_batch, body) or _by_model(body, BatchRequest, BatchBody, include_input=True)
    return batch.orders


def decode_mixed_batch(body: bytes) -> list[BatchEntry]:
    """The requests of a mixed batch, in order; raises a 400 or 422 problem that names the field (`requests.3.place.price`)."""
    return _entries(decode_strictly(_decode_mixed_batch, body) or _by_model(body, MixedBatchRequest, MixedBatchBody))


def mixed_batch_of(params: msgspec.Raw | MixedBatchBody) -> list[BatchEntry]:
    """The requests in the params of a message; raises as `decode_mixed_batch` does."""
    if isinstance(params, MixedBatchBody):
        return _entries(params)
    batch = _taken(_decode_mixed_batch, params) or _by_model(bytes(params), MixedBatchRequest, MixedBatchBody)
    return _entries(batch)


def _entries(batch: MixedBatchBody) -> list[BatchEntry]:
    return [_only(entry, place) for place, entry in enumerate(batch.requests)]


def _only(entry: MixedEntry, place: int) -> BatchEntry:
    if entry.place is not None and entry.amend is None and entry.cancel is None:
        return entry.place  # Most are.
    given = [one for one in (entry.place, entry.amend, entry.cancel) if one is not None]
    if len(given) != 1:
        raise field_problem("validation_failed", f"requests.{place}", "give one of place, amend and cancel")
    return given[0]


def decode_cancels(body: bytes) -> list[BatchEntry]:
    """The cancels of a list of ids, at least one; raises a 400 or 422 problem that names the field."""
    return _cancels(decode_strictly(_decode_cancels, body) or _by_model(body, CancelOrdersRequest, CancelOrdersBody))


def cancels_of(params: msgspec.Raw) -> list[BatchEntry]:
    """The cancels in the params of a message; raises as `decode_cancels` does."""
    ids = _taken(_decode_cancels, params) or _by_model(bytes(params), CancelOrdersRequest, CancelOrdersBody)
    return _cancels(ids)


def _cancels(ids: CancelOrdersBody) -> list[BatchEntry]:
    cancels: list[BatchEntry] = [CancelParams(order_id=order_id) for order_id in ids.order_ids]
    cancels += [CancelParams(client_order_id=text) for text in ids.client_order_ids]
    if not 0 < len(cancels) <= MOST_CANCELS:
        raise field_problem("validation_failed", "order_ids", f"name 1 to {MOST_CANCELS} orders, by either id")
    return cancels
