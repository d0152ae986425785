"""What stands in requests and replies: the source of the OpenAPI document and of every validation message. What only
/v1/admin takes and gives stands in `admin_schemas.py`.

Prices and money are decimal strings in yuan, quantities whole lots, ids strings (they pass 2^53), times RFC 3339 UTC.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

SideName = Literal["buy", "sell"]
OrderTypeName = Literal["limit", "market", "stop", "stop_limit"]
TimeInForceName = Literal["day", "gtc", "ioc", "fok", "gtd"]
SelfTradeName = Literal["cancel_newest", "cancel_oldest", "cancel_both", "decrement"]
PhaseName = Literal["closed", "continuous", "halted", "call_auction", "auction_matching"]
OrderState = Literal["new", "partially_filled", "filled", "canceled", "rejected", "expired"]
DecimalText = Annotated[str, StringConstraints(pattern=r"^-?[0-9]{1,16}(\.[0-9]{1,8})?$", max_length=26)]
TimeText = Annotated[
    str,
    StringConstraints(
        pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.0{1,9})?(Z|[+-][0-9]{2}:[0-9]{2})$",
        max_length=35,
    ),
]
ClientOrderId = Annotated[str, StringConstraints(pattern=r"^[!-~]{1,36}$")]


class Request(BaseModel):
    """A body sent to REX: an unknown field or a wrong type is an error, never a guess."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Reply(BaseModel):
    """A body REX sends."""

    model_config = ConfigDict(frozen=True)


class OrderRequest(Request):
    """A new order. Which fields each type takes stands in docs/api.md; what is left out has the default given here."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "symbol": "PRND-OX",
                "side": "buy",
                "order_type": "limit",
                "time_in_force": "day",
                "price": "473000.00",
                "quantity": 3,
                "client_order_id": "my-order-0001",
            }
        }
    )

    symbol: str
    side: SideName
    order_type: OrderTypeName = "limit"
    time_in_force: TimeInForceName | None = Field(
        default=None, description="`ioc` (default) or `fok` of a market order; otherwise `day` unless it says otherwise"
    )
    price: DecimalText | None = Field(default=None, description="of a limit or stop_limit order, which need one")
    quantity: int = Field(description="whole lots")
    client_order_id: ClientOrderId | None = None
    stop_price: DecimalText | None = Field(
        default=None, description="of a stop or stop_limit order, which need one: a trade there triggers it"
    )
    expire_time: TimeText | None = Field(default=None, description="of a `gtd` order, which needs one; whole seconds")
    post_only: bool = Field(
        default=False, description="refused where it would trade at once; limit orders that may rest"
    )
    display_quantity: int | None = Field(
        default=None, description="lots shown at a time (an iceberg); limit orders that may rest; null: all of it"
    )
    self_trade_prevention: SelfTradeName = Field(
        default="cancel_newest", description="what happens where it would meet an order of its own owner"
    )


class AmendRequest(Request):
    """What an open order becomes; what is left out stays as it is. All of it is done, or nothing."""

    model_config = ConfigDict(json_schema_extra={"example": {"price": "473100.00", "quantity": 2}})

    price: DecimalText | None = None
    quantity: int | None = Field(default=None, description="the new total in lots, what is filled included")
    display_quantity: int | None = Field(default=None, description="lots shown at a time; 0: all of it from now on")
    stop_price: DecimalText | None = Field(default=None, description="while the order waits for its trigger")


class BatchRequest(Request):
    """Up to 100 orders, taken in this order."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "orders": [
                    {
                        "symbol": "PRND-OX",
                        "side": "sell",
                        "price": "473500.00",
                        "quantity": 2,
                        "client_order_id": "b-1",
                    },
                    {
                        "symbol": "PRND-OX",
                        "side": "sell",
                        "price": "474000.00",
                        "quantity": 2,
                        "client_order_id": "b-2",
                    },
                ]
            }
        }
    )

    orders: list[OrderRequest] = Field(min_length=1, max_length=100)


class Order(Reply):
    """An order as it stands (an execution report)."""

    order_id: str
    client_order_id: str | None
    account: int
    symbol: str
    side: SideName
    order_type: OrderTypeName
    time_in_force: TimeInForceName
    price: str | None
    quantity: int
    leaves_qty: int
    cum_qty: int
    avg_px: str | None
    fees: str
    state: OrderState
    reason: str | None = Field(description="stable code saying why it was rejected or ended, e.g. `insufficient_funds`")
    trading_date: str
    created_at: str
    updated_at: str
    seq: int = Field(description="journal sequence number of its last change")
    stop_price: str | None = Field(description="the trigger of a stop or stop_limit order")
    triggered: bool | None = Field(
        description="whether a stop or stop_limit order was triggered; null of any other order"
    )
    protection_price: str | None = Field(description="the furthest price a market or stop order may trade at")
    display_quantity: int | None = Field(description="lots shown at a time; null: all of it is shown")
    expire_time: str | None = Field(description="of a `gtd` order")
    post_only: bool
    self_trade_prevention: SelfTradeName
    reason_text: str | None = Field(description="`reason` as a sentence, for people; it may change")


