"""Models of requests and replies: the source of /openapi.json, of validation and of its messages. What one route has stands
with it, what acts have in `http/act_schemas.py`.

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
from services.data.instruments import Symbol

SideName = Literal["buy", "sell"]
OrderTypeName = Literal["limit", "market", "stop", "stop_limit"]
TimeInForceName = Literal["day", "gtc", "ioc", "fok", "gtd"]
SelfTradeName = Literal["cancel_newest", "cancel_oldest", "cancel_both", "decrement"]
PhaseName = Literal["closed", "continuous", "halted", "call_auction", "auction_matching", "delisted"]
SettlementSourceName = Literal["day_vwap", "closing_auction", "standing_quotes", "previous"]
OrderState = Literal["new", "partially_filled", "filled", "canceled", "rejected", "expired"]


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
CLIENT_ORDER_ID = r"^[!-~]{1,36}$"
ClientOrderId = Annotated[str, StringConstraints(pattern=CLIENT_ORDER_ID)]


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


class OrderRequest(Request):
    """A new order. docs/api.md has the table of the fields that each order type takes."""

    model_config = example(
        symbol="PRND-OX",
        side="buy",
        order_type="limit",
        time_in_force="day",
        price="473000.00",
        quantity=3,
        client_order_id="my-order-0001",
    )

    symbol: Symbol = Field(description="Symbol of a listed instrument.")
    side: SideName
    order_type: OrderTypeName = "limit"
    time_in_force: TimeInForceName | None = Field(
        default=None,
        description="Default: `ioc` for market orders, `day` for others. `market` takes `ioc` and `fok`; `stop` and "
        "`stop_limit` take `day`, `gtc` and `gtd`; `limit` takes all.",
    )
    price: PriceText | None = Field(
        default=None,
        description="Limit price in yuan per unit, above 0, a multiple of the tick. Required for `limit` and `stop_limit`; "
        "not allowed otherwise.",
    )
    quantity: Quantity = Field(description="Whole lots, from 1 to the instrument's `max_quantity`.")
    client_order_id: ClientOrderId | None = Field(
        default=None,
        description="The client's own id, 1 to 36 visible ASCII characters. Makes the request safe to repeat.",
    )
    stop_price: PriceText | None = Field(
        default=None,
        description="Trigger price in yuan per unit: a trade at it or beyond triggers the order. Required for `stop` and "
        "`stop_limit`; not allowed otherwise.",
    )
    expire_time: TimeText | None = Field(
        default=None,
        description="RFC 3339 with a zone, whole seconds, in the future. Required for `gtd`; not allowed otherwise.",
    )
    post_only: bool = Field(
        default=False,
        description="True: the order is refused if it would trade at once. Only for `limit` with `day`, `gtc` or `gtd`.",
    )
    display_quantity: Quantity | None = Field(
        default=None,
        description="Iceberg: lots displayed at a time, from a hundredth of `quantity` (rounded up) to all of it. "
        "Null: all of it. Only for `limit` with `day`, `gtc` or `gtd`.",
    )
    self_trade_prevention: SelfTradeName = Field(
        default="cancel_newest",
        description="What happens if the order would trade with an order of the same owner: cancel this order, the resting "
        "one, or both, or reduce both by the smaller quantity.",
    )


class AmendRequest(Request):
    """Changes to an open order: at least one. An absent or null field stays as it is. Either all changes happen or none."""

    model_config = ConfigDict(
        json_schema_extra={"minProperties": 1, "example": {"price": "473100.00", "quantity": 2}},
    )

    price: PriceText | None = Field(default=None, description="New limit price in yuan per unit.")
    quantity: Quantity | None = Field(default=None, description="New total in lots, including the filled part.")
    display_quantity: QuantityOrZero | None = Field(
        default=None, description="Lots displayed at a time. 0: all of them from now on."
    )
    stop_price: PriceText | None = Field(
        default=None, description="New trigger price. Only while the order waits for its trigger."
    )


class BatchRequest(Request):
    """1 to 100 orders, carried out in the order of the list."""

    model_config = example(
        orders=[
            {"symbol": "PRND-OX", "side": "sell", "price": "473500.00", "quantity": 2, "client_order_id": "b-1"},
            {"symbol": "PRND-OX", "side": "sell", "price": "474000.00", "quantity": 2, "client_order_id": "b-2"},
        ]
    )

    orders: list[OrderRequest] = Field(min_length=1, max_length=100)


OrderId = Annotated[str, StringConstraints(pattern=r"^[1-9][0-9]{0,17}$")]


class AmendOf(AmendRequest):
    """An amend in a batch: one of the two ids of the order, and at least one change."""

    order_id: OrderId | None = Field(default=None, description="The venue's id of the order.")
    client_order_id: ClientOrderId | None = Field(default=None, description="The client's id of the order.")


class CancelOf(Request):
    """A cancel in a batch: one of the two ids of the order."""

    order_id: OrderId | None = Field(default=None, description="The venue's id of the order.")
    client_order_id: ClientOrderId | None = Field(default=None, description="The client's id of the order.")


class MixedEntry(Request):
    """One request of a mixed batch: exactly one of the three."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1, "maxProperties": 1})

    place: OrderRequest | None = None
    amend: AmendOf | None = None
    cancel: CancelOf | None = None


