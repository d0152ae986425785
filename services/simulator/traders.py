"""How each kind of trader decides. Pure: what it sees goes in, the actions it wants come out, all chance is the given `rng`.

maker    keeps a ladder of day orders on both sides of its fair price, moves it as that wanders, leans against its stock
taker    trades at once at the best price: an IOC limit mostly, a market order at times
patient  leaves good-till-canceled orders away from the market, and takes one back now and then
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from services.simulator.accounts import Role
from services.simulator.market import Quote

Side = Literal["buy", "sell"]

MAKER_LEVELS = 4
"""Prices a maker quotes on each side."""

MAKER_ACTIONS = 4
"""The most a maker does in one turn: a ladder is moved in a few turns, not in a burst."""

PATIENT_ORDERS = 40
"""Open orders at which a patient trader takes back before it places another."""


class NewOrder(NamedTuple):
    """Place this. `price_ticks` None is a market order."""

    symbol: str
    side: Side
    quantity: int
    price_ticks: int | None
    time_in_force: Literal["day", "gtc", "ioc"]


class Cancel(NamedTuple):
    """Take back this order."""

    order_id: str


Action = NewOrder | Cancel


class OpenOrder(NamedTuple):
    """An own order that rests."""

    order_id: str
    symbol: str
    side: Side
    price_ticks: int
    leaves_qty: int


@dataclass
class Book:
    """What a trader has: open orders by id, lots it could still sell, lots it would like to have."""

    home_lots: dict[str, int]
    open_orders: dict[str, OpenOrder] = field(default_factory=dict)
    available_lots: dict[str, int] = field(default_factory=dict)
    available_fen: int = 0

    def resting(self, symbol: str, side: Side) -> list[OpenOrder]:
        """Own orders on one side of one instrument, oldest first."""
        return [order for order in self.open_orders.values() if order.symbol == symbol and order.side == side]

    def hunger(self, symbol: str) -> float:
        """From −1 (far too much of it) over 0 (as at the opening) to 1 (nothing left)."""
        home = self.home_lots.get(symbol, 0)
        have = self.available_lots.get(symbol, 0) + sum(order.leaves_qty for order in self.resting(symbol, "sell"))
        return max(-1.0, min(1.0, (home - have) / home)) if home else -1.0

    def affords(self, quote: Quote, order: NewOrder) -> bool:
        """Whether the account covers an order as far as the trader knows; the venue has the last word."""
        if order.side == "sell":
            return order.quantity <= self.available_lots.get(order.symbol, 0)
        ticks = quote.high_ticks if order.price_ticks is None else order.price_ticks
        cost_fen = order.quantity * ticks * quote.tick_size * quote.lot_size * 100
        return cost_fen * 101 / 100 <= self.available_fen


_BOTH_SIDES: tuple[tuple[Side, int], ...] = (("buy", -1), ("sell", 1))
"""Each side, and the direction in which its prices lie farther from the market."""

Decide = Callable[[random.Random, Quote, Book], list[Action]]


def maker(rng: random.Random, quote: Quote, book: Book) -> list[Action]:
    """Cancels own quotes that no longer fit the ladder, then fills its gaps from the inside out."""
    center = quote.fair_ticks + round(2 * book.hunger(quote.symbol))
    half = rng.randint(1, 2)
    actions: list[Action] = []
    missing: list[NewOrder] = []
    for side, away in _BOTH_SIDES:
        ladder = [center + away * (half + 2 * level) for level in range(MAKER_LEVELS)]
        kept: set[int] = set()
        for order in book.resting(quote.symbol, side):
            level = next((price for price in ladder if abs(price - order.price_ticks) <= 1 and price not in kept), None)
            if level is None:
                actions.append(Cancel(order.order_id))
            else:
                kept.add(level)
        for depth, price in enumerate(ladder, start=1):
            if price not in kept and quote.inside(price):
                lots = rng.randint(1, 1 + depth * quote.typical_lots)
                missing.append(NewOrder(quote.symbol, side, lots, price, "day"))
    missing.sort(key=lambda order: abs((order.price_ticks or 0) - center))
    return (actions + [order for order in missing if book.affords(quote, order)])[:MAKER_ACTIONS]


def taker(rng: random.Random, quote: Quote, book: Book) -> list[Action]:
    """One order that trades with the best price of the other side; what is left of earlier ones there goes first."""
    side: Side = "buy" if rng.random() < 0.5 + 0.45 * book.hunger(quote.symbol) else "sell"
    own = book.resting(quote.symbol, "sell" if side == "buy" else "buy")
    if own:
        return [Cancel(order.order_id) for order in own]
    best = quote.ask_ticks if side == "buy" else quote.bid_ticks
    if best is None:
        return []
    lots = rng.randint(1, 2 * quote.typical_lots)
    if rng.random() < 0.15:
        order = NewOrder(quote.symbol, side, lots, None, "ioc")
    else:
        limit = best + (1 if side == "buy" else -1) * rng.randint(0, 2)
        price = min(max(limit, quote.low_ticks), quote.high_ticks)
        order = NewOrder(quote.symbol, side, lots, price, "ioc" if rng.random() < 0.8 else "day")
    return [order] if book.affords(quote, order) else []


def patient(rng: random.Random, quote: Quote, book: Book) -> list[Action]:
    """Places one order some ticks behind the market; with many open it takes one back first."""
    actions: list[Action] = []
    if book.open_orders and (len(book.open_orders) >= PATIENT_ORDERS or rng.random() < 0.4):
        actions.append(Cancel(rng.choice(list(book.open_orders))))
    side: Side = "buy" if rng.random() < 0.5 + 0.45 * book.hunger(quote.symbol) else "sell"
    away = -1 if side == "buy" else 1
    price = quote.fair_ticks + away * (3 + min(rng.randint(0, 12), rng.randint(0, 12)))
    order = NewOrder(quote.symbol, side, rng.randint(1, 3 * quote.typical_lots), price, "gtc")
    if quote.inside(price) and book.affords(quote, order):
        actions.append(order)
    return actions


DECIDE: dict[Role, Decide] = {"maker": maker, "taker": taker, "patient": patient}
"""How each simulated role decides; a `desk` is a person's and decides for itself."""

TURNS: dict[Role, int] = {"maker": 50, "taker": 35, "patient": 15}
"""How often each role gets a turn, in shares of all turns."""
