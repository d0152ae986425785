"""What stands in requests and replies: the source of the OpenAPI document and of every validation message.

Prices and money are decimal strings in yuan, quantities whole lots, ids strings (they pass 2^53), times RFC 3339 UTC.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

SideName = Literal["buy", "sell"]
OrderTypeName = Literal["limit", "market"]
TimeInForceName = Literal["day", "gtc", "ioc"]
OrderState = Literal["new", "partially_filled", "filled", "canceled", "rejected", "expired"]
Scope = Literal["read", "trade", "operate", "admin"]
DecimalText = Annotated[str, StringConstraints(pattern=r"^-?[0-9]{1,16}(\.[0-9]{1,8})?$", max_length=26)]
ClientOrderId = Annotated[str, StringConstraints(pattern=r"^[!-~]{1,36}$")]
Name = Annotated[str, StringConstraints(min_length=1, max_length=80)]


class Request(BaseModel):
    """A body sent to REX: an unknown field or a wrong type is an error, never a guess."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Reply(BaseModel):
    """A body REX sends."""

    model_config = ConfigDict(frozen=True)


class OrderRequest(Request):
    """A new order. A market order has no price and is always `ioc`; a limit order is `day` unless it says otherwise."""

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
    time_in_force: TimeInForceName | None = None
    price: DecimalText | None = None
    quantity: int = Field(description="whole lots")
    client_order_id: ClientOrderId | None = None


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
    liquidity: Literal["maker", "taker"]
    price: str
    quantity: int
    amount: str
    fee: str
    trading_date: str
    time: str
    seq: int


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


class Account(Reply):
    """An account's balances. `available` = `cash` − `reserved`."""

    account: int
    name: str
    cash: str
    reserved: str
    available: str
    holdings: list[Holding]
    seq: int


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
    phase: Literal["closed", "continuous", "halted"]
    reference_price_source: Literal["sourced", "assumed"]
    spec: str
    note: str


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
    taker_side: SideName
    time: str
    seq: int


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
    volume: int = Field(description="lots today")
    turnover: str = Field(description="yuan today, single-sided")
    trades: int
    reference_price: str
    lower_limit: str
    upper_limit: str
    phase: Literal["closed", "continuous", "halted"]


class Venue(Reply):
    """Which venue this is, and where it stands."""

    name: str
    seq: int
    incarnation: str = Field(description="the journal's id: numbers of another incarnation are another history's")
    trading_date: str
    schedule: Literal["always", "exchange"]
    demo: bool = Field(description="simulated traders trade here")


class Health(Reply):
    """The venue answers."""

    status: Literal["ok", "ready"]
    seq: int


class AccountRequest(Request):
    """A new account; members of one owner group never trade with each other."""

    model_config = ConfigDict(json_schema_extra={"example": {"name": "Baotou Magnet Works", "owner": 0}})

    name: Name
    owner: int = Field(default=0, ge=0, description="an account of the same owner; 0: its own group")


class AccountOpened(Reply):
    """The new account's number."""

    account: int
    name: str
    seq: int


class KeyRequest(Request):
    """A new API key. A key with `trade` is bound to an account."""

    model_config = ConfigDict(
        json_schema_extra={"example": {"name": "trading desk", "scopes": ["read", "trade"], "account": 2}}
    )

    name: Name
    scopes: list[Scope] = Field(min_length=1)
    account: int = Field(default=0, ge=0)


class KeyIssuedReply(Reply):
    """The secret is shown here once and stored nowhere."""

    key_id: str
    key: str
    account: int
    name: str
    scopes: list[Scope]
    seq: int


class CashRequest(Request):
    """Money in, or out where the amount is negative, in yuan."""

    model_config = ConfigDict(json_schema_extra={"example": {"amount": "2500000.00"}})

    amount: DecimalText


class InventoryRequest(Request):
    """Lots in, or out where the quantity is negative."""

    model_config = ConfigDict(json_schema_extra={"example": {"symbol": "PRND-OX", "quantity": 120}})

    symbol: str
    quantity: int


class Applied(Reply):
    """An administrative command was applied as `seq`."""

    seq: int