class MixedBatchRequest(Request):
    """1 to 500 requests, carried out in the order of the list."""

    model_config = example(
        requests=[
            {"place": {"symbol": "PRND-OX", "side": "sell", "price": "473500.00", "quantity": 2}},
            {"amend": {"client_order_id": "b-1", "price": "473600.00"}},
            {"cancel": {"order_id": "118"}},
        ]
    )

    requests: list[MixedEntry] = Field(min_length=1, max_length=500)


class CancelOrdersRequest(Request):
    """1 to 500 orders to cancel, each by one of its two ids: first those of `order_ids`, in their order."""

    model_config = ConfigDict(
        json_schema_extra={"minProperties": 1, "example": {"order_ids": ["118"], "client_order_ids": ["b-1"]}}
    )

    order_ids: list[OrderId] = Field(default=[], max_length=500)
    client_order_ids: list[ClientOrderId] = Field(default=[], max_length=500)


class CancelAllAfterRequest(Request):
    """Arms, re-arms or disarms the key's dead-man timer."""

    model_config = example(seconds=60)

    seconds: int = Field(ge=0, le=86_400, description="After so many seconds all orders are canceled. 0: never.")


class CancelAllAfter(Reply):
    """The key's dead-man timer."""

    seconds: int = Field(description="0: the timer is off.")
    cancels_at: str | None = Field(description="When it cancels all open orders of the account. Null: never.")


Verdict = Literal["accepted", "rejected", "canceled", "repeated"]


class OrderTested(Reply):
    """What placing an order would give at this moment. Nothing was placed."""

    verdict: Verdict = Field(
        description="`canceled`: a `fok` order that would end unfilled. `repeated`: the client_order_id and the body are those "
        "of an earlier order."
    )
    reason: str | None = Field(description="Why it would be rejected or canceled: the code of an order's `reason`.")
    reason_text: str | None = Field(description="`reason` as a sentence for people; its wording may change.")
    repeats: str | None = Field(description="The `order_id` of the order that it would repeat.")
    symbol: str
    price: str = Field(description="Limit price; of a `market` or `stop` order the protection price. Yuan per unit.")
    notional: str = Field(description="`price` times quantity, in yuan.")
    reserve: str = Field(
        description="Yuan that a buy would reserve: its value and the highest possible fee. 0 for a sell."
    )
    reserve_quantity: int = Field(description="Lots that a sell would reserve. 0 for a buy.")
    fee_as_maker: str = Field(description="The fee of the whole quantity in one trade at `price` as maker, in yuan.")
    fee_as_taker: str = Field(description="The same as taker.")
    available_after: str = Field(description="Yuan available after the reserve. Below 0: so much is missing.")
    available_quantity_after: int = Field(description="Lots of the instrument available after it.")
    seq: int = Field(description="The journal sequence number of the state that was asked.")


class Order(Reply):
    """An order as it stands (an execution report)."""

    order_id: str
    client_order_id: str | None
    account: int
    symbol: str
    side: SideName
    order_type: OrderTypeName = Field(description="As placed; a triggered `stop` stays `stop`.")
    time_in_force: TimeInForceName
    price: str | None = Field(description="Limit price in yuan per unit. Null for `market` and `stop`.")
    quantity: int = Field(description="Total in lots.")
    leaves_qty: int = Field(description="Lots still open.")
    cum_qty: int = Field(description="Lots filled.")
    avg_px: str | None = Field(description="Average fill price in yuan per unit. Null before the first fill.")
    fees: str = Field(description="Fees charged so far, in yuan.")
    state: OrderState
    reason: str | None = Field(
        description="Stable code of why the order was rejected or ended, e.g. `insufficient_funds`."
    )
    trading_date: str = Field(description="Trading day on which the order was placed (Asia/Shanghai).")
    created_at: str
    updated_at: str
    seq: int = Field(description="Journal sequence number of the last change.")
    stop_price: str | None = Field(description="Trigger price of a `stop` or `stop_limit` order. Null for others.")
    triggered: bool | None = Field(
        description="Whether a `stop` or `stop_limit` order has been triggered. Null for others."
    )
    protection_price: str | None = Field(
        description="Furthest price at which a `market` or `stop` order may trade. Null for others."
    )
    display_quantity: int | None = Field(description="Iceberg: lots displayed at a time. Null: all of them.")
    expire_time: str | None = Field(description="When a `gtd` order expires. Null for others.")
    post_only: bool
    self_trade_prevention: SelfTradeName
    reason_text: str | None = Field(description="`reason` as a sentence for people; its wording may change.")


