"""The gateway's own reader of the journal: state and market data first, then pushes, then replies."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from services.gateway.order_entry.order_entry import OrderEntry
from services.journal import Journal
from services.journal.batch import JournalBatch
from services.market_data import Market, MarketChanges
from services.messaging import Feed
from services.messaging.follow import follow
from services.venue_state.state import VenueState

FanOut = Callable[[JournalBatch, MarketChanges], None]
"""Pushes what a batch changed to WebSocket clients, when state and market stand at its end. Must not raise."""


class GatewayReader:
    """Follows the feed from where state and market data stand."""

    def __init__(
        self,
        journal: Journal,
        feed: Feed,
        *,
        state: VenueState,
        market: Market,
        order_entry: OrderEntry,
        fan_out: FanOut,
    ) -> None:
        self._journal = journal
        self._feed = feed
        self._state = state
        self._market = market
        self._order_entry = order_entry
        self._fan_out = fan_out

    async def run(self) -> None:
        """Until canceled; raises what the journal raises."""
        sweep = asyncio.create_task(self._sweep())
        try:
            after_seq = min(self._state.last_seq, self._market.seq)
            async for batch in follow(self._journal, self._feed, after_seq):
                self.take(batch)
        finally:
            sweep.cancel()
            self._order_entry.close()

    def take(self, batch: JournalBatch) -> None:
        """One batch, in the order that lets a client read its own writes as soon as it has its reply."""
        self._state.apply(batch)
        self._fan_out(batch, self._market.apply(batch))
        self._order_entry.resolve(batch)

    async def _sweep(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(1)
            self._order_entry.give_up(loop.time())
