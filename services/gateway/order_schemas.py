"""Models of orders and fills, and of the requests that place, amend and cancel: the same over REST and WebSocket."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Field, StringConstraints

from services.data.instruments import Symbol
from services.gateway.schemas import (
    ClientOrderId,
    NextCursor,
    PriceText,
    Problem,
    Quantity,
    QuantityOrZero,
    Reply,
    Request,
    SideName,
    TimeText,
    example,
)

OrderTypeName = Literal["limit", "market", "stop", "stop_limit"]
TimeInForceName = Literal["day", "gtc", "ioc", "fok", "gtd"]
SelfTradeName = Literal["cancel_newest", "cancel_oldest", "cancel_both", "decrement"]
OrderState = Literal["new", "partially_filled", "filled", "canceled", "rejected", "expired"]


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
