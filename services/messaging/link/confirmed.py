"""The journal as an order gateway reads it: only what it may answer from.

A batch whose writer lost its session while it waited for the synchronous standby is visible in PostgreSQL, and gone after a
failover. Nobody may be answered from it before the sequencer has published it. It can only be the last one: a writer appends
when everything before is confirmed.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Protocol

from services.journal.batch import JournalBatch
from services.messaging.tail import Readable


class Confirming(Protocol):
    """A link."""

    @property
    def confirmed_seq(self) -> int | None:
        """Up to here batches are confirmed; None while nobody has said so."""


class ConfirmedJournal:
    """Ends where the sequencer has published to; before the first link, before the last batch."""

    def __init__(self, journal: Readable, link: Confirming) -> None:
        self._journal = journal
        self._link = link

    async def read(self, after_seq: int) -> AsyncIterator[JournalBatch]:
        """The batches that hold commands after `after_seq`, as far as they are confirmed."""
        held: JournalBatch | None = None
        async for batch in self._journal.read(after_seq):
            if held is not None:
                yield held
                held = None
            last_seq = self._link.confirmed_seq  # The first link may begin while this reads.
            if last_seq is None:
                held = batch
            elif batch.last_seq > last_seq:
                return
            else:
                yield batch
