"""The feed of a process that has none: its readers read the journal again after each interval."""

from __future__ import annotations

import asyncio

from services.journal.batch import JournalBatch
from services.messaging import Gap

INTERVAL_S = 0.1


class PolledSubscription:
    """Carries no batches."""

    def __init__(self, interval_s: float) -> None:
        self._interval_s = interval_s

    async def next_batch(self) -> JournalBatch:
        """Waits for the interval, then raises Gap: the reader reads the journal from its own position."""
        await asyncio.sleep(self._interval_s)
        raise Gap(f"{self._interval_s} s have passed")

    def close(self) -> None:
        """Nothing is open."""


class PolledFeed:
    """For readers in processes without a link and without Redis. A reader is behind the journal by the interval at most, plus
    the time of one read."""

    def __init__(self, interval_s: float = INTERVAL_S) -> None:
        self._interval_s = interval_s

    def subscribe(self) -> PolledSubscription:
        """A new subscription."""
        return PolledSubscription(self._interval_s)
