"""What is looked at before SQLite opens the journal for writing, because that empties its log: a refusal then changes no file.

SQLite ends a damaged log where the damage is, and copies what stands before it: what stood behind is gone. So whoever remembers
more of the journal than SQLite shows is heard first, and of a log with any damage, a torn end included, a copy is kept.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from services.data_folder import FILE_MODE
from services.journal import wal
from services.journal.batch import NO_HASH
from services.journal.batch_reader import BatchReader
from services.journal.connections import PAGE_BYTES, log_of, lost_commands
from services.journal.errors import JournalError
from services.journal.witness import Witness

KEPT = ".torn"
"""What the copy of a damaged log is called behind the log's own name."""

Remembered = Callable[[bytes], Witness | None]
"""Told a journal's id, what somebody else remembers of that journal; told no id, of whichever journal there was."""


def ask_for(path: Path, remembered: Remembered) -> None:
    """Raises, before anything is made, where there is no journal at `path` and one is remembered: it was removed."""
    if path.exists():
        return
    if (lost := lost_commands(path)) is not None:
        raise lost
    hear_of_one(remembered)


def look(path: Path, reader: BatchReader, remembered: Remembered, *, outdated: bool) -> None:
    """Raises JournalLost, JournalCorrupt or JournalRefused where a start must be refused; otherwise keeps a copy of a
    damaged log. To be called under the lock: a journal that somebody writes says nothing.
    """
    if (lost := lost_commands(path)) is not None:
        raise lost
    if _is_being_made(path) or not reader.has_tables():
        hear_of_one(remembered)
    else:
        reader.check_versions(outdated=outdated)
        _hear(reader, remembered)
    _keep_damaged_log(log_of(path))


def _is_being_made(path: Path) -> bool:
    """Whether it is empty, or its first page was on its way when its maker was killed: SQLite takes that back to write."""
    size = path.stat().st_size
    return not size or (size <= PAGE_BYTES and path.with_name(path.name + "-journal").exists())


def hear_of_one(remembered: Remembered) -> None:
    """Raises JournalLost where one is remembered, of the place of a journal that holds nothing."""
    if (witness := remembered(b"")) is not None:
        raise witness.beyond(0, NO_HASH)


def _hear(reader: BatchReader, remembered: Remembered) -> None:
    _, journal_id, _ = reader.meta()
    last = reader.last_batch()
    witness = remembered(journal_id)
    if witness is None:
        return
    last_seq, last_hash = (0, NO_HASH) if last is None else (last.last_seq, last.hash)
    if witness.seq > last_seq:
        raise witness.beyond(last_seq, last_hash)
    batches, _ = reader.chunk(journal_id, witness.seq - 1, None)
    if batches:
        witness.check_batch(batches[0])


def _keep_damaged_log(log: Path) -> None:
    """A copy beside it, the newest only."""
    if wal.inspect(log) is None:
        return
    kept = log.with_name(log.name + KEPT)
    try:
        with open(kept, "wb", opener=lambda name, flags: os.open(name, flags, FILE_MODE)) as copy:
            copy.write(log.read_bytes())
            copy.flush()
            os.fsync(copy.fileno())
    except OSError as error:
        raise JournalError(f"{kept}, a copy of the damaged log, cannot be written: {error}") from error