class MassCanceled(Reply):
    """The number of orders that a mass cancel ended. Each of them is also reported like any canceled order."""

    symbol: str = Field(description="The instrument; `*`: every instrument.")
    side: SideName | None = Field(description="The side; null: both.")
    account: int | None = Field(description="The account; null: every account (operators).")
    canceled: int = Field(description="Number of canceled orders.")
    seq: int


class InvalidField(Reply):
    """An invalid field, named by its path (`orders.3.price`), and what is wrong with it."""

    field: str
    message: str


class Problem(Reply):
    """RFC 9457 problem details. `code` is stable, `type` a page about it; `errors` names each invalid field. `next_step` says
    what to do where that is not to correct the request. `request_id` is that of the header X-Request-Id; null in a batch's
    results and over WebSocket."""

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


class BatchResult(Reply):
    """The result of the request at the same place: either `order` or `error`; the other is null."""

    order: Order | None = None
    error: Problem | None = None


class BatchReply(Reply):
    """One result for each request, in the order of the request."""

    results: list[BatchResult]


class OrdersPage(Reply):
    """One page of orders."""

    orders: list[Order]
    next_cursor: NextCursor


class Fill(Reply):
    """One side of a trade, as its account sees it."""

    trade_id: str
    order_id: str
    client_order_id: str | None
    symbol: str
    side: SideName
    liquidity: Literal["maker", "taker", "auction"]
    price: str = Field(description="Yuan per unit.")
    quantity: int = Field(description="Lots.")
    amount: str = Field(description="Value of the trade in yuan.")
    fee: str = Field(description="This side's fee in yuan.")
    trading_date: str
    time: str
    seq: int
    busted: bool = Field(description="An operator busted the trade: money, goods and fees were returned.")


class AccountFill(Fill):
    """A fill of the drop copy, which names the account."""

    account: int


class FillsPage(Reply):
    """One page of fills."""

    fills: list[Fill]
    next_cursor: NextCursor


class Holding(Reply):
    """Lots of one instrument in an account. `available` = `quantity` − `reserved`."""

    symbol: str
    quantity: int
    reserved: int = Field(description="Lots reserved for open sell orders.")
    available: int


class AccountLimits(Reply):
    """Limits of an account. Null: no limit."""

    max_order_quantity: int | None = Field(description="Lots of one order.")
    max_order_value: str | None = Field(description="Value of one order in yuan.")
    max_open_orders: int | None
    max_day_turnover: str | None = Field(description="Yuan bought and sold in one trading day.")


class Account(Reply):
    """An account's balances, limits and switches. `available` = `cash` − `reserved`."""

    account: int
    name: str
    cash: str = Field(description="Yuan.")
    reserved: str = Field(description="Yuan reserved for open buy orders and their highest possible fees.")
    available: str = Field(description="Yuan.")
    holdings: list[Holding]
    seq: int
    owner: int = Field(
        description="Owner group: accounts of the same owner never trade with each other. The account's own number: no group."
    )
    account_class: int = Field(description="The account class, which determines the fee rates.")
    maker_rate: str = Field(description="Fee rate of the account class as a fraction: 0.0005 is 0.05 %.")
    taker_rate: str = Field(description="Fee rate of the account class as a fraction: 0.0005 is 0.05 %.")
    limits: AccountLimits
    open_orders: int
    day_turnover: str = Field(description="Yuan bought and sold on this trading day, without busted trades.")
    kill_switch: bool = Field(description="True: the account's orders and amends are refused; cancels are accepted.")


