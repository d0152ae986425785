"""The simulated market: runs the turns of the simulated traders against a venue, each at its time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

import structlog
from rex_client import FellBehind, RexClient

from services.simulator.accounts import demo_accounts
from services.simulator.market import MarketView
from services.simulator.pace import Pace
from services.simulator.session import TraderKey, TraderSession
from services.simulator.turns import TraderTurns, Turn

_RETRY_SECONDS = 1.0

log = structlog.get_logger("rex.simulator")


class Simulator:
    """All simulated traders, at this pace.

    All random choices come from `seed`; the result still depends on when replies arrive. `keys` are for accounts of
    `demo_accounts` other than the desk's; KeyError for any other name. `held_at_end`: lots when the history of the venue
    ended, by name and symbol.
    """

    def __init__(
        self,
        url: str,
        keys: Sequence[TraderKey],
        seed: int,
        pace: Pace,
        held_at_end: Mapping[str, Mapping[str, int]] = MappingProxyType({}),
    ) -> None:
        accounts = {account.name: account for account in demo_accounts() if account.role != "desk"}
        self._sessions = [TraderSession(url, key, accounts[key.name], held_at_end.get(key.name, {})) for key in keys]
        self._url = url
        self._key = keys[0].key
        self._market = MarketView()
        self._turns = TraderTurns(self._market, self._sessions, seed, pace)

    @property
    def home_lots(self) -> dict[str, Mapping[str, int]]:
        """What each trader wants to hold, by name and symbol."""
        return {session.name: session.book.home_lots for session in self._sessions}

    async def run(self) -> None:
        """Trades until it is canceled; open orders stay in the book."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._follow_market())
            for session in self._sessions:
                tasks.create_task(session.run())
            for turns in (self._turns.quoting, self._turns.taking):
                tasks.create_task(self._give(turns, tasks))

    async def _follow_market(self) -> None:
        """Follows market data for all traders, with the first trader's key."""
        while True:
            try:
                async with RexClient(self._url, self._key) as client:
                    for instrument in await client.instruments():
                        self._market.list_instrument(instrument)
                    async for push in client.subscribe(["ticker"], ["*"]):
                        if push["data"]["symbol"] not in self._market.quotes:
                            await self._learn(client)
                        self._market.apply_ticker(push["data"])
            except (FellBehind, ConnectionError) as trouble:
                log.warning("the simulated traders see no market", why=str(trouble))
            await asyncio.sleep(_RETRY_SECONDS)

    async def _learn(self, client: RexClient) -> None:
        """Adds the instruments that were listed meanwhile."""
        for instrument in await client.instruments():
            if instrument["symbol"] not in self._market.quotes:
                self._market.list_instrument(instrument)

    async def _give(
        self, next_turn: Callable[[], tuple[Turn[TraderSession] | None, float]], tasks: asyncio.TaskGroup
    ) -> None:
        """Gives turns, each at its time."""
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            turn, wait = next_turn()
            if turn is not None:
                tasks.create_task(turn.trader.take_turn(turn.quote, turn.actions))
            # After a delay, missed turns are dropped: there is no burst.
            due = max(due, loop.time() - 0.1) + wait
            await asyncio.sleep(max(0.0, due - loop.time()))
