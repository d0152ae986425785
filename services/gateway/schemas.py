"""What the models of requests and replies are made of, and problems. The models are the source of /openapi.json, of validation
and of its messages. What one route has stands with it, what acts have in `http/act_schemas.py`, orders in `order_schemas.py`.

Prices and money are decimal strings in yuan, quantities whole lots, ids strings (they pass 2^53), times RFC 3339 in UTC.

A model checks the form of a value. Bounds that come with a problem code of their own (`invalid_price`, `invalid_quantity`, …)
are checked where the command is built; the types below only state them in the document.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    StringConstraints,
    WithJsonSchema,
)
from pydantic_core import CoreSchema, PydanticCustomError

from matching_engine.records import MAX_QUANTITY_LOTS
from services.commands.texts import CONTROL, control_character

SideName = Literal["buy", "sell"]
PhaseName = Literal["closed", "continuous", "halted", "call_auction", "auction_matching", "delisted"]


def time_form(years: str, fraction: str) -> dict[str, Any]:
    """The schema of an RFC 3339 time, without leap seconds: the pattern says which years, the format that the day exists."""
    time = rf"T[0-9]{{2}}:[0-9]{{2}}:[0-5][0-9]({fraction})?(Z|[+-][0-9]{{2}}:[0-9]{{2}})"
    pattern = rf"^({years})-[0-9]{{2}}-[0-9]{{2}}{time}$"
    return {"type": "string", "format": "date-time", "pattern": pattern, "maxLength": 35}


DecimalText = Annotated[str, StringConstraints(pattern=r"^-?[0-9]{1,16}(\.[0-9]{1,8})?$", max_length=26)]
TimeText = Annotated[
    str,
    StringConstraints(
        pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.0{1,9})?(Z|[+-][0-9]{2}:[0-9]{2})$",
        max_length=35,
    ),
    WithJsonSchema(time_form("19(7[1-9]|[89][0-9])|20[0-9]{2}|210[0-5]", r"\.0{1,9}")),
]
ClientOrderId = Annotated[str, StringConstraints(pattern=r"^[!-~]{1,36}$")]


def _text_form(pattern: str) -> dict[str, Any]:
    return {"type": "string", "pattern": pattern}


# Forms with the bounds that the venue enforces, as the document states them.
_NOT_ZERO = {"not": {"pattern": r"^-?[0.]+$"}}
PriceText = Annotated[DecimalText, WithJsonSchema(_text_form(r"^[0-9]{1,16}(\.[0-9]{1,8})?$") | _NOT_ZERO)]
AmountText = Annotated[DecimalText, WithJsonSchema(_text_form(r"^[0-9]{1,16}(\.[0-9]{1,2}0{0,6})?$") | _NOT_ZERO)]
SignedAmountText = Annotated[
    DecimalText, WithJsonSchema(_text_form(r"^-?[0-9]{1,16}(\.[0-9]{1,2}0{0,6})?$") | _NOT_ZERO)
]
_RATE = _text_form(r"^0{1,16}(\.[0-9]{1,6}0{0,2})?$")
RateText = Annotated[DecimalText, WithJsonSchema(_RATE)]
PositiveRateText = Annotated[DecimalText, WithJsonSchema(_RATE | _NOT_ZERO)]
IdText = Annotated[str, WithJsonSchema(_text_form(r"^[1-9][0-9]{0,18}$"))]
"""An id in a path or query. Another text is answered as an id that names nothing."""
Quantity = Annotated[int, WithJsonSchema({"type": "integer", "minimum": 1, "maximum": MAX_QUANTITY_LOTS})]
QuantityOrZero = Annotated[int, WithJsonSchema({"type": "integer", "minimum": 0, "maximum": MAX_QUANTITY_LOTS})]
SignedQuantity = Annotated[
    int,
    WithJsonSchema(
        {"type": "integer", "minimum": -MAX_QUANTITY_LOTS, "maximum": MAX_QUANTITY_LOTS, "not": {"enum": [0]}}
    ),
]


def _without_control(text: str) -> str:
    found = control_character(text)
    if found is not None:
        raise PydanticCustomError("control_character", "must not have the control character {found}", {"found": found})
    return text


def _not_blank(text: str) -> str:
    if not text.strip():
        raise PydanticCustomError("blank", "must not be blank")
    return text


@dataclass(frozen=True)
class _Form(AfterValidator):
    """A check, and the same in the schema, beside a pattern that the text has of its own."""

    pattern: str

    def __get_pydantic_json_schema__(self, core_schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        schema = handler(core_schema)
        return {**schema, "allOf": [*schema.get("allOf", ()), {"pattern": self.pattern}]}


WithoutControl = _Form(_without_control, f"^[^{CONTROL}]*$")
"""Of every text that the venue stores for people, in the journal and all that shows it."""

NotBlank = _Form(_not_blank, r"\S")


NextCursor = Annotated[
    str | None, Field(description="Opaque; pass it as `cursor` for the next page. Null: this is the last.")
]


class Request(BaseModel):
    """A body sent to REX: an unknown field or a wrong type is an error, never a guess."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


def example(**fields: Any) -> ConfigDict:
    """The config of a model with an example in its schema. A test sends each to its route."""
    return ConfigDict(json_schema_extra={"example": fields})


class Reply(BaseModel):
    """A body REX sends."""

    model_config = ConfigDict(frozen=True)


class InvalidField(Reply):
    """An invalid field, named by its path (`orders.3.price`), and what is wrong with it."""

    field: str
    message: str


class Problem(Reply):
    """RFC 9457 problem details. `code` is stable, `type` a page about it; `errors` names each invalid field. `next_step` says
    what to do where that is not to correct the request. `request_id` is that of the header X-Request-Id, over
    WebSocket one of the problem's own; null in a batch's results."""

    model_config = example(
        type="/errors/price_off_tick",
        title="Unprocessable Entity",
        status=422,
        detail="price: 473000.50 is not a multiple of the tick 100.00",
        code="price_off_tick",
        errors=[{"field": "price", "message": "473000.50 is not a multiple of the tick 100.00"}],
        next_step=None,
        request_id="5f0c2a9be1-1a",
    )

    type: str
    title: str
    status: int
    detail: str
    code: str
    errors: list[InvalidField] = []
    next_step: str | None = None
    request_id: str | None = None


class TooMany(Problem):
    """A problem with status 429. The last two members are those of the code `rate_limited`."""

    rate_class: Literal["orders", "cancels", "reads", "log_in", "public"] | None = Field(
        default=None, description="The class of requests whose limit is reached."
    )
    retry_after_ms: int | None = Field(default=None, description="After what time the request has its tokens.")
