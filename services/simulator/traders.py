"""How each kind of trader decides. Pure: what it sees goes in, the actions it wants come out, all chance is the given `rng`.

maker    keeps a ladder of day orders on both sides of its fair price, amends it as that wanders, leans against its stock;
         post-only where a price is its own to make, an iceberg for much
taker    trades at once at the best price: an IOC limit mostly, a market order or fill-or-kill at times, and seldom a sweep
         that may begin a volatility auction
patient  leaves good-till-canceled orders away from the market, some with an end in sight, some as icebergs, some as stops
         that wait beyond it; takes one back now and then

In a call auction makers and patient traders go on with orders that rest; takers bid through the fair price.
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

SWEEPS_ONE_IN = 100
"""How seldom a taker sweeps a book."""

LIFETIMES_S = (60, 600)
"""How long a patient trader's order with an end in sight waits, in seconds."""


class NewOrder(NamedTuple):
    """Place this. `price_ticks` None is a market order, or with `stop_ticks` a stop."""

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
    """Give this order another price."""

    order_id: str
    price_ticks: int


class Cancel(NamedTuple):
    """Take back this order."""

    order_id: str


Action = NewOrder | Amend | Cancel


class OpenOrder(NamedTuple):
    """An own order that rests; a stop that waits has its trigger for a price."""

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
        ticks = quote.high_ticks if order.price_ticks is None else order.price_ticks  # a market order's is below that
        cost_fen = order.quantity * ticks * quote.tick_size * quote.lot_size * 100
        return cost_fen * 101 / 100 <= self.available_fen


_BOTH_SIDES: tuple[tuple[Side, int], ...] = (("buy", -1), ("sell", 1))
"""Each side, and the direction in which its prices lie farther from the market."""

Decide = Callable[[random.Random, Quote, Book], list[Action]]


def maker(rng: random.Random, quote: Quote, book: Book) -> list[Action]:
    """Moves own quotes that no longer fit the ladder into its gaps, cancels what is too many, fills what is missing."""
    center = quote.fair_ticks + round(2 * book.hunger(quote.symbol))
    half = rng.randint(1, 2)
    actions: list[Action] = []
    missing: list[NewOrder] = []
    for side, away in _BOTH_SIDES:
        ladder = [center + away * (half + 2 * level) for level in range(MAKER_LEVELS)]
        gaps = [price for price in ladder if quote.inside(price)]
        stale = []
        for order in book.resting(quote.symbol, side):
            level = next((price for price in gaps if abs(price - order.price_ticks) <= 1), None)
            if level is None:
                stale.append(order)
            else:
                gaps.remove(level)
        for order in stale:
            actions.append(_moved(rng, book, order, gaps) or Cancel(order.order_id))
        missing += [_quoted(rng, quote, side, price, ladder.index(price) + 1) for price in gaps]
    missing.sort(key=lambda order: abs((order.price_ticks or 0) - center))
    return (actions + [order for order in missing if book.affords(quote, order)])[:MAKER_ACTIONS]


def _moved(rng: random.Random, book: Book, order: OpenOrder, gaps: list[int]) -> Amend | None:
    """The order at the first gap, where it doesn't meet an own order on its way; the gap is filled then."""
    others = [other.price_ticks for other in book.resting(order.symbol, "sell" if order.side == "buy" else "buy")]
    if not gaps or rng.random() < 0.3:
        return None
    meets = any(gaps[0] >= price if order.side == "buy" else gaps[0] <= price for price in others)
    return None if meets else Amend(order.order_id, gaps.pop(0))


