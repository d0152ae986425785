"""Orders as the gateway sees them: the open ones, and a bounded memory of those that ended lately."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any

from matching_engine.records import Command, Event, OrderType, Side, TimeInForce

ENDED_LIMIT = 50_000
"""How many ended orders stay in memory; older ones are read from the read database."""

SIDE_NAMES: dict[int, str] = {Side.BUY: "buy", Side.SELL: "sell"}
ORDER_TYPE_NAMES: dict[int, str] = {OrderType.LIMIT: "limit", OrderType.MARKET: "market"}
TIME_IN_FORCE_NAMES: dict[int, str] = {TimeInForce.DAY: "day", TimeInForce.GTC: "gtc", TimeInForce.IOC: "ioc"}


class VenueOrder:
    """One order as it stands: the columns of the read database's `orders`. It changes in place while it is open."""

    __slots__ = (
        "account",
        "actor",
        "client_order_id",
        "created_ns",
        "fees_fen",
        "filled_fen",
        "filled_lots",
        "instrument",
        "leaves_lots",
        "order_id",
        "order_type",
        "price_ticks",
        "quantity_lots",
        "reason",
        "reserved_fen",
        "side",
        "state",
        "time_in_force",
        "trading_date",
        "updated_ns",
        "updated_seq",
    )

    account: int
    actor: int
    client_order_id: str
    created_ns: int
    fees_fen: int
    filled_fen: int
    filled_lots: int
    instrument: int
    leaves_lots: int
    order_id: int
    order_type: int
    price_ticks: int
    quantity_lots: int
    reason: int
    reserved_fen: int
    side: int
    state: str
    time_in_force: int
    trading_date: int
    updated_ns: int
    updated_seq: int

    @classmethod
    def entered(cls, command: Command, event: Event, trading_date: int) -> VenueOrder:
        """A new order: accepted (state `new`) or rejected, as its first event says."""
        order = cls()
        order.account = command.account
        order.actor = command.actor
        # ASCII by contract, but no byte may ever stop a reader.
        order.client_order_id = command.client_order_id.decode("latin-1")
        order.created_ns = order.updated_ns = command.time_ns
        order.fees_fen = order.filled_fen = order.filled_lots = 0
        order.instrument = command.instrument
        order.order_id = order.updated_seq = command.seq
        order.order_type = command.order_type
        order.price_ticks = command.price_ticks
        order.quantity_lots = command.quantity_lots
        order.reserved_fen = event.reserve_fen
        order.side = command.side
        order.time_in_force = command.time_in_force
        order.trading_date = trading_date
        order.leaves_lots = event.leaves_lots
        order.reason = event.reason
        order.state = "new"
        return order

    @classmethod
    def from_columns(cls, columns: Mapping[Any, Any]) -> VenueOrder:
        """An order out of the read database."""
        order = cls()
        for name in cls.__slots__:
            setattr(order, name, columns[name])
        return order

    def fill(self, event: Event, fee_fen: int, time_ns: int) -> None:
        """One trade of this order."""
        self.filled_lots += event.quantity_lots
        self.leaves_lots -= event.quantity_lots
        self.filled_fen += event.amount_fen
        self.fees_fen += fee_fen
        self.state = "partially_filled" if self.leaves_lots else "filled"
        self.updated_ns = time_ns
        self.updated_seq = event.seq

    def end(self, state: str, event: Event, time_ns: int) -> None:
        """Nothing more will be filled."""
        self.leaves_lots = 0
        self.state = state
        self.reason = event.reason
        self.updated_ns = time_ns
        self.updated_seq = event.seq


class VenueOrders:
    """Open orders by id, and the last `ENDED_LIMIT` that ended, oldest forgotten first."""

    def __init__(self, ended_limit: int = ENDED_LIMIT) -> None:
        self.open: dict[int, VenueOrder] = {}
        self.ended: dict[int, VenueOrder] = {}
        self._ended_ids: deque[int] = deque()
        self._ended_by_client_id: dict[tuple[int, str], VenueOrder] = {}
        self._ended_limit = ended_limit

    def get(self, order_id: int) -> VenueOrder | None:
        """An order in memory; None: unknown, or ended so long ago that only the read database has it."""
        return self.open.get(order_id) or self.ended.get(order_id)

    def ended_as(self, account: int, client_order_id: str) -> VenueOrder | None:
        """The last order of the account that ended with this client_order_id, where it is in memory."""
        return self._ended_by_client_id.get((account, client_order_id))

    def remember(self, order: VenueOrder) -> None:
        """Keeps an order that has ended."""
        self.open.pop(order.order_id, None)
        self.ended[order.order_id] = order
        self._ended_ids.append(order.order_id)
        if order.client_order_id:
            self._ended_by_client_id[order.account, order.client_order_id] = order
        if len(self._ended_ids) > self._ended_limit:
            self._forget(self.ended.pop(self._ended_ids.popleft()))

    def _forget(self, order: VenueOrder) -> None:
        client_id = order.account, order.client_order_id
        if self._ended_by_client_id.get(client_id) is order:
            del self._ended_by_client_id[client_id]
