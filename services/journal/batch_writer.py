"""Writes batches: one INSERT with an fsync for each batch, and a checkpoint of the write-ahead log every LOG_PAGES pages.

A failed fsync (of the log at a commit, or of the database at a checkpoint) stops the writer for good: the kernel marks the
unwritten pages as written, so no later read or fsync shows what the device holds. When the last connection closes, SQLite would
repeat the checkpoint and remove the log; a read-only connection does neither. So, unless the log is empty, `close` closes the
read-only connection last. The log stays complete: the next start drops the cached pages (`JournalLock.read_from_device`) and
checkpoints the log again.
"""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path

from services.files.data_folder import reason_of
from services.journal.batch import JournalBatch
from services.journal.batch_reader import BatchReader
from services.journal.chain import ChainEnd
from services.journal.connections import BUSY_S, LOG_PAGES, copy_log, empty_log, open_writer, pages_of
from services.journal.errors import JournalBusy, JournalError, JournalRefused
from services.journal.journal_lock import JournalLock

CHECK_NS = 5_000_000
"""Before an append returns, it checks that the open files are still at their paths, at most once in this time (5 ms)."""

# The INSERT compares the epoch in its own transaction: once another writer has opened the journal, this writer appends nothing,
# even if the locks failed.
_APPEND = """
INSERT INTO rows (first_seq, last_seq, epoch, data)
SELECT ?1, ?2, ?3, ?4 WHERE (SELECT epoch FROM meta) = ?3
"""


class BatchWriter:
    """The only connection that writes the journal, and the locked files. Made by `open`. One thread at a time may use it."""

    def __init__(self, path: Path, files: JournalLock, connection: sqlite3.Connection, reader: BatchReader) -> None:
        self._path = path
        self._files = files
        self._connection = connection
        self._reader = reader
        self._end = ChainEnd.after(reader.last_batch())
        _, self._journal_id, self._epoch = reader.meta()
        self._checked_ns = 0
        self._log_pages = 0
        """The estimated number of pages committed since the last checkpoint."""
        self._emptied_at: int | None = None
        """`last_seq` at the time the log was last emptied."""
        self.failed: JournalError | None = None
        """The error that stopped the writer for good: every later append raises it. None if there was no error."""

    @classmethod
    def open(cls, path: Path, files: JournalLock, reader: BatchReader) -> BatchWriter:
        """Empties the log and increments the epoch. The writer then owns `reader` and closes it. Raises JournalError."""
        connection = open_writer(path)
        try:
            files.remember()
            connection.execute("UPDATE meta SET epoch = epoch + 1")
            return cls(path, files, connection, reader)
        except sqlite3.Error as error:
            connection.close()
            raise JournalError(f"{path}: raising the epoch failed: {error}") from error
        except BaseException:
            connection.close()
            raise

    @property
    def last_seq(self) -> int:
        """The last sequence number of the last batch."""
        return self._end.last_seq

    def append(self, batch: JournalBatch, data: bytes) -> None:
        """Writes the batch as the row `data` and returns when it is durable.

        Raises JournalRefused, and writes nothing, if the batch does not continue the chain or has another epoch. Raises
        JournalError if the device fails; every later call raises it again.
        """
        if self.failed is not None:
            raise type(self.failed)(str(self.failed), batch.first_seq)
        if batch.epoch != self._epoch:
            raise JournalRefused(
                f"seq {batch.first_seq} is of epoch {batch.epoch}; this is {self._epoch}", batch.first_seq
            )
        if (reason := batch.break_of_chain(self._journal_id, *self._end)) is not None:
            raise JournalRefused(reason, batch.first_seq)
        try:
            self._insert(batch, data)
            self._check_files()
            self._copy_log(data)
        except JournalError as error:
            self.failed = error
            raise type(error)(str(error), batch.first_seq) from error.__cause__
        self._end = ChainEnd.after(batch)

    def _insert(self, batch: JournalBatch, data: bytes) -> None:
        try:
            if self._connection.execute(_APPEND, (batch.first_seq, batch.last_seq, batch.epoch, data)).rowcount == 0:
                (epoch,) = self._connection.execute("SELECT epoch FROM meta").fetchone()
                raise JournalBusy(
                    f"another process took over {self._path}: it is at epoch {epoch}, this one at {batch.epoch}"
                )
        except sqlite3.Error as error:
            reason = reason_of(self._path, error)
            raise JournalError(
                f"{self._path}: writing the batch from seq {batch.first_seq} failed: {reason}"
            ) from error

    def _check_files(self) -> None:
        """Checks the files at most once in CHECK_NS, because a check costs microseconds and releases the GIL."""
        now = time.monotonic_ns()
        if now - self._checked_ns >= CHECK_NS:
            self._files.check()
            self._checked_ns = now

    def _copy_log(self, data: bytes) -> None:
        self._log_pages += pages_of(len(data))
        if self._log_pages >= LOG_PAGES:
            copy_log(self._connection, self._path)
            self._log_pages = 0

    def check(self, is_idle: bool) -> bool:
        """Checks the files at their path and, if `is_idle`, empties the log. True if this call failed: a file is gone, or
        the checkpoint failed. False if the writer had failed before."""
        if self.failed is not None:
            return False
        try:
            self._files.check()
            if is_idle and self.last_seq != self._emptied_at:
                self._empty_log()
        except JournalError as error:
            self.failed = error
            return True
        return False

    def _empty_log(self) -> None:
        self._connection.execute("PRAGMA busy_timeout = 0")  # If a reader blocks the log, the next check tries again.
        if empty_log(self._connection, self._path):
            self._emptied_at, self._log_pages = self.last_seq, 0
        self._connection.execute(f"PRAGMA busy_timeout = {int(BUSY_S * 1000)}")

    def close(self) -> None:
        """Empties the log unless a reader blocks it, closes both connections and releases the files. Sets `failed` if the check
        or the checkpoint fails.
        """
        self.check(True)
        # When the last connection closes, SQLite checkpoints the log, ignores errors, and removes the file at the log's path.
        # That is safe only if the log is empty. Otherwise (after a failure, or while another process reads) the read-only
        # connection is closed last: it neither checkpoints nor removes.
        is_empty = self.failed is None and self._emptied_at == self.last_seq
        connections: list[BatchReader | sqlite3.Connection] = [self._reader, self._connection]
        for connection in connections if is_empty else connections[::-1]:
            connection.close()
        self._files.release()