def _quoted(rng: random.Random, quote: Quote, side: Side, price_ticks: int, depth: int) -> NewOrder:
    lots = rng.randint(1, 1 + depth * quote.typical_lots)
    order = NewOrder(quote.symbol, side, lots, price_ticks, "day")
    if lots >= 5 and rng.random() < 0.2:
        return order._replace(display=-(-lots // 4))
    other = quote.ask_ticks if side == "buy" else quote.bid_ticks
    behind = other is not None and (price_ticks < other if side == "buy" else price_ticks > other)
    return order._replace(post_only=quote.open and behind and rng.random() < 0.4)


def taker(rng: random.Random, quote: Quote, book: Book) -> list[Action]:
    """One order that trades with the best price of the other side; what is left of earlier ones there goes first."""
    side: Side = "buy" if rng.random() < 0.5 + 0.45 * book.hunger(quote.symbol) else "sell"
    own = book.resting(quote.symbol, "sell" if side == "buy" else "buy")
    if own:
        return [Cancel(order.order_id) for order in own]
    best = quote.ask_ticks if side == "buy" else quote.bid_ticks
    beyond = 1 if side == "buy" else -1
    lots = rng.randint(1, 2 * quote.typical_lots)
    if quote.collecting:
        price = quote.fair_ticks + beyond * rng.randint(0, 3)
        order = NewOrder(quote.symbol, side, lots, quote.within(price), "day")
    elif best is None:
        return []
    else:
        order = _taking(rng, quote, side, best, beyond, lots)
    return [order] if book.affords(quote, order) else []


def _taking(rng: random.Random, quote: Quote, side: Side, best_ticks: int, beyond: int, lots: int) -> NewOrder:
    if rng.random() * SWEEPS_ONE_IN < 1:
        far = (
            best_ticks + beyond * quote.reference_ticks // 66
        )  # 1.5 %: beyond a demo's volatility band, inside the collar
        return NewOrder(quote.symbol, side, 30 * quote.typical_lots, quote.within(far), "ioc")
    if rng.random() < 0.15:
        return NewOrder(quote.symbol, side, lots, None, "fok" if rng.random() < 0.2 else "ioc")
    price = quote.within(best_ticks + beyond * rng.randint(0, 2))
    kind: Literal["ioc", "fok", "day"] = rng.choices(("ioc", "fok", "day"), (75, 5, 20))[0]
    return NewOrder(quote.symbol, side, lots, price, kind)


def patient(rng: random.Random, quote: Quote, book: Book) -> list[Action]:
    """Places one order some ticks behind the market; with many open it takes one back first."""
    actions: list[Action] = []
    if book.open_orders and (len(book.open_orders) >= PATIENT_ORDERS or rng.random() < 0.4):
        actions.append(Cancel(rng.choice(list(book.open_orders))))
    side: Side = "buy" if rng.random() < 0.5 + 0.45 * book.hunger(quote.symbol) else "sell"
    away = -1 if side == "buy" else 1
    distance = 3 + min(rng.randint(0, 12), rng.randint(0, 12))
    lots = rng.randint(1, 3 * quote.typical_lots)
    order = NewOrder(quote.symbol, side, lots, quote.fair_ticks + away * distance, "gtc")
    kind = rng.random()
    if kind < 0.15 and quote.open:
        order = _stop(rng, order, quote.fair_ticks - away * distance, -away)
    elif kind < 0.3:
        order = order._replace(time_in_force="gtd", lifetime_s=rng.randint(*LIFETIMES_S))
    elif kind < 0.5 and lots >= 4:
        order = order._replace(display=-(-lots // 4))
    if all(quote.inside(ticks) for ticks in (order.price_ticks, order.stop_ticks) if ticks) and book.affords(
        quote, order
    ):
        actions.append(order)
    return actions


def _stop(rng: random.Random, order: NewOrder, stop_ticks: int, beyond: int) -> NewOrder:
    """The same as a stop, or as a stop-limit that gives two ticks: it waits beyond the market and follows a move."""
    limit = stop_ticks + 2 * beyond if rng.random() < 0.6 else None
    return order._replace(price_ticks=limit, stop_ticks=stop_ticks)


DECIDE: dict[Role, Decide] = {"maker": maker, "taker": taker, "patient": patient}
"""How each simulated role decides; a `desk` is a person's and decides for itself."""

TURNS: dict[Role, int] = {"maker": 50, "taker": 35, "patient": 15}
"""How often each role gets a turn, in shares of all turns."""
