"""The journal as an order gateway reads it: only what it may answer from.

A batch whose writer lost its session while it waited for the synchronous standby is visible in PostgreSQL, and gone after a
failover. Nobody may be answered from it before the sequencer has published it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Protocol

from services.journal.batch import JournalBatch
from services.messaging.follow import Readable


class Confirming(Protocol):
    """A link."""

    @property
    def confirmed_seq(self) -> int | None:
        """Up to here a sequencer has published its batches; None before the first link."""


class ConfirmedJournal:
    """Ends where the sequencer has published to; before the first link, when nobody waits for an answer, at its own end."""

    def __init__(self, journal: Readable, link: Confirming) -> None:
        self._journal = journal
        self._link = link

    async def read(self, after_seq: int) -> AsyncIterator[JournalBatch]:
        """The batches that hold commands after `after_seq`, as far as they are published."""
        last_seq = self._link.confirmed_seq
        async for batch in self._journal.read(after_seq):
            if last_seq is not None and batch.last_seq > last_seq:
                return
            yield batch
