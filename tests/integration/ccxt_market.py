"""A small market behind the ccxt adapter, for the tests of its methods."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rex_client import RexClient
from rex_client.ccxt import RexCcxt

from tests.integration.served_venue import Served, served_venue

N35 = "NDFEB-N35/CNY"
"""A lot is 100 kg, a tick 0.10 yuan."""
PRND = "PRND-OX/CNY"
"""A lot is a tonne, a tick 100 yuan."""
ND = "ND-OX/CNY"
"""Nobody has any."""
BOB = 3
Json = dict[str, Any]


@dataclass
class CcxtMarket:
    """A venue where alice has sold bob two tonnes of three, and who asks about it."""

    served: Served
    alice: RexCcxt
    bob: RexCcxt
    operator: RexClient
    first: Json
    """alice's order of three tonnes, as it was placed."""

    def wait(self, seconds: int) -> int:
        """Sets the venue's clock ahead; returns its time in milliseconds."""
        self.served.venue.clock.now_ns += seconds * 10**9
        return self.served.venue.clock.now_ns // 10**6

    async def trade(self, amount: int, price: str) -> None:
        """bob buys from alice."""
        await self.alice.create_order(N35, "limit", "sell", amount, price)
        await self.bob.create_order(N35, "limit", "buy", amount, price)

    async def adapter(self, key: str | None) -> RexCcxt:
        """One more, closed with the venue."""
        return await self.served.clients.enter_async_context(RexCcxt(self.served.url, key))


@asynccontextmanager
async def running_market(folder: Path) -> AsyncIterator[CcxtMarket]:
    async with served_venue(folder) as served:
        alice, bob = [
            await served.clients.enter_async_context(RexCcxt(served.url, served.venue.keys[name].key))
            for name in ("alice", "bob")
        ]
        first = await alice.create_order(PRND, "limit", "sell", 3, "473000", {"clientOrderId": "first"})
        await bob.create_order(PRND, "market", "buy", 2)
        yield CcxtMarket(served, alice, bob, await served.client("operator"), first)
