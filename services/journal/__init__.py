"""The journal: the truth. One batch per batch of commands and the events they made; nothing leaves before its batch is here.

`batch.py` is the batch and its bytes, `errors.py` what can go wrong, `replay.py` re-execution, `upgrades.py` from where on it
holds, `verify.py` the check an auditor runs and `witness.py` what others remember of the journal. `sqlite.py` is the backend of
embedded mode; it stands on `connections.py` (what is asked of SQLite), `batch_reader.py`, `batch_writer.py`, `held_files.py`
(locks, permissions, what is on the device), `before_writing.py` (what may refuse a start, before anything is changed) and
`wal.py` (the log before SQLite opens it).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable
from typing import Protocol

from services.journal.batch import JournalBatch
from services.journal.errors import (
    JournalBusy,
    JournalCorrupt,
    JournalError,
    JournalLost,
    JournalMissing,
    JournalRefused,
    JournalRemoved,
)

__all__ = [
    "Journal",
    "JournalBatch",
    "JournalBusy",
    "JournalCorrupt",
    "JournalError",
    "JournalLost",
    "JournalMissing",
    "JournalRefused",
    "JournalRemoved",
]


class Journal(Protocol):
    """An append-only chain of batches on a device. One writer appends; any number of readers read at their own position."""

    @property
    def journal_id(self) -> bytes:
        """16 random bytes drawn when the journal was made: the `incarnation` of everything derived from it."""

    @property
    def epoch(self) -> int:
        """Which opening for writing this is, from 1; every batch carries it, so that a writer's successor fences it off."""

    async def last_batch(self) -> JournalBatch | None:
        """The newest batch, or None in an empty journal."""

    async def first_batch(self, engine_version: int) -> JournalBatch | None:
        """The oldest batch of this engine version or a newer one; None where there is none yet."""

    def append(self, batch: JournalBatch) -> Awaitable[None]:
        """Begins at once to put the batch on the device; what it returns is done when the batch would survive a power cut.

        Raises JournalRefused or JournalError, at once or when it is awaited.
        """

    def read(self, after_seq: int) -> AsyncIterator[JournalBatch]:
        """The batches holding commands after `after_seq`, oldest first, up to the end; each checked (hash, CRC, chain).

        `after_seq` need not be the end of a batch: the first batch may begin before it. Raises JournalCorrupt.
        """

    async def close(self) -> None:
        """Waits for a running append and lets go of the device. Raises JournalRemoved where the files are gone."""
