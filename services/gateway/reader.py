"""The gateway's reader of the journal: applies each batch to state and market data, then pushes, then replies."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from services.gateway.order_entry.request_tracker import RequestTracker
from services.journal.batch import JournalBatch
from services.market_data import Market, MarketChanges
from services.messaging import Feed
from services.messaging.tail import Readable, tail
from services.venue_state.state import VenueState

FanOut = Callable[[MarketChanges], None]
"""Pushes the changes of a batch to WebSocket clients, after state and market have applied it. Must not raise."""


class GatewayReader:
    """Follows the feed from the seq of state and market data."""

    def __init__(
        self,
        journal: Readable,
        feed: Feed,
        *,
        state: VenueState,
        market: Market,
        pending: RequestTracker,
        fan_out: FanOut,
    ) -> None:
        self._journal = journal
        self._feed = feed
        self._state = state
        self._market = market
        self._pending = pending
        self._fan_out = fan_out
        self._awaited_seq: int | None = None
        self._arrived = asyncio.Event()

    async def run(self) -> None:
        """Runs until canceled; raises the journal's errors. At its end every pending request ends as `outcome_unknown`."""
        sweep = asyncio.create_task(self._sweep())
        try:
            after_seq = min(self._state.last_seq, self._market.seq)
            async for batch in tail(self._journal, self._feed, after_seq):
                self.take(batch)
        finally:
            sweep.cancel()
            self._pending.close()

    def take(self, batch: JournalBatch) -> None:
        """Takes one batch. Replies come last, so that a client with a reply reads its own writes."""
        self._state.apply(batch)
        self._fan_out(self._market.apply(batch))
        self._pending.resolve(batch)
        if self._awaited_seq is not None and batch.last_seq >= self._awaited_seq:
            self._arrived.set()

    async def reached(self, seq: int) -> None:
        """Waits until state and market data have applied the journal up to seq. One caller at a time."""
        if min(self._state.last_seq, self._market.seq) < seq:
            self._awaited_seq = seq
            try:
                await self._arrived.wait()
            finally:
                self._awaited_seq = None
                self._arrived.clear()

    async def _sweep(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(1)
            self._pending.give_up(loop.time())
