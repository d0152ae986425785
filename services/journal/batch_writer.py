"""Putting batches onto the device: one statement a batch, synced, and the log copied into the database now and then.

A sync that fails, of the log at a commit or of the database at a copy, stops the writer for good: the pages that were not
written look as if they were, so nothing that is done with the file afterwards says anything about the device. SQLite itself
would try the copy again, and at the last close remove the log; so unless the log is empty, the last connection that is closed
here is one that can do neither. The next start has the pages that memory holds dropped (`HeldFiles.read_from_device`) and
copies the log, of which nothing was cut off, once more.
"""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path

from services.journal.batch import NO_HASH, JournalBatch
from services.journal.batch_reader import BatchReader, Position
from services.journal.connections import BUSY_S, LOG_PAGES, copy_log, empty_log, open_writer, pages_of
from services.journal.errors import JournalBusy, JournalError, JournalRefused
from services.journal.held_files import HeldFiles

CHECK_NS = 5_000_000
"""Before an acknowledgement the files are looked for at their path, unless that was done in the last 5 ms."""

# The epoch is read in the same transaction: a writer that was succeeded appends nothing, whatever became of the locks.
_APPEND = """
INSERT INTO rows (first_seq, last_seq, epoch, data)
SELECT ?1, ?2, ?3, ?4 WHERE (SELECT epoch FROM meta) = ?3
"""


class BatchWriter:
    """The one connection that writes a journal, and its files; made by `open`. Any one thread at a time may use it."""

    def __init__(self, path: Path, files: HeldFiles, connection: sqlite3.Connection, reader: BatchReader) -> None:
        self._path = path
        self._files = files
        self._connection = connection
        self._reader = reader
        last = reader.last_batch()
        self._end = Position(0, NO_HASH) if last is None else Position(last.last_seq, last.hash)
        _, self._journal_id, self._epoch = reader.meta()
        self._checked_ns = 0
        self._log_pages = 0
        """About so many were committed since the log was copied."""
        self._emptied_at: int | None = None
        """The last seq when the log was emptied."""
        self.failed: JournalError | None = None
        """Why nothing more is taken in; None while all is well."""

    @classmethod
    def open(cls, path: Path, files: HeldFiles, reader: BatchReader) -> BatchWriter:
        """Empties the log and raises the epoch; `reader`, which has read, is closed after it. Raises JournalError."""
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
        """Where the last batch ends."""
        return self._end.last_seq

    def append(self, batch: JournalBatch, data: bytes) -> None:
        """Returns when the batch, `data` in bytes, is on the device.

        Raises JournalRefused, with nothing written, for a batch that does not continue the chain or is of another epoch;
        JournalError where the device fails, and from then on.
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
        self._end = Position(batch.last_seq, batch.hash)

    def _insert(self, batch: JournalBatch, data: bytes) -> None:
        try:
            if self._connection.execute(_APPEND, (batch.first_seq, batch.last_seq, batch.epoch, data)).rowcount == 0:
                (epoch,) = self._connection.execute("SELECT epoch FROM meta").fetchone()
                raise JournalBusy(
                    f"another process took over {self._path}: it is at epoch {epoch}, this one at {batch.epoch}"
                )
        except sqlite3.Error as error:
            raise JournalError(f"{self._path}: writing the row from seq {batch.first_seq} failed: {error}") from error

    def _check_files(self) -> None:
        """Each look costs microseconds and hands on the interpreter's lock, so batches that follow within CHECK_NS share
        one."""
        now = time.monotonic_ns()
        if now - self._checked_ns >= CHECK_NS:
            self._files.check()
            self._checked_ns = now

    def _copy_log(self, data: bytes) -> None:
        self._log_pages += pages_of(len(data))
        if self._log_pages >= LOG_PAGES:
            copy_log(self._connection, self._path)
            self._log_pages = 0

    def look(self, is_idle: bool) -> bool:
        """Whether it failed now: the files are gone, or the log, which is emptied when `is_idle`, could not be copied."""
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
        self._connection.execute("PRAGMA busy_timeout = 0")  # Where a reader is in the way the next look tries again.
        if empty_log(self._connection, self._path):
            self._emptied_at, self._log_pages = self.last_seq, 0
        self._connection.execute(f"PRAGMA busy_timeout = {int(BUSY_S * 1000)}")

    def close(self) -> None:
        """Empties the log, where no reader is in the way, closes the reader too and lets go of the files; `failed` says why
        where that did not go well.
        """
        self.look(True)
        # The last connection to close copies the log into the database, ignores its errors, and removes what stands at the
        # log's path. That is for an empty log; where it is not (a failure, or another process reads), the last one is the
        # reader, which does neither.
        is_empty = self.failed is None and self._emptied_at == self.last_seq
        connections: list[BatchReader | sqlite3.Connection] = [self._reader, self._connection]
        for connection in connections if is_empty else connections[::-1]:
            connection.close()
        self._files.release()
