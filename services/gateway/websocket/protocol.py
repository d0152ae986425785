"""What is said over the WebSocket: each method with the models of its params and result, each channel with that of its data."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

from pydantic import BaseModel

from services.commands.attachments import Scope
from services.gateway import order_schemas as orders
from services.gateway.http.market import Ticker
from services.gateway.websocket import market_models as market
from services.gateway.websocket import messages, private_models, reply_models

Model = type[Any]
"""Of msgspec where only the WebSocket has it, of pydantic where REST has it, too."""
PushType = Literal["snapshot", "update", "resumed", "server_shutdown"]


class Method(NamedTuple):
    """A request and its result."""

    summary: str
    params: Model
    result: Model
    scopes: tuple[Scope, ...]
    """The scopes of which the key needs one; empty: it needs none."""


class Channel(NamedTuple):
    """The pushes of a channel."""

    summary: str
    data: Model
    types: tuple[PushType, ...]
    scopes: tuple[Scope, ...]
    has_symbol: bool = False
    """Whether each instrument is a stream of its own."""
    is_public: bool = False
    """Whether it needs no key where the venue's market data is public."""


METHODS = {
    "authenticate": Method(
        "Gives the connection a key", messages.AuthenticateParams, reply_models.Authenticated, ()
    ),
    "place_order": Method("Places an order", orders.OrderRequest, orders.Order, ("trade",)),
    "amend_order": Method("Amends an open order", orders.AmendOf, orders.Order, ("trade",)),
    "cancel_order": Method("Cancels an open order", orders.CancelOf, orders.Order, ("trade", "operate")),
    "mass_cancel": Method(
        "Cancels all open orders of an account", messages.MassCancelParams, orders.MassCanceled, ("trade", "operate")
    ),
    "batch": Method(
        "Places, amends and cancels orders in one message", orders.MixedBatchRequest, orders.BatchReply, ("trade",)
    ),
    "cancel_orders": Method(
        "Cancels a list of orders", orders.CancelOrdersRequest, orders.BatchReply, ("trade", "operate")
    ),
    "test_order": Method("Tells what an order would give", orders.OrderRequest, orders.OrderTested, ("trade",)),
    "cancel_on_disconnect": Method(
        "Sets whether the end of the connection cancels the account's orders",
        messages.CancelOnDisconnectParams,
        reply_models.DisconnectRule,
        ("trade",),
    ),
    "cancel_all_after": Method(
        "Arms the dead-man timer of the key", orders.CancelAllAfterRequest, orders.CancelAllAfter, ("trade",)
    ),
    "subscribe": Method(
        "Subscribes to channels, or resumes them", messages.SubscribeParams, reply_models.Subscribed, ("read",)
    ),
    "unsubscribe": Method(
        "Ends subscriptions", messages.SubscribeParams, reply_models.Subscribed, ("read",)
    ),
    "subscriptions": Method(
        "Lists the subscriptions of the connection", messages.NoParams, reply_models.Subscriptions, ()
    ),
    "options": Method(
        "Asks for heartbeats, or for times in replies", messages.OptionsParams, reply_models.ConnectionOptions, ()
    ),
    "ping": Method("Asks for the venue's clock", messages.NoParams, reply_models.Pong, ()),
}  # fmt: skip
"""By name."""

_STATE: tuple[PushType, ...] = ("snapshot", "update")
_EVENTS: tuple[PushType, ...] = ("snapshot", "update", "resumed")
_READ: tuple[Scope, ...] = ("read",)
_OPERATE: tuple[Scope, ...] = ("operate", "audit")

CHANNELS = {
    "depth": Channel("The book, level by level", market.DepthData, _STATE, _READ, True, True),
    "top": Channel("The best bid and offer", market.TopData, _STATE, _READ, True, True),
    "trades": Channel("Trades, and those taken back", market.TradesData, _EVENTS, _READ, True, True),
    "ticker": Channel("The statistics of the trading day", Ticker, _STATE, _READ, True, True),
    "candles": Channel("Candles of the trading day", market.CandlesData, _STATE, _READ, True, True),
    "auction": Channel("What a call auction would trade now", market.AuctionData, _STATE, _READ, True, True),
    "status": Channel("Phases, halts and the timetable", market.StatusData, _EVENTS, _READ, is_public=True),
    "turnover": Channel("The net turnover of day and year", market.TurnoverData, _STATE, _READ, is_public=True),
    "orders": Channel("The account's orders, fills and busts", private_models.OrdersData, _EVENTS, _READ),
    "fills": Channel("The account's fills and busts", private_models.FillsData, _EVENTS, _READ),
    "balances": Channel("The account's cash and holdings", private_models.BalancesData, _EVENTS, _READ),
    "drop_copy": Channel("The orders of every account", private_models.DropCopyData, _EVENTS, _OPERATE),
    "alerts": Channel("The alerts of the venue", private_models.AlertsData, _STATE, _OPERATE),
    "heartbeat": Channel("A sign of life, when asked for", market.HeartbeatData, ("update",), ()),
    "venue": Channel("The notice of a planned end", market.ShutdownData, ("server_shutdown",), ()),
}
"""By name. The last two need no subscription."""

PUBLIC_CHANNELS = frozenset(name for name, channel in CHANNELS.items() if channel.is_public)
"""What may be subscribed to without a key, where market data is public."""


def is_of_rest(model: Model) -> bool:
    """Whether REST has the model, too."""
    return issubclass(model, BaseModel)
