"""The checks before SQLite opens the journal for writing, which empties its log. A start that they refuse changes no file.

SQLite ends a damaged log at the damage and checkpoints only the frames before it; the frames after it are lost. So the witness
is compared with the journal first, and a log with any damage, even a torn end, is copied aside.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from services.files.data_folder import FILE_MODE
from services.journal import wal
from services.journal.batch import NO_HASH
from services.journal.batch_reader import BatchReader
from services.journal.connections import PAGE_BYTES, log_of, lost_commands
from services.journal.errors import JournalError
from services.journal.witness import Witness

KEPT = ".torn"
"""The suffix of a damaged log's copy, after the log's own name."""

Remembered = Callable[[bytes], Witness | None]
"""Given a journal id, returns the witness of that journal, or None; given b"", the witness of any journal."""


def check_missing(path: Path, remembered: Remembered) -> None:
    """Where there is no file at `path`: raises JournalLost if a log or a witness shows that there was a journal. Makes no
    file."""
    if path.exists():
        return
    if (lost := lost_commands(path)) is not None:
        raise lost
    check_none_remembered(remembered)


def check_present(path: Path, reader: BatchReader, remembered: Remembered) -> None:
    """Raises JournalLost, JournalCorrupt or JournalRefused if the start must be refused; otherwise copies a damaged log aside.
    The caller must hold the lock: while another process writes, the log may look damaged.
    """
    if (lost := lost_commands(path)) is not None:
        raise lost
    if _is_being_made(path) or not reader.has_tables():
        check_none_remembered(remembered)
    else:
        reader.check_versions()
        _check_remembered(reader, remembered)
    _keep_damaged_log(log_of(path))


def _is_being_made(path: Path) -> bool:
    """Whether the file is empty, or the process that made it was killed in its first transaction, which SQLite rolls back when
    it opens the file for writing."""
    size = path.stat().st_size
    return not size or (size <= PAGE_BYTES and path.with_name(path.name + "-journal").exists())


def check_none_remembered(remembered: Remembered) -> None:
    """For a place without a journal, or with an empty one: raises JournalLost if a witness of any journal exists."""
    if (witness := remembered(b"")) is not None:
        raise witness.beyond(0, NO_HASH)


def _check_remembered(reader: BatchReader, remembered: Remembered) -> None:
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
    """Copies a damaged log to a file beside it, which replaces an older copy."""
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
