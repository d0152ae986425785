"""Who acts next, in which instrument, and after how long: pure, so that a day can be simulated without waiting for it.

Two processes run beside each other. In the first, makers and patient traders take turns, as often as the rate of orders allows.
In the second, takers trade as much as the pace wants.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Generic, NamedTuple, Protocol, TypeVar

from services.simulator.accounts import Role
from services.simulator.book import Action, NewOrder, TraderBook
from services.simulator.market import MarketView, Quote
from services.simulator.pace import Pace
from services.simulator.traders import QUOTING, QUOTING_TURNS, taker

_OPENING_HASTE = 10
"""How much faster makers get turns while an instrument has no bids or no asks."""

_EMPTY_TURN = 0.2
"""How much of the rate a turn without an order uses, in orders."""

_IDLE_S = 1.0
"""How long takers wait while no instrument accepts orders."""


class Trader(Protocol):
    """A trader as the choice sees it."""

    role: Role
    book: TraderBook

    @property
    def idle(self) -> bool:
        """Whether it can act now."""


T = TypeVar("T", bound=Trader)


class Turn(NamedTuple, Generic[T]):
    """What a trader sends now."""

    trader: T
    quote: Quote
    actions: list[Action]


class TraderTurns(Generic[T]):
    """The turns of these traders. All choices come from `seed` and from what market and books hold at each call."""

    def __init__(self, market: MarketView, traders: Sequence[T], seed: int, pace: Pace) -> None:
        self._market = market
        self._traders = traders
        self._pace = pace
        self._rng = random.Random(seed)
        self._taking_rng = random.Random(f"{seed} takers")

    def quoting(self) -> tuple[Turn[T] | None, float]:
        """The next turn of a maker or a patient trader, if one has anything to send, and the seconds to the turn after it."""
        one_sided = [quote for quote in self._market.quotes.values() if quote.open and quote.one_sided]
        opening = bool(one_sided) and self._rng.random() < 0.5
        quote = self._rng.choice(one_sided) if opening else self._market.choose(self._rng)
        roles = list(QUOTING_TURNS)
        role = "maker" if opening else self._rng.choices(roles, list(QUOTING_TURNS.values()))[0]
        trader = self._idle(self._rng, role)
        taking_per_s = sum(self._pace.weights(self._market.trading()))
        actions: list[Action] = []
        if quote is not None and trader is not None:
            quote.wander(self._rng)
            actions = QUOTING[role](self._rng, quote, trader.book, self._pace.times(taking_per_s))
        orders = sum(isinstance(action, NewOrder) for action in actions)
        cost = max(orders, _EMPTY_TURN) / (_OPENING_HASTE if opening else 1)
        wait = cost * self._rng.expovariate(self._pace.quoting_per_s(taking_per_s))
        turn = Turn(trader, quote, actions) if trader is not None and quote is not None and actions else None
        return turn, wait

    def taking(self) -> tuple[Turn[T] | None, float]:
        """The next turn of a taker, if it has anything to send, and the seconds to the turn after it."""
        rng, quotes = self._taking_rng, self._market.trading()
        if not quotes:
            return None, _IDLE_S
        weights = self._pace.weights(quotes)
        taking_per_s = sum(weights)
        times = self._pace.times(taking_per_s)
        quote, trader = rng.choices(quotes, weights)[0], self._idle(rng, "taker")
        actions = [] if trader is None else taker(rng, quote, trader.book, times)
        wait = rng.expovariate(taking_per_s / times)
        return (Turn(trader, quote, actions) if trader is not None and actions else None), wait

    def _idle(self, rng: random.Random, role: Role) -> T | None:
        idle = [trader for trader in self._traders if trader.role == role and trader.idle]
        return rng.choice(idle) if idle else None
