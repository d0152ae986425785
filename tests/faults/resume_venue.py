"""What a venue has after the load: each member's orders, fills, account and ledger, and the market's trades and book."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from rex_client import RexClient

from tests.faults.resume_stage import Stage
from tests.faults.traders import SYMBOL, Trader, all_fills, all_orders, every
from tests.patience import PATIENCE_S

QUIET_SYMBOL = "PRND-OX"
"""Nobody trades it."""
MOST_LEVELS = 500
TRADES_PAGE = 200

Json = dict[str, Any]


class Told(NamedTuple):
    """What the venue has to tell of one account, or of both."""

    orders: list[Json]
    fills: list[Json]
    """Oldest first."""
    bust_seqs: dict[str, int]
    """By trade: the command that took it back."""
    account: Json
    """Empty for both."""
    ledger: list[Json]
    """Oldest first; empty for both."""

    @property
    def seq(self) -> int:
        """The last command that changed an order, filled one or took a trade back."""
        return max(self.seq_of_fills, *(int(order["seq"]) for order in self.orders))

    @property
    def seq_of_fills(self) -> int:
        """The last command that filled an order or took a trade back."""
        return max([fill["seq"] for fill in self.fills] + list(self.bust_seqs.values()), default=0)


class ToldMarket(NamedTuple):
    """What the venue has to tell everybody."""

    trades: list[Json]
    """Oldest first."""
    bust_seqs: dict[str, int]
    depth: Json
    depth_push: Json
    """The snapshot of the book that a follower gets who begins now."""


async def is_quiet(stage: Stage, url: str) -> None:
    """Returns when the gateways that are read and followed have applied all that was acknowledged: they answer a later
    command. `url` is that of the followers."""
    for each in (stage.venue.url, url):
        async with RexClient(each, stage.traders[0].key, patience_s=PATIENCE_S) as client:
            await client.mass_cancel(QUIET_SYMBOL)


async def read_account(stage: Stage, trader: Trader) -> Told:
    """What the venue has of a member."""
    async with RexClient(stage.venue.url, trader.key, patience_s=PATIENCE_S) as client:
        orders, fills = await all_orders(client), list(reversed(await all_fills(client)))
        ledger = await every(client.ledger, "lines", order="oldest")
        busts = {line["trade_id"]: line["seq"] for line in ledger if line["cause"] == "bust"}
        return Told(orders, fills, busts, await client.account(), ledger)


def of_both(accounts: Iterable[Told]) -> Told:
    """What the drop copy of these accounts has to tell; of a trade the taker's side comes first."""
    both = list(accounts)
    fills = [fill for one in both for fill in one.fills]
    fills.sort(key=lambda fill: (int(fill["trade_id"]), fill["liquidity"] != "taker"))
    busts = {trade_id: seq for one in both for trade_id, seq in one.bust_seqs.items()}
    return Told([order for one in both for order in one.orders], fills, busts, {}, [])


async def read_market(stage: Stage, url: str, bust_seqs: dict[str, int]) -> ToldMarket:
    """What everybody may read. Many pages of trades, without a key, would wait for the limit of an address."""
    async with (
        RexClient(stage.venue.url, patience_s=PATIENCE_S) as anybody,
        RexClient(stage.venue.url, stage.traders[0].key, patience_s=PATIENCE_S) as member,
        RexClient(url, patience_s=PATIENCE_S) as follower,
    ):
        trades = await every(member.past_trades, "trades", SYMBOL, limit=TRADES_PAGE)
        depth = await anybody.depth(SYMBOL, MOST_LEVELS)
        return ToldMarket(trades[::-1], bust_seqs, depth, await anext(follower.subscribe(["depth"], [SYMBOL])))