class Instrument(Reply):
    """A listed instrument and the price band of the trading day."""

    symbol: str
    name_en: str
    name_zh: str
    category: str
    family: str
    unit: str = Field(description="Unit of the price: kg or t.")
    lot_size: int = Field(description="Units in one lot.")
    tick_size: str = Field(description="Smallest price step in yuan per unit.")
    reference_price: str = Field(description="The last settlement price, in yuan per unit.")
    settlement_source: SettlementSourceName | None = Field(
        description="Where that price comes from: the average price of the day before, its closing auction, the middle of the"
        " quotes that stood to its end, or the settlement price before. Null: from the listing."
    )
    lower_limit: str = Field(description="Lowest price of the trading day, in yuan per unit.")
    upper_limit: str = Field(description="Highest price of the trading day, in yuan per unit.")
    max_quantity: int = Field(description="Largest order in lots.")
    phase: PhaseName
    reference_price_source: Literal["sourced", "assumed"] = Field(
        description="Whether the reference price of the listing was taken from a source or assumed."
    )
    spec: str
    note: str
    band_rate: str = Field(description="How far from the reference price the day's limits are, as a fraction.")
    collar_rate: str | None = Field(
        description="How far beyond the last price an order may reach, as a fraction. Null: no collar."
    )
    volatility_rate: str | None = Field(
        description="A trade further from the last price than this fraction begins an auction instead. Null: never."
    )
    auction_seconds: int | None = Field(description="Duration of such an auction in seconds. Null: none is set.")


class DepthLevel(Reply):
    """The displayed quantity and the number of orders at one price."""

    price: str = Field(description="Yuan per unit.")
    quantity: int = Field(description="Lots.")
    orders: int


class Depth(Reply):
    """Both sides of the book, best price first, as of `seq`."""

    symbol: str
    seq: int
    bids: list[DepthLevel]
    asks: list[DepthLevel]
    checksum: int = Field(description="CRC-32 over the top ten levels of each side; docs/api.md defines it.")


class PublicTrade(Reply):
    """A trade, without the identity of its parties."""

    trade_id: str
    symbol: str
    price: str = Field(description="Yuan per unit.")
    quantity: int = Field(description="Lots.")
    amount: str = Field(description="Value of the trade in yuan.")
    taker_side: SideName | None = Field(description="Null in an auction, which has no taker.")
    time: str
    seq: int
    auction: bool = Field(description="Made by the uncrossing of an auction, at its single price.")
    busted: bool = Field(description="An operator busted the trade.")


class Ticker(Reply):
    """One instrument's statistics of the trading day. Prices are in yuan per unit."""

    symbol: str
    seq: int
    trading_date: str
    last: str | None
    open: str | None
    high: str | None
    low: str | None
    best_bid: str | None
    best_ask: str | None
    volume: int = Field(description="Lots traded today, without busted trades.")
    turnover: str = Field(description="Yuan traded today, single-sided, without busted trades.")
    trades: int = Field(description="Number of trades today, without busted ones.")
    reference_price: str
    lower_limit: str
    upper_limit: str
    phase: PhaseName
    indicative_price: str | None = Field(
        description="Price at which a call auction would trade now. Null: nothing would trade."
    )
    indicative_volume: int | None = Field(
        description="Lots that would trade at that price. Null outside a call auction."
    )
    indicative_imbalance: int | None = Field(
        description="Lots left unmatched at that price: positive on the buy side, negative on the sell side."
    )
    auction_ends_at: str | None = Field(description="Expected end of a volatility auction. Null: none is running.")


class AuctionIndication(Reply):
    """What a call auction of the instrument would trade now. Outside one every figure is null."""

    symbol: str
    seq: int
    phase: PhaseName
    indicative_price: str | None = Field(description="Yuan per unit. Null: nothing would trade.")
    indicative_volume: int | None = Field(description="Lots that would trade at that price.")
    indicative_imbalance: int | None = Field(
        description="Lots left unmatched at that price: positive on the buy side, negative on the sell side."
    )
    auction_ends_at: str | None = Field(description="Expected end of a volatility auction. Null: none is running.")


class ScheduledChange(Reply):
    """A change that the venue's timetable makes. Halts and phases that operators set are not in it."""

    time: str
    phase: PhaseName = Field(description="From then on.")
    trading_date: str = Field(description="From then on: the day roll, 17:00 in Shanghai, begins the next one.")


class VenueTime(Reply):
    """The venue's clock."""

    time: str
    seq: int = Field(description="Last journal sequence number that the gateway has applied.")


