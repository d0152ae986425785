"""All who listen to a resume rig's venue: from the beginning or from a moment in the middle, until the end."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from random import Random
from typing import Any

from rex_client import RexClient

from tests.faults.resume_followers import BalancesFollower, Follower, Heard, OrdersFollower
from tests.faults.resume_ledger import LedgerReader
from tests.faults.resume_market import BookClient, BookFollower, TradesFollower
from tests.faults.resume_stage import Stage
from tests.faults.resume_venue import is_quiet, of_both, read_account, read_market
from tests.faults.rig import Report
from tests.patience import PATIENCE_S

JOINERS = (("drop_copy",), ("orders",), ("fills", "balances"), ("depth", "trades"))
"""What somebody who joins in the middle follows."""
FEWEST_JOINS, MOST_JOINS = 4, 12
HARMS_A_JOIN = 8
MARKET, BOTH = "market", "both"


def drawn_joins(random: Random, harms: int) -> dict[int, Sequence[str]]:
    """Before which harms somebody joins, and what for."""
    count = min(harms, MOST_JOINS, max(FEWEST_JOINS, harms // HARMS_A_JOIN))
    chosen = random.sample(range(harms), count)
    return {harm: JOINERS[number % len(JOINERS)] for number, harm in enumerate(chosen)}


class Audience:
    """Who listens through a proxy, and what they listen to: a member's account, both accounts, the market."""

    def __init__(self, stage: Stage, url: str, opened: AsyncExitStack) -> None:
        """`opened` closes the clients."""
        self._stage, self._url, self._opened = stage, url, opened
        self._hearers: dict[str, list[Heard]] = {}
        self._readers: dict[str, LedgerReader] = {}
        self._following: list[asyncio.Task[None]] = []
        self._reading: list[asyncio.Task[None]] = []
        self._joined = 0

    async def begin(self) -> None:
        """Returns when those who listen from the beginning have begun."""
        for trader in self._stage.traders:
            await self._listen(trader.side, ["orders", "fills", "balances"], f"{trader.side}er")
            client = await self._opened.enter_async_context(RexClient(self._url, trader.key, patience_s=PATIENCE_S))
            reader = self._readers[trader.side] = LedgerReader(client, f"{trader.side}er")
            self._reading.append(asyncio.create_task(reader.follow()))
        await self._listen(BOTH, ["drop_copy"], "operator")
        await self._listen("buy", ["depth", "trades"], "buyer")
        await asyncio.gather(*(hearer.began.wait() for hearer in self._everyone()))

    async def join(self, channels: Sequence[str]) -> None:
        """Somebody begins to listen; does not wait until they have begun."""
        self._joined += 1
        side = BOTH if "drop_copy" in channels else self._stage.random.choice(["buy", "sell"])
        whose = "operator" if side == BOTH else f"{side}er"
        await self._listen(side, channels, f"late {whose} {self._joined}")

    async def _listen(self, side: str, channels: Sequence[str], who: str) -> None:
        keys = {trader.side: trader.key for trader in self._stage.traders}
        key = keys.get(side, self._stage.venue.operator_key)
        client = BookClient(self._url, key, patience_s=PATIENCE_S)
        await self._opened.enter_async_context(client)
        for channel in channels:
            hearer, of = _hearer(client, who, channel), MARKET if channel in ("depth", "trades") else side
            self._hearers.setdefault(of, []).append(hearer)
            self._following.append(asyncio.create_task(hearer.follow()))

    def ask_readers(self) -> None:
        """Lets those who read the ledgers read on."""
        for reader in self._readers.values():
            reader.ask()

    async def end_reading(self) -> None:
        """Returns when nobody reads a ledger any more."""
        for reader in self._readers.values():
            reader.end()
        await asyncio.gather(*self._reading)

    async def compare(self, report: Report) -> None:
        """Compares what everyone has heard with what the venue has. Nobody may trade."""
        await is_quiet(self._stage, self._url)
        accounts = {trader.side: await read_account(self._stage, trader) for trader in self._stage.traders}
        both = of_both(accounts.values())
        market = await read_market(self._stage, self._url, both.bust_seqs)
        told: dict[str, Any] = {**accounts, BOTH: both, MARKET: market}
        for of, hearers in self._hearers.items():
            for hearer in hearers:
                report.broken += await hearer.compare(told[of])
        for side, reader in self._readers.items():
            await reader.read_on()
            report.broken += reader.off(told[side])
        report.counts |= {
            "fills": len(both.fills),
            "trades": len(market.trades),
            "ledger_lines": sum(len(account.ledger) for account in accounts.values()),
            "joins": self._joined,
            "resumed_messages": sum(hearer.resumed for hearer in self._everyone() if isinstance(hearer, Follower)),
        }
        report.highest("levels_compared", len(market.depth["bids"]) + len(market.depth["asks"]))

    def leave(self) -> None:
        """Everyone stops listening."""
        for task in self._following:
            task.cancel()

    def _everyone(self) -> list[Heard]:
        return [hearer for hearers in self._hearers.values() for hearer in hearers]


def _hearer(client: BookClient, who: str, channel: str) -> Heard:
    if channel == "depth":
        return BookFollower(client, who)
    if channel == "trades":
        return TradesFollower(client, who)
    if channel == "balances":
        return BalancesFollower(client, who)
    return OrdersFollower(client, who, channel)
