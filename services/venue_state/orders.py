"""Orders in the state of the venue: the open ones, and a bounded number of those that ended last."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any

from matching_engine.records import (
    Command,
    Event,
    Flag,
    OrderType,
    SelfTrade,
    Side,
    TimeInForce,
)
from services.commands.texts import client_order_id_text

ENDED_LIMIT = 50_000
"""How many ended orders stay in memory; the read database has the older ones."""

SIDE_NAMES: dict[int, str] = {side: side.name.lower() for side in Side}
ORDER_TYPE_NAMES: dict[int, str] = {order_type: order_type.name.lower() for order_type in OrderType}
TIME_IN_FORCE_NAMES: dict[int, str] = {time_in_force: time_in_force.name.lower() for time_in_force in TimeInForce}
SELF_TRADE_NAMES: dict[int, str] = {mode: mode.name.lower() for mode in SelfTrade}

STOPS = frozenset({OrderType.STOP, OrderType.STOP_LIMIT})
UNPRICED = frozenset({OrderType.MARKET, OrderType.STOP})
"""Order types without a limit price: `price_ticks` is their protection price."""


class VenueOrder:
    """The present state of one order: the columns of the read database's `orders`, and `reason_text`, the sentence of a
    rejection with the numbers of its moment. It changes in place while the order is open."""

    __slots__ = (
        "account",
        "actor",
        "client_order_id",
        "created_ns",
        "display_lots",
        "expires_s",
        "fees_fen",
        "filled_fen",
        "filled_lots",
        "flags",
        "instrument",
        "leaves_lots",
        "order_id",
        "order_type",
        "price_ticks",
        "quantity_lots",
        "reason",
        "reason_text",
        "reserved_fen",
        "self_trade",
        "side",
        "state",
        "time_in_force",
        "trading_date",
        "trigger_ticks",
        "triggered_seq",
        "updated_ns",
        "updated_seq",
    )

    account: int
    actor: int
    client_order_id: str
    created_ns: int
    display_lots: int
    expires_s: int
    fees_fen: int
    filled_fen: int
    filled_lots: int
    flags: int
    instrument: int
    leaves_lots: int
    order_id: int
    order_type: int
    price_ticks: int
    quantity_lots: int
    reason: int
    reason_text: str | None
    reserved_fen: int
    self_trade: int
    side: int
    state: str
    time_in_force: int
    trading_date: int
    trigger_ticks: int
    triggered_seq: int
    updated_ns: int
    updated_seq: int

    @classmethod
    def entered(cls, command: Command, event: Event, trading_date: int) -> VenueOrder:
        """A new order, from its command and its first event; state `new`."""
        order = cls()
        order.account = command.account
        order.actor = command.actor
        order.client_order_id = client_order_id_text(command.client_order_id)
        order.created_ns = order.updated_ns = command.time_ns
        order.display_lots = command.display_lots
        order.expires_s = command.time_s
        order.fees_fen = order.filled_fen = order.filled_lots = 0
        order.flags = command.flags
        order.instrument = command.instrument
        order.order_id = order.updated_seq = command.seq
        order.order_type = command.order_type
        order.price_ticks = event.price_ticks
        order.quantity_lots = command.quantity_lots
        order.reason_text = None
        order.reserved_fen = event.reserve_fen
        order.self_trade = command.self_trade
        order.side = command.side
        order.time_in_force = command.time_in_force
        order.trading_date = trading_date
        order.trigger_ticks = command.trigger_ticks
        order.triggered_seq = 0
        order.leaves_lots = event.leaves_lots
        order.reason = event.reason
        order.state = "new"
        return order

    @classmethod
    def from_columns(cls, columns: Mapping[Any, Any]) -> VenueOrder:
        """An order from a row of the read database's `orders`."""
        order = cls()
        for name in cls.__slots__:
            setattr(order, name, columns.get(name))
        return order

    def fill(self, event: Event, fee_fen: int, time_ns: int) -> None:
        """Applies one trade of this order; `fee_fen` is the fee of its side."""
        self.filled_lots += event.quantity_lots
        self.leaves_lots -= event.quantity_lots
        self.filled_fen += event.amount_fen
        self.fees_fen += fee_fen
        self.state = "partially_filled" if self.leaves_lots else "filled"
        self.updated_ns = time_ns
        self.updated_seq = event.seq

    def replace(self, event: Event, command: Command) -> None:
        """Applies an amend. The event has price and quantities; the command has the display quantity and the trigger."""
        self.price_ticks = event.price_ticks
        self.quantity_lots += event.quantity_lots
        self.leaves_lots = event.leaves_lots
        if command.flags & Flag.CHANGE_DISPLAY:
            self.display_lots = command.display_lots
        if command.flags & Flag.CHANGE_TRIGGER:
            self.trigger_ticks = command.trigger_ticks
        self.updated_ns = command.time_ns
        self.updated_seq = event.seq

    def trigger(self, event: Event, time_ns: int) -> None:
        """Applies the trigger of a stop order: from now on it is a market or limit order."""
        self.triggered_seq = self.updated_seq = event.seq
        self.updated_ns = time_ns

    def decrement(self, event: Event, time_ns: int) -> None:
        """Applies self-trade prevention in mode `decrement`: the quantity shrinks, the order stays open."""
        self.quantity_lots -= event.quantity_lots
        self.leaves_lots = event.leaves_lots
        self.updated_ns = time_ns
        self.updated_seq = event.seq

    def end(self, state: str, event: Event, time_ns: int) -> None:
        """Ends the order: nothing more will be filled."""
        self.leaves_lots = 0
        self.state = state
        self.reason = event.reason
        self.updated_ns = time_ns
        self.updated_seq = event.seq


class VenueOrders:
    """Open orders by id, and the last `ended_limit` orders that ended; the one that ended first is dropped first."""

    def __init__(self, ended_limit: int = ENDED_LIMIT) -> None:
        self.open: dict[int, VenueOrder] = {}
        self.ended: dict[int, VenueOrder] = {}
        self._ended_ids: deque[int] = deque()
        self._by_client_id: dict[tuple[int, str], VenueOrder] = {}
        self._ended_limit = ended_limit

    def get(self, order_id: int) -> VenueOrder | None:
        """The order, if it is in memory. None: there is no such order, or only the read database still has it."""
        return self.open.get(order_id) or self.ended.get(order_id)

    def known_as(self, account: int, client_order_id: str) -> VenueOrder | None:
        """The account's last order with this client_order_id, if it is in memory."""
        return self._by_client_id.get((account, client_order_id))

    def add(self, order: VenueOrder) -> None:
        """Adds an open order."""
        self.open[order.order_id] = order
        self._know(order)

    def remember(self, order: VenueOrder) -> None:
        """Moves an order that has ended from the open orders to the ended ones."""
        self.open.pop(order.order_id, None)
        self.ended[order.order_id] = order
        self._ended_ids.append(order.order_id)
        self._know(order)
        if len(self._ended_ids) > self._ended_limit:
            self._forget(self.ended.pop(self._ended_ids.popleft()))

    def _know(self, order: VenueOrder) -> None:
        if order.client_order_id:
            self._by_client_id[order.account, order.client_order_id] = order

    def _forget(self, order: VenueOrder) -> None:
        client_id = order.account, order.client_order_id
        if self._by_client_id.get(client_id) is order:
            del self._by_client_id[client_id]
