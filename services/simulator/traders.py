"""How each role decides: pure functions from the market and the trader's book to actions. `rng` is the only source of chance.

maker    keeps a ladder of day orders on both sides of its fair price, amends it when that moves, and shifts it against its
         stock; renews a quote when nothing else is to do; some orders are post-only, large ones are icebergs
taker    trades at once at the best price: mostly an IOC limit order, at times a market order or fill-or-kill, rarely a sweep
         that may begin a volatility auction
patient  places good-till-canceled orders away from the market, some with an expiry time, some as icebergs, some as stops
         beyond the market; cancels one now and then

Makers and patient traders place no order that would meet the other side: so takers alone decide how much is traded (`pace.py`).
In a call auction, makers and patient traders place resting orders as before; takers place orders that cross the fair price.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Literal

from services.simulator.accounts import Role
from services.simulator.book import Action, Amend, Cancel, NewOrder, Side, TraderBook, TraderOrder
from services.simulator.market import Quote

MAKER_LEVELS = 4
"""The number of prices that a maker quotes on each side."""

MAKER_ACTIONS = 4
"""The most actions of a maker in one turn: a ladder is moved in a few turns, not in a burst."""

PATIENT_ORDERS = 40
"""From this number of open orders on, a patient trader cancels one before it places another."""

SWEEPS_ONE_IN = 300
"""One in this many of a taker's orders sweeps the book."""

_SWEEP = 30
"""A sweep has so many times the typical lots, and about _SWEPT of them find an order."""
_SWEPT = 0.8

LIFETIMES_S = (60, 600)
"""The shortest and the longest lifetime of a patient trader's order with an expiry time, in seconds."""


_BOTH_SIDES: tuple[tuple[Side, int], ...] = (("buy", -1), ("sell", 1))
"""Each side, and the direction in which its prices are farther from the market."""

Decide = Callable[[random.Random, Quote, TraderBook, float], list[Action]]


def maker(rng: random.Random, quote: Quote, book: TraderBook, times: float = 1.0) -> list[Action]:
    """Moves quotes that no longer fit the ladder into its gaps, cancels surplus quotes, and places missing ones, of `times`
    their ordinary size."""
    center = quote.fair_ticks + round(2 * book.hunger(quote.symbol))
    half = rng.randint(1, 2)
    actions: list[Action] = []
    missing: list[NewOrder] = []
    for side, away in _BOTH_SIDES:
        ladder = [center + away * (half + 2 * level) for level in range(MAKER_LEVELS)]
        gaps = [price for price in ladder if quote.inside(price) and not quote.would_trade(side, price)]
        stale = []
        for order in book.resting(quote.symbol, side):
            level = next((price for price in gaps if abs(price - order.price_ticks) <= 1), None)
            if level is None:
                stale.append(order)
            else:
                gaps.remove(level)
        for order in stale:
            actions.append(_moved(rng, book, order, gaps) or Cancel(order.order_id))
        missing += [_quoted(rng, quote, side, price, ladder.index(price) + 1, times) for price in gaps]
    missing.sort(key=lambda order: abs((order.price_ticks or 0) - center))
    actions = (actions + [order for order in missing if book.affords(quote, order)])[:MAKER_ACTIONS]
    return actions or _renewed(rng, quote, book, times)


def _renewed(rng: random.Random, quote: Quote, book: TraderBook, times: float) -> list[Action]:
    """One of the trader's quotes, entered anew with another size; nothing if it has none here."""
    resting = book.resting(quote.symbol, "buy") + book.resting(quote.symbol, "sell")
    if not resting:
        return []
    order = rng.choice(resting)
    depth = rng.randint(1, MAKER_LEVELS)
    anew = _quoted(rng, quote, order.side, order.price_ticks, depth, times)
    cancel = Cancel(order.order_id)
    good = book.affords(quote, anew) and quote.inside(order.price_ticks)
    return [cancel, anew] if good and not quote.would_trade(order.side, order.price_ticks) else [cancel]


def _moved(rng: random.Random, book: TraderBook, order: TraderOrder, gaps: list[int]) -> Amend | None:
    """An amend that moves the order to the first gap, and removes that gap. None if there is no gap, if the order would cross
    an own order, and at random."""
    others = [other.price_ticks for other in book.resting(order.symbol, "sell" if order.side == "buy" else "buy")]
    if not gaps or rng.random() < 0.3:
        return None
    meets = any(gaps[0] >= price if order.side == "buy" else gaps[0] <= price for price in others)
    return None if meets else Amend(order.order_id, gaps.pop(0))


