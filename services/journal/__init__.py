"""The journal: the venue's only source of truth. A batch holds commands and the events they made; no reply and no market data
leaves the venue before its batch is durable.

batch.py            a journal batch: header, commands, events, attachments, and their bytes
compression.py      the compressed form of a row, which only the device holds
chain.py            decodes stored batches and checks that each continues the one before
errors.py           the exceptions
replay.py           re-execution: a batch's commands through an engine, its events compared
copying.py          copies a journal between backends: `rex journal copy`
verify.py           walks the whole chain: `rex journal verify`
export.py           the journal as JSON Lines: `rex journal export`
record_json.py      commands and events as JSON values, by name
witness.py          a (seq, hash) known from elsewhere, compared with the journal
sqlite.py           SqliteJournal: the backend in one SQLite file. It stands on:
  connections.py      SQLite connections, their pragmas, checkpoints
  batch_reader.py     reads batches and checks the chain
  batch_writer.py     appends batches, durably
  work_thread.py      the thread that appends, one batch after another
  journal_lock.py     locks, permissions, and whether the open files are still at their path
  before_writing.py   the checks that may refuse a start, before a file is changed
  wal.py              reads the write-ahead log before SQLite opens it
  archives/           closed days whose rows have left the file
postgres/           PostgresJournal: the backend in a PostgreSQL database
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable
from typing import Protocol

from services.journal.batch import JournalBatch
from services.journal.errors import (
    JournalAddressInvalid,
    JournalBusy,
    JournalCorrupt,
    JournalError,
    JournalLost,
    JournalMissing,
    JournalRefused,
    JournalRemoved,
    JournalUnclaimed,
    JournalUnreachable,
)

__all__ = [
    "Journal",
    "JournalAddressInvalid",
    "JournalBatch",
    "JournalBusy",
    "JournalCorrupt",
    "JournalError",
    "JournalLost",
    "JournalMissing",
    "JournalRefused",
    "JournalRemoved",
    "JournalUnclaimed",
    "JournalUnreachable",
]


class Journal(Protocol):
    """An append-only hash chain of batches on a device. One writer appends; any number of readers read independently."""

    @property
    def journal_id(self) -> bytes:
        """16 random bytes, drawn when the journal was made. Everything derived from the journal carries them."""

    @property
    def epoch(self) -> int:
        """How often the journal was opened for writing. Every batch carries it: after a second writer has opened the journal,
        the first one's appends are refused."""

    async def last_batch(self) -> JournalBatch | None:
        """The newest batch, or None in an empty journal."""

    def append(self, batch: JournalBatch) -> Awaitable[None]:
        """Starts to write the batch at once. The awaitable is done when the batch is durable: it survives a power cut.

        Raises JournalRefused or JournalError, from the call or from the awaitable.
        """

    def read(self, after_seq: int) -> AsyncIterator[JournalBatch]:
        """The batches that hold commands after `after_seq`, oldest first, up to the end; hash, CRC and chain are checked.

        `after_seq` need not be the end of a batch: the first batch may begin before it. Raises JournalCorrupt.
        """

    async def close(self) -> None:
        """Waits for a running append, then closes the files. Raises JournalRemoved if they are no longer at their path."""
