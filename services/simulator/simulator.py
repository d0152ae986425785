"""The simulated market: whose turn it is, in which instrument, and how fast."""

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
"""How much faster makers go to and fro while an instrument has no price on one side."""

_EMPTY_TURN = 0.2
"""What a turn without an order costs, in orders."""

_RETRY_SECONDS = 1.0

log = structlog.get_logger("rex.simulator")


class Simulator:
    """Traders who use the public API like anybody else. `rate_per_s` is how many orders all of them place in a second.

    All chance comes from `seed`; what follows still depends on when replies come. `keys` name accounts of `demo_accounts`
    that are not the desk's; KeyError for any other name.
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
        """Trades until it is canceled; what rests stays in the book."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._see())
            for session in self._sessions:
                tasks.create_task(session.run())
            tasks.create_task(self._conduct(tasks))

    async def _see(self) -> None:
        """Follows the market through the first trader's key, for all of them."""
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

    async def _conduct(self, tasks: asyncio.TaskGroup) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            cost = self._turn(tasks)
            # Late turns are not made up for in a burst.
            due = max(due, loop.time() - 0.1) + cost * self._rng.expovariate(self._rate_per_s)
            await asyncio.sleep(max(0.0, due - loop.time()))

    def _turn(self, tasks: asyncio.TaskGroup) -> float:
        """Lets one trader act; returns what that costs of the rate, in orders."""
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