def _quoted(rng: random.Random, quote: Quote, side: Side, price_ticks: int, depth: int, times: float) -> NewOrder:
    lots = _lots(rng, 1 + depth * quote.typical_lots, times)
    order = NewOrder(quote.symbol, side, lots, price_ticks, "day")
    if lots >= 5 and rng.random() < 0.2:
        return order._replace(display=-(-lots // 4))
    other = quote.ask_ticks if side == "buy" else quote.bid_ticks
    behind = other is not None and (price_ticks < other if side == "buy" else price_ticks > other)
    return order._replace(post_only=quote.open and behind and rng.random() < 0.4)


def _lots(rng: random.Random, most: int, times: float) -> int:
    """`times` 1 to `most` lots, rounded without bias."""
    return int(rng.randint(1, most) * times + rng.random())


def mean_taken_lots(quote: Quote) -> float:
    """What an order of a taker trades, as expected, in lots."""
    return (1 + quote.ticket_lots) / 2 + _SWEEP * _SWEPT * quote.typical_lots / SWEEPS_ONE_IN


def taker(rng: random.Random, quote: Quote, book: TraderBook, times: float = 1.0) -> list[Action]:
    """One order that trades with the best price of the other side; if the trader has open orders there, it cancels them
    instead. The order has `times` its ordinary size."""
    side: Side = "buy" if rng.random() < 0.5 + 0.45 * book.hunger(quote.symbol) else "sell"
    own = book.resting(quote.symbol, "sell" if side == "buy" else "buy")
    if own:
        return [Cancel(order.order_id) for order in own]
    best = quote.ask_ticks if side == "buy" else quote.bid_ticks
    beyond = 1 if side == "buy" else -1
    lots = _lots(rng, quote.ticket_lots, times)
    if quote.collecting:
        price = quote.fair_ticks + beyond * rng.randint(0, 3)
        order = NewOrder(quote.symbol, side, lots, quote.within(price), "day")
    elif best is None:
        return []
    else:
        order = _taking(rng, quote, side, best, beyond, lots, max(1, round(_SWEEP * quote.typical_lots * times)))
    return [order] if book.affords(quote, order) else []


def _taking(
    rng: random.Random, quote: Quote, side: Side, best_ticks: int, beyond: int, lots: int, sweep_lots: int
) -> NewOrder:
    if rng.random() * SWEEPS_ONE_IN < 1:
        # 1.5 %: beyond a demo's volatility band, inside its collar.
        far = best_ticks + beyond * quote.reference_ticks // 66
        return NewOrder(quote.symbol, side, sweep_lots, quote.within(far), "ioc")
    if rng.random() < 0.15:
        return NewOrder(quote.symbol, side, lots, None, "fok" if rng.random() < 0.2 else "ioc")
    price = quote.within(best_ticks + beyond * rng.randint(0, 2))
    kind: Literal["ioc", "fok", "day"] = rng.choices(("ioc", "fok", "day"), (75, 5, 20))[0]
    return NewOrder(quote.symbol, side, lots, price, kind)


def patient(rng: random.Random, quote: Quote, book: TraderBook, times: float = 1.0) -> list[Action]:
    """Places one order some ticks away from the market, of `times` its ordinary size; if it has many open orders, it cancels
    one first."""
    actions: list[Action] = []
    if book.open_orders and (len(book.open_orders) >= PATIENT_ORDERS or rng.random() < 0.4):
        actions.append(Cancel(rng.choice(list(book.open_orders))))
    side: Side = "buy" if rng.random() < 0.5 + 0.45 * book.hunger(quote.symbol) else "sell"
    away = -1 if side == "buy" else 1
    distance = 3 + min(rng.randint(0, 12), rng.randint(0, 12))
    lots = _lots(rng, 3 * quote.typical_lots, times)
    order = NewOrder(quote.symbol, side, lots, quote.fair_ticks + away * distance, "gtc")
    kind = rng.random()
    if kind < 0.15 and quote.open:
        order = _stop(rng, order, quote.fair_ticks - away * distance, -away)
    elif kind < 0.3:
        order = order._replace(time_in_force="gtd", lifetime_s=rng.randint(*LIFETIMES_S))
    elif kind < 0.5 and lots >= 4:
        order = order._replace(display=-(-lots // 4))
    meets = (
        quote.would_trade(side, order.price_ticks or 0)
        if order.stop_ticks is None
        else quote.would_trigger(side, order.stop_ticks)
    )
    inside = all(quote.inside(ticks) for ticks in (order.price_ticks, order.stop_ticks) if ticks)
    if inside and not meets and book.affords(quote, order):
        actions.append(order)
    return actions


def _stop(rng: random.Random, order: NewOrder, stop_ticks: int, beyond: int) -> NewOrder:
    """The order as a stop, or as a stop-limit whose limit is two ticks past the trigger price: it trades after a move."""
    limit = stop_ticks + 2 * beyond if rng.random() < 0.6 else None
    return order._replace(price_ticks=limit, stop_ticks=stop_ticks)


QUOTING: dict[Role, Decide] = {"maker": maker, "patient": patient}
"""The decision function of each role that does not take. A `taker` decides with `taker`; a `desk` is used by a person."""

QUOTING_TURNS: dict[Role, int] = {"maker": 77, "patient": 23}
"""Their shares of the turns, in percent."""
