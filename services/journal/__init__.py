"""The journal: the truth. One row per batch of commands and the events they made; nothing leaves before its row is here.

`row.py` is the row and its bytes, `errors.py` what can go wrong, `replay.py` re-execution, `upgrades.py` from where on it
holds, `verify.py` the check an auditor runs and `witness.py` what others remember of the journal. `sqlite.py` is the backend of
embedded mode; it stands on `connections.py` (what is asked of SQLite), `row_reader.py`, `row_writer.py`, `held_files.py`
(locks, permissions, what is on the device), `before_writing.py` (what may refuse a start, before anything is changed) and
`wal.py` (the log before SQLite opens it).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable
from typing import Protocol

from services.journal.errors import (
    JournalBusy,
    JournalCorrupt,
    JournalError,
    JournalLost,
    JournalMissing,
    JournalRefused,
    JournalRemoved,
)
from services.journal.row import Row

__all__ = [
    "Journal",
    "JournalBusy",
    "JournalCorrupt",
    "JournalError",
    "JournalLost",
    "JournalMissing",
    "JournalRefused",
    "JournalRemoved",
    "Row",
]


class Journal(Protocol):
    """An append-only chain of rows on a device. One writer appends; any number of readers read at their own position."""

    @property
    def journal_id(self) -> bytes:
        """16 random bytes drawn when the journal was made: the `incarnation` of everything derived from it."""

    @property
    def epoch(self) -> int:
        """Which opening for writing this is, from 1; every row carries it, so that a writer's successor fences it off."""

    async def last_row(self) -> Row | None:
        """The newest row, or None in an empty journal."""

    async def first_row(self, engine_version: int) -> Row | None:
        """The oldest row of this engine version or a newer one; None where there is none yet."""

    def append(self, row: Row) -> Awaitable[None]:
        """Begins at once to put the row on the device; what it returns is done when the row would survive a power cut.

        Raises JournalRefused or JournalError, at once or when it is awaited.
        """

    def read(self, after_seq: int) -> AsyncIterator[Row]:
        """The rows holding commands after `after_seq`, oldest first, up to the end; each checked (hash, CRC, chain).

        `after_seq` need not be the end of a row: the first row may begin before it. Raises JournalCorrupt.
        """

    async def close(self) -> None:
        """Waits for a running append and lets go of the device. Raises JournalRemoved where the files are gone."""
