"""The journal: the truth. One row per batch of commands and the events they made; nothing leaves before its row is here.

    JournalError
    ├── JournalBusy      another process holds this journal
    ├── JournalCorrupt   a row does not read back as it was written: names the sequence number
    └── JournalRefused   a row of another format, or one that does not continue the chain
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Protocol

from services.journal.row import Row


class JournalError(Exception):
    """Trouble with the journal that the writer cannot resolve: it stops, with a non-zero exit status."""


class JournalBusy(JournalError):
    """Another process holds this journal."""


class JournalCorrupt(JournalError):
    """A row does not read back as it was written."""


class JournalRefused(JournalError):
    """A row of another format or engine version, or one that does not continue the chain."""


class Journal(Protocol):
    """An append-only chain of rows on a device. One writer appends; any number of readers read at their own position."""

    journal_id: bytes
    """16 random bytes drawn when the journal was made: the `incarnation` of everything derived from it."""

    async def last_row(self) -> Row | None:
        """The newest row, or None in an empty journal."""

    async def append(self, row: Row) -> None:
        """Puts the row on the device; returns when it would survive a power cut. Raises JournalRefused or JournalError."""

    def read(self, after_seq: int) -> AsyncIterator[Row]:
        """The rows holding commands after `after_seq`, oldest first, as of now; each checked (hash, CRC, chain).

        `after_seq` need not be the end of a row: the first row may begin before it. Raises JournalCorrupt.
        """

    async def close(self) -> None:
        """Waits for a running append and lets go of the device."""