class Calendar(Reply):
    """A year's trading days, and the timetable of the present day."""

    year: int
    assumed: bool = Field(description="The year's holidays are not published: its days are assumed.")
    trading_days: list[str]
    schedule: Literal["always", "exchange"]
    date: str = Field(description="Today in Shanghai.")
    changes_today: list[ScheduledChange] = Field(description="Of the whole day, in order. Empty: no trading day.")
    next_changes: list[ScheduledChange] = Field(description="The next ones from now, in order.")


class FeeSchedule(Reply):
    """The fee rates of one account class, as fractions of a trade's value."""

    account_class: int
    maker_rate: str
    taker_rate: str


class Venue(Reply):
    """The venue, its journal and its trading day."""

    name: str
    seq: int = Field(description="Last journal sequence number that the gateway has applied.")
    incarnation: str = Field(
        description="The journal's id. Sequence numbers and ids of another incarnation belong to another history."
    )
    trading_date: str
    schedule: Literal["always", "exchange"]
    demo: bool = Field(description="True: simulated traders trade here.")
    kill_switch: bool = Field(description="True: all orders and amends are refused; cancels are accepted.")
    next_changes: list[ScheduledChange] = Field(description="The next changes of the timetable, in order.")


class Health(Reply):
    """The state of the process."""

    status: Literal["ok", "ready"]
    seq: int = Field(description="Last journal sequence number that the gateway has applied.")
    kill_switch: bool = Field(description="The venue's: orders and amends are refused, cancels are accepted.")
    warnings: list[str] = Field(
        default=[], description="Conditions that need an operator's attention, one sentence each. Empty: none."
    )
    acts_of_two: list[str] = Field(
        default=[],
        description="The acts that need a second person at this gateway (`REX_FOUR_EYES`): the same at all of them.",
    )
    epoch: int | None = Field(
        default=None, description="Scaled mode: the epoch of the sequencer at the link's other end."
    )
    link_age_s: float | None = Field(
        default=None, description="Scaled mode: seconds since the last message of the sequencer; null without a link."
    )
    oldest_command_age_s: float | None = Field(
        default=None, description="Scaled mode: how long the oldest command has waited for its commit; 0: none waits."
    )
    replicated: bool | None = Field(
        default=None, description="Scaled mode: whether a synchronous standby of PostgreSQL confirms each commit."
    )
    journal_lag: int | None = Field(
        default=None,
        description="Scaled mode: commands in the journal that the gateway has not applied, at the last look.",
    )
    journal_lag_s: float | None = Field(
        default=None,
        description="Scaled mode: seconds since the first of these commands was seen in the journal; 0: none.",
    )
    redis: bool | None = Field(default=None, description="Scaled mode: whether Redis answers; only readers use it.")
    limits_shared: bool | None = Field(
        default=None,
        description="Scaled mode: whether gateways share the rate limit of a key; false: Redis is away; null: there is none.",
    )
    command_age_s: float | None = Field(
        default=None, description="A venue in one process: seconds since the time of the last command."
    )
    read_database_lag: int | None = Field(
        default=None, description="A venue in one process: commands that the read database has not applied."
    )
    read_database_silent_s: float | None = Field(
        default=None,
        description="A venue in one process: seconds for which its projector has not gone on although there is more; 0: none.",
    )
    proven_seq: int | None = Field(
        default=None,
        description="A venue in one process: the last command at which a proof of the figure agreed; null: none did since the "
        "start.",
    )
    proven_age_s: float | None = Field(default=None, description="Seconds since that proof ended.")
    proof_agrees: bool | None = Field(
        default=None,
        description="A venue in one process: whether the latest proof of each year agrees; null before the first proof.",
    )
    proof_age_s: float | None = Field(
        default=None, description="Seconds since the latest proof ended, also one that failed."
    )
    proof_reached_seq: int | None = Field(
        default=None, description="The command that the proof under way has reached; null: none runs at this process."
    )
    proof_to_seq: int | None = Field(default=None, description="The last command of the proof under way.")
    snapshot_seq: int | None = Field(
        default=None,
        description="A venue in one process: the last command in its newest snapshot; null: there is none.",
    )
    snapshot_age_s: float | None = Field(default=None, description="Seconds since the newest snapshot was taken.")
    start_snapshot_seq: int | None = Field(
        default=None,
        description="A venue in one process: the last start re-executed the commands after this one, from a snapshot; 0: all.",
    )
    websockets: int | None = Field(default=None, description="WebSockets that are open at this process.")
    sessions: int | None = Field(default=None, description="Sessions of people who are logged in at this process.")
