"""The data of the private channels' pushes; the envelope is that of all pushes."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec

from services.gateway.websocket.market_models import Push, model_row

PrivateChannel = Literal["orders", "fills", "balances", "drop_copy"]

OrderRow = Annotated[dict[str, Any], model_row("Order")]
FillRow = Annotated[dict[str, Any], model_row("Fill")]
AccountFillRow = Annotated[dict[str, Any], model_row("AccountFill")]
AlertRow = Annotated[dict[str, Any], model_row("Alert")]


PART_ROWS = 500
"""How many orders or alerts a push of a snapshot tells at most."""

More = Literal[True] | msgspec.UnsetType


def more_if(is_cut: bool) -> More:
    """The mark of a part behind which another one comes."""
    return True if is_cut else msgspec.UNSET


class ResumePoint(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where a client was: the `incarnation` and `seq` of the last push of a stream that it has taken."""

    incarnation: str
    seq: Annotated[int, msgspec.Meta(ge=0)]


class BustedFill(msgspec.Struct):
    """A trade that was taken back, as one of its accounts sees it; with `account` in the drop copy."""

    trade_id: str
    symbol: str
    side: str
    price: str
    quantity: int
    amount: str
    fee: str
    seq: int
    account: int | msgspec.UnsetType = msgspec.UNSET


class OrdersData(msgspec.Struct):
    """Of `orders`: the orders that changed, as they stand; the fills that were made, the trades taken back."""

    orders: list[OrderRow]
    fills: list[FillRow]
    busts: list[BustedFill]
    more: More = msgspec.UNSET
    """In a snapshot of more than 500, and in the updates that go on with it: the next update tells more of them."""


class DropCopyData(msgspec.Struct):
    """Of `drop_copy`: as `orders`, of every account; each fill and each bust once for each side, with its account."""

    orders: list[OrderRow]
    fills: list[AccountFillRow]
    busts: list[BustedFill]


class AlertsData(msgspec.Struct):
    """Of `alerts`: the open alerts, in an update those that changed, as they stand."""

    alerts: list[AlertRow]
    more: More = msgspec.UNSET
    """In a snapshot of more than 500, and in the updates that go on with it: the next update tells more of them."""


class FillsData(msgspec.Struct):
    """Of `fills`: the fills that were made, and the trades taken back, each in order."""

    fills: list[FillRow]
    busts: list[BustedFill]


class HoldingData(msgspec.Struct):
    """Lots of one instrument; 0 after the last is gone."""

    symbol: str
    quantity: int
    reserved: int
    available: int


class BalancesData(msgspec.Struct):
    """Of `balances`: the account's cash, and its holdings; in an update those of the instruments that changed."""

    account: int
    cash: str
    reserved: str
    available: str
    holdings: list[HoldingData]


PrivateData = OrdersData | DropCopyData | FillsData | BalancesData


def orders_data(
    channel: PrivateChannel, orders: list[dict[str, Any]], fills: list[dict[str, Any]], busts: list[BustedFill]
) -> OrdersData | DropCopyData:
    """The data of `orders` or `drop_copy`."""
    return (DropCopyData if channel == "drop_copy" else OrdersData)(orders, fills, busts)


_encode = msgspec.json.Encoder().encode


def private_push_text(push: Push) -> str:
    """The push as JSON text, which few subscribers have."""
    return _encode(push).decode()