class MassCanceled(Reply):
    """How many orders a mass cancel ended; each of them is told as any canceled order is."""

    symbol: str = Field(description="`*`: every instrument")
    side: SideName | None = Field(description="null: both")
    account: int | None = Field(description="null: every account (operators)")
    canceled: int
    seq: int


class Problem(Reply):
    """RFC 9457 problem details; `code` is stable, `errors` names each field."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    errors: list[dict[str, str]] = []


class BatchResult(Reply):
    """One of the two, for the order at the same place in the request."""

    order: Order | None = None
    error: Problem | None = None


class BatchReply(Reply):
    """Results in the order of the request."""

    results: list[BatchResult]


class OrdersPage(Reply):
    """Orders, newest first; `next_cursor` is opaque and null on the last page."""

    orders: list[Order]
    next_cursor: str | None


class Fill(Reply):
    """One side of a trade, as its account sees it."""

    trade_id: str
    order_id: str
    client_order_id: str | None
    symbol: str
    side: SideName
    liquidity: Literal["maker", "taker", "auction"]
    price: str
    quantity: int
    amount: str
    fee: str
    trading_date: str
    time: str
    seq: int
    busted: bool = Field(description="an operator took the trade back: money, goods and fees were returned")


class FillsPage(Reply):
    """Fills, newest first."""

    fills: list[Fill]
    next_cursor: str | None


class Holding(Reply):
    """Lots of one instrument in an account."""

    symbol: str
    quantity: int
    reserved: int
    available: int


class AccountLimits(Reply):
    """What an account may do at most; null: no limit."""

    max_order_quantity: int | None
    max_order_value: str | None
    max_open_orders: int | None
    max_day_turnover: str | None


class Account(Reply):
    """An account's balances, limits and switches. `available` = `cash` − `reserved`."""

    account: int
    name: str
    cash: str
    reserved: str
    available: str
    holdings: list[Holding]
    seq: int
    owner: int = Field(description="accounts of one owner never trade with each other; its own number: no group")
    account_class: int = Field(description="whose fees it pays")
    maker_rate: str = Field(description="fee rate of its class, a fraction: 0.0005 is 0.05 %")
    taker_rate: str
    limits: AccountLimits
    open_orders: int
    day_turnover: str = Field(description="yuan the account has traded today, bought and sold")
    kill_switch: bool = Field(description="the account's orders and amends are refused; cancels work")


class Instrument(Reply):
    """An instrument and today's band."""

    symbol: str
    name_en: str
    name_zh: str
    category: str
    family: str
    unit: str
    lot_size: int
    tick_size: str
    reference_price: str
    lower_limit: str
    upper_limit: str
    max_quantity: int
    phase: PhaseName
    reference_price_source: Literal["sourced", "assumed"]
    spec: str
    note: str
    collar_rate: str | None = Field(
        description="how far beyond the last price an order may reach, a fraction; null: no collar"
    )
    volatility_rate: str | None = Field(
        description="a trade further from the last price than this begins an auction, a fraction; null: never"
    )
    auction_seconds: int | None = Field(description="how long such an auction lasts")


class DepthLevel(Reply):
    """All that rests at one price."""

    price: str
    quantity: int
    orders: int


class Depth(Reply):
    """Both sides, best first, as of `seq`."""

    symbol: str
    seq: int
    bids: list[DepthLevel]
    asks: list[DepthLevel]
    checksum: int = Field(description="CRC-32 over the top ten levels; docs/api.md says how")


class PublicTrade(Reply):
    """A trade as everybody sees it."""

    trade_id: str
    symbol: str
    price: str
    quantity: int
    amount: str
    taker_side: SideName | None = Field(description="null in an auction, where nobody takes")
    time: str
    seq: int
    auction: bool = Field(description="made by the uncrossing of an auction, all of it at one price")
    busted: bool = Field(description="an operator took the trade back")


class Ticker(Reply):
    """Today's numbers of one instrument."""

    symbol: str
    seq: int
    trading_date: str
    last: str | None
    open: str | None
    high: str | None
    low: str | None
    best_bid: str | None
    best_ask: str | None
    volume: int = Field(description="lots today, busted trades not counted")
    turnover: str = Field(description="yuan today, single-sided, busted trades not counted")
    trades: int
    reference_price: str
    lower_limit: str
    upper_limit: str
    phase: PhaseName
    indicative_price: str | None = Field(description="where a call auction would trade now; null: nothing would")
    indicative_volume: int | None = Field(description="lots that would trade there; null outside a call auction")
    indicative_imbalance: int | None = Field(
        description="lots at that price that would find no partner: positive buys, negative sells"
    )
    auction_ends_at: str | None = Field(description="when a volatility auction is expected to end; null: none goes on")


class Venue(Reply):
    """Which venue this is, and where it stands."""

    name: str
    seq: int
    incarnation: str = Field(description="the journal's id: numbers of another incarnation are another history's")
    trading_date: str
    schedule: Literal["always", "exchange"]
    demo: bool = Field(description="simulated traders trade here")
    kill_switch: bool = Field(description="nobody's orders and amends are taken; cancels work")


class Health(Reply):
    """The venue answers."""

    status: Literal["ok", "ready"]
    seq: int
    kill_switch: bool = Field(description="the venue's: orders and amends are refused, cancels work")
    warnings: list[str] = Field(
        default=[], description="what an operator should look at, a sentence each; empty: nothing"
    )
