"""What a simulated trader can send, and what it knows of its account."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from services.simulator.market import Quote

Side = Literal["buy", "sell"]


class NewOrder(NamedTuple):
    """Places an order. `price_ticks` None: a market order, or a stop order if `stop_ticks` is set."""

    symbol: str
    side: Side
    quantity: int
    price_ticks: int | None
    time_in_force: Literal["day", "gtc", "gtd", "ioc", "fok"]
    stop_ticks: int | None = None
    display: int | None = None
    post_only: bool = False
    lifetime_s: int | None = None


class Amend(NamedTuple):
    """Changes an order's price."""

    order_id: str
    price_ticks: int


class Cancel(NamedTuple):
    """Cancels an order."""

    order_id: str


Action = NewOrder | Amend | Cancel


class TraderOrder(NamedTuple):
    """An open order of the trader. The price of a stop is its trigger price."""

    order_id: str
    symbol: str
    side: Side
    price_ticks: int
    leaves_qty: int


@dataclass
class TraderBook:
    """What a trader knows of its account: open orders by id, available lots and cash, and the lots it wants to hold."""

    home_lots: Mapping[str, int]
    open_orders: dict[str, TraderOrder] = field(default_factory=dict)
    available_lots: dict[str, int] = field(default_factory=dict)
    available_fen: int = 0

    def resting(self, symbol: str, side: Side) -> list[TraderOrder]:
        """The open orders on one side of an instrument, oldest first."""
        return [order for order in self.open_orders.values() if order.symbol == symbol and order.side == side]

    def hunger(self, symbol: str) -> float:
        """How much the trader wants to buy: −1 (it holds twice its home lots or more), 0 (its home lots), 1 (none)."""
        home = self.home_lots.get(symbol, 0)
        have = self.available_lots.get(symbol, 0) + sum(order.leaves_qty for order in self.resting(symbol, "sell"))
        return max(-1.0, min(1.0, (home - have) / home)) if home else -1.0

    def affords(self, quote: Quote, order: NewOrder) -> bool:
        """Whether the account covers an order, as far as the trader knows; the venue decides."""
        if order.side == "sell":
            return order.quantity <= self.available_lots.get(order.symbol, 0)
        ticks = quote.high_ticks if order.price_ticks is None else order.price_ticks  # the most a market order can pay
        cost_fen = order.quantity * ticks * quote.tick_size * quote.lot_size * 100
        return cost_fen * 101 / 100 <= self.available_fen
