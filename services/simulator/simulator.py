"""The simulated market: chooses which trader acts, in which instrument, and when."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence

import structlog

from services.client import FellBehind, RexClient
from services.simulator.accounts import Role, demo_accounts
from services.simulator.market import MarketView
from services.simulator.session import Session, TraderKey
from services.simulator.traders import DECIDE, TURNS, NewOrder

_OPENING_HASTE = 10
"""How much faster makers get turns while an instrument has no bids or no asks."""

_EMPTY_TURN = 0.2
"""How much of the rate a turn without an order uses, in orders."""

_RETRY_SECONDS = 1.0

log = structlog.get_logger("rex.simulator")


class Simulator:
    """All simulated traders. `rate_per_s`: the orders that they place together in a second.

    All random choices come from `seed`; the result still depends on when replies arrive. `keys` are for accounts of
    `demo_accounts` other than the desk's; KeyError for any other name.
    """

    def __init__(self, url: str, keys: Sequence[TraderKey], seed: int, *, rate_per_s: float) -> None:
        accounts = {account.name: account for account in demo_accounts() if account.role in DECIDE}
        self._sessions = [Session(url, key, accounts[key.name]) for key in keys]
        self._url = url
        self._key = keys[0].key
        self._rng = random.Random(seed)
        self._rate_per_s = rate_per_s
        self._market = MarketView()

    async def run(self) -> None:
        """Trades until it is canceled; open orders stay in the book."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._follow_market())
            for session in self._sessions:
                tasks.create_task(session.run())
            tasks.create_task(self._give_turns(tasks))

    async def _follow_market(self) -> None:
        """Follows market data for all traders, with the first trader's key."""
        while True:
            try:
                async with RexClient(self._url, self._key) as client:
                    for instrument in await client.instruments():
                        self._market.list_instrument(instrument)
                    async for push in client.subscribe(["ticker"], ["*"]):
                        self._market.apply_ticker(push["data"])
            except (FellBehind, ConnectionError) as trouble:
                log.warning("the simulated traders see no market", why=str(trouble))
            await asyncio.sleep(_RETRY_SECONDS)

    async def _give_turns(self, tasks: asyncio.TaskGroup) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            cost = self._turn(tasks)
            # After a delay, missed turns are dropped: there is no burst.
            due = max(due, loop.time() - 0.1) + cost * self._rng.expovariate(self._rate_per_s)
            await asyncio.sleep(max(0.0, due - loop.time()))

    def _turn(self, tasks: asyncio.TaskGroup) -> float:
        """Lets one trader act. Returns how much of the rate that uses, in orders."""
        one_sided = [quote for quote in self._market.quotes.values() if quote.open and quote.one_sided]
        opening = bool(one_sided) and self._rng.random() < 0.5
        quote = self._rng.choice(one_sided) if opening else self._market.choose(self._rng)
        session = self._idle("maker" if opening else self._rng.choices(list(TURNS), list(TURNS.values()))[0])
        if quote is None or session is None:
            return _EMPTY_TURN
        quote.wander(self._rng)
        actions = DECIDE[session.role](self._rng, quote, session.book)
        if not actions:
            return _EMPTY_TURN
        tasks.create_task(session.take_turn(quote, actions))
        orders = sum(isinstance(action, NewOrder) for action in actions)
        return max(orders, _EMPTY_TURN) / (_OPENING_HASTE if opening else 1)

    def _idle(self, role: Role) -> Session | None:
        idle = [session for session in self._sessions if session.role == role and session.idle]
        return self._rng.choice(idle) if idle else None
