"""The venue that a resume rig harms, as those who follow it see it; and what is done to it beside the load."""

from __future__ import annotations

from random import Random
from typing import Any, Protocol

from rex_client import RexClient, RexError

from tests.faults.rig import Report
from tests.faults.tcp_proxy import TcpProxy
from tests.faults.traders import SYMBOL, OpenVenue, Trader
from tests.patience import PATIENCE_S

BUST_ODDS = 0.5
MOST_RESTING = 8
"""The most orders away from the load's prices that a member places before each harm; it cancels at most half as many."""
LEVELS = 60
"""At so many prices on each side."""

Json = dict[str, Any]


class Stage(Protocol):
    """A venue, the proxy before it, and who trades."""

    proxy: TcpProxy
    random: Random
    traders: list[Trader]

    @property
    def venue(self) -> OpenVenue: ...

    async def trade(self, acknowledgements: int) -> None:
        """Returns when this many more orders were acknowledged. The members trade on."""

    async def stop_trading(self) -> None:
        """Returns when every order of the members has its answer, or none to come."""

    async def harm(self) -> None:
        """Harms the followers' connections, or the venue."""


async def bust_some(venue: OpenVenue, trader: Trader, random: Random, report: Report) -> None:
    """Busts one of the member's last trades, or none."""
    if random.random() >= BUST_ODDS:
        return
    async with RexClient(venue.url, trader.key) as member, RexClient(venue.url, venue.operator_key) as operator:
        fills = (await member.fills(limit=20))["fills"]
        if fills:
            try:
                await operator.bust_trade(random.choice(fills)["trade_id"], "agreed by both sides")
                report.add("busts")
            except RexError as problem:
                if problem.code != "unknown_trade":  # It was busted before.
                    raise


class RestingOrders:
    """A member's orders away from the prices of the load: they never trade, and fill the book to a depth that no checksum
    covers."""

    def __init__(self, trader: Trader) -> None:
        self._trader = trader
        self._placed = 0
        self._open: list[str] = []

    async def change(self, url: str, random: Random) -> None:
        """Places some orders, and cancels some of those that rest."""
        async with RexClient(url, self._trader.key, patience_s=PATIENCE_S) as client:
            requests: list[Json] = []
            for _ in range(min(random.randint(0, MOST_RESTING // 2), len(self._open))):
                name = self._open.pop(random.randrange(len(self._open)))
                requests.append({"cancel": {"client_order_id": name}})
            for _ in range(random.randint(2, MOST_RESTING)):
                requests.append({"place": self._order(random.randint(1, LEVELS), random.randint(1, 9))})
            await client.mixed_batch(requests)

    def _order(self, ticks_away: int, lots: int) -> Json:
        self._placed += 1
        name = f"resting-{self._placed}"
        self._open.append(name)
        ticks = 1600 - ticks_away if self._trader.side == "buy" else 1602 + ticks_away
        return {
            "symbol": SYMBOL,
            "side": self._trader.side,
            "price": f"{ticks // 10}.{ticks % 10}0",
            "quantity": lots,
            "time_in_force": "gtc",
            "client_order_id": name,
        }
