"""The journal of embedded mode: one SQLite file, one table, one row per batch, on the device before `append` returns.

Files: `path` (the database), `path`-wal (what was committed last), `path`-shm (SQLite's index of the log), `path`.lock
(held_files.py). Readers, also in other processes, need no lock: they open the database read-only and read in short statements,
so they hold up neither the writer nor its checkpoints.

What stands in the log alone is what a damaged log loses (wal.py), so little stands there: it is emptied when the journal is
opened for writing and a second after the last append, and copied into the database every LOG_PAGES pages. Emptying it at open
also writes those pages again that a kernel kept in memory after a failed sync.

Appends run on a thread of their own with a connection of their own, reads on another.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from matching_engine import ENGINE_VERSION
from services.journal import before_writing
from services.journal.before_writing import Remembered
from services.journal.connections import BUSY_S, FILE_FORMAT, empty_log, lost_commands, open_writer
from services.journal.errors import (
    JournalBusy,
    JournalCorrupt,
    JournalError,
    JournalLost,
    JournalMissing,
    JournalRefused,
    JournalRemoved,
)
from services.journal.held_files import HeldFiles
from services.journal.row import NO_HASH, Row
from services.journal.row_reader import Position, RowReader

IDLE_S = 1.0
"""After so long without an append the log is emptied."""

CHECK_NS = 5_000_000
"""Before an acknowledgement the files are looked for at their path, unless that was done in the last 5 ms."""

# The epoch is read in the same transaction: a writer that was succeeded appends nothing, whatever became of the locks.
_APPEND = """
INSERT INTO rows (first_seq, last_seq, epoch, data)
SELECT ?1, ?2, ?3, ?4 WHERE (SELECT epoch FROM meta) = ?3
"""
Result = TypeVar("Result")


def _nobody(journal_id: bytes) -> None:
    """Remembers nothing of any journal."""


class SqliteJournal:
    """A journal in one SQLite file; made by `open`."""

    def __init__(
        self, path: Path, reader: RowReader, writer: sqlite3.Connection | None, files: HeldFiles | None
    ) -> None:
        self._path = path
        self._reader = reader
        self._writer = writer
        self._files = files
        self._read_thread = ThreadPoolExecutor(1, "journal-read")
        self._write_thread = ThreadPoolExecutor(1, "journal-write")
        self._failed: JournalError | None = None
        self._failure_raised = False
        self._lost: JournalLost | None = None
        self._closed = False
        self._end = Position(0, NO_HASH)
        self._checked_ns = 0
        self._timer: asyncio.TimerHandle | None = None
        self._removal = asyncio.Event()
        """A look has found the files gone."""
        self._seen_seq = -1
        self._emptied_at: int | None = None
        self.journal_id = b""
        self.epoch = 0

    @classmethod
    async def open(
        cls, path: Path, *, read_only: bool = False, outdated: bool = False, remembered: Remembered = _nobody
    ) -> SqliteJournal:
        """The journal at `path`, made with its folder where there is none.

        One that ends with a row of an older engine version is refused unless it may be `outdated`: `rex upgrade`.

        Opening for writing takes the locks (JournalBusy where another process holds one), empties the log and raises the epoch,
        so that rows of two writers can be told apart. What is `remembered` of the journal is compared before: a start that is
        refused for a loss changes nothing. Raises JournalMissing where there is nothing to read, JournalError where the device
        does not give what is asked of it, JournalLost
        where commits stand in the log that SQLite would not show or are remembered, JournalCorrupt or JournalRefused where
        the last row cannot be continued.
        """
        journal = await asyncio.to_thread(cls._open, path, read_only, outdated, remembered)
        if not read_only:
            journal._tick()
        return journal

    @classmethod
    def _open(cls, path: Path, read_only: bool, outdated: bool, remembered: Remembered) -> SqliteJournal:
        journal = cls._for_reading(path) if read_only else cls._for_writing(path, remembered)
        try:
            journal._start(outdated)
        except BaseException:
            journal._release()
            raise
        return journal

    @classmethod
    def _for_reading(cls, path: Path) -> SqliteJournal:
        lost = lost_commands(path) if path.parent.is_dir() else None
        if not path.exists() or not path.stat().st_size:
            raise JournalMissing.at(path)
        journal = cls(path, RowReader(path), None, None)
        journal._lost = lost
        return journal

    @classmethod
    def _for_writing(cls, path: Path, remembered: Remembered) -> SqliteJournal:
        files = HeldFiles.take(path)
        try:
            before_writing.look(path, remembered)
            writer = open_writer(path)
            files.remember()
            return cls(path, RowReader(path), writer, files)
        except BaseException:
            files.release()
            raise

    def _start(self, outdated: bool) -> None:
        try:
            found, self.journal_id, self.epoch = self._reader.meta()
        except JournalCorrupt as error:
            raise self._lost or error from error  # the tables themselves may be what was lost
        if found != FILE_FORMAT:
            raise JournalRefused(f"{self._path} has file format {found}; this version reads {FILE_FORMAT}")
        if not outdated:
            self._refuse_outdated()
        if self._writer is None:
            return
        last = self._reader.last_row()
        if last is not None:
            self._end = Position(last.last_seq, last.hash)
        try:
            self._writer.execute("UPDATE meta SET epoch = epoch + 1")
        except sqlite3.Error as error:
            raise JournalError(f"{self._path}: raising the epoch failed: {error}") from error
        self.epoch += 1

    def _refuse_outdated(self) -> None:
        """A journal is continued by the rules that made its last row; older rows need a marker (`upgrades.py`)."""
        try:
            last = self._reader.last_row()
        except JournalError:
            return  # whoever reads on finds it and names it
        if last is not None and last.engine_version < ENGINE_VERSION:
            raise JournalRefused(
                f"{self._path} was made by engine version {last.engine_version}; this REX runs version {ENGINE_VERSION}:"
                f" run `rex upgrade --data-dir {self._path.parent}`",
                last.last_seq + 1,
            )

    @property
    def failed(self) -> JournalError | None:
        """Why nothing more is taken in; None while all is well."""
        return self._failed

    async def last_row(self) -> Row | None:
        """The newest row, or None in an empty journal. Raises JournalLost where it is known that there was a newer one."""
        if self._lost is not None:
            raise self._lost
        return await self._on_read_thread(self._reader.last_row)

    async def first_row(self, engine_version: int) -> Row | None:
        """The oldest row of this engine version or a newer one; None where there is none yet."""
        return await self._on_read_thread(self._reader.first_row, engine_version)

    def append(self, row: Row) -> Awaitable[None]:
        """Begins at once to put the row on the device; done when it would survive a power cut.

        Raises JournalRefused, with nothing written, for a row that does not continue the chain or is of another epoch;
        JournalError where the device fails: whether the row is there is then unknown, and nothing more is taken in.
        """
        if self._closed:
            raise JournalError(f"{self._path} is closed", row.first_seq)
        # Encoded here and not there: each hash or checksum would hand the interpreter's lock to and fro between the threads.
        data = row.encode()
        return asyncio.get_running_loop().run_in_executor(self._write_thread, self._append, row, data)

    def _append(self, row: Row, data: bytes) -> None:
        if self._writer is None:
            raise JournalRefused(f"{self._path} was opened for reading only", row.first_seq)
        if self._failed is not None:
            self._failure_raised = True
            raise type(self._failed)(str(self._failed), row.first_seq)
        if row.epoch != self.epoch:
            raise JournalRefused(f"seq {row.first_seq} is of epoch {row.epoch}; this is {self.epoch}", row.first_seq)
        if (reason := row.break_of_chain(self.journal_id, *self._end)) is not None:
            raise JournalRefused(reason, row.first_seq)
        try:
            self._insert(self._writer, row, data)
            self._check_files()
        except JournalError as error:
            self._failed, self._failure_raised = error, True
            raise type(error)(str(error), row.first_seq) from error.__cause__
        self._end = Position(row.last_seq, row.hash)

    def _insert(self, writer: sqlite3.Connection, row: Row, data: bytes) -> None:
        try:
            if writer.execute(_APPEND, (row.first_seq, row.last_seq, row.epoch, data)).rowcount == 0:
                (epoch,) = writer.execute("SELECT epoch FROM meta").fetchone()
                raise JournalBusy(
                    f"another process took over {self._path}: it is at epoch {epoch}, this one at {row.epoch}"
                )
        except sqlite3.Error as error:
            raise JournalError(f"{self._path}: writing the row from seq {row.first_seq} failed: {error}") from error

    def _check_files(self) -> None:
        """Each look costs microseconds and hands on the interpreter's lock, so rows that follow within CHECK_NS share one."""
        now = time.monotonic_ns()
        if self._files is not None and now - self._checked_ns >= CHECK_NS:
            self._files.check()
            self._checked_ns = now

    async def read(self, after_seq: int) -> AsyncIterator[Row]:
        """The rows holding commands after `after_seq`, oldest first, up to the end; each checked (hash, CRC, chain).

        A journal opened for reading raises JournalLost behind the last row where its log shows that there were more.
        """
        position: Position | None = None
        while True:
            rows, damage = await self._on_read_thread(self._reader.chunk, self.journal_id, after_seq, position)
            for row in rows:
                yield row
            if damage is not None:
                raise damage
            if not rows and self._lost is not None:
                raise self._lost
            if not rows:
                return
            position = Position(rows[-1].last_seq, rows[-1].hash)
            after_seq = position.last_seq

    async def watch(self) -> None:
        """Runs until it is canceled. Raises JournalRemoved when a look at the files, one every second, finds them gone."""
        await self._removal.wait()
        assert self._failed is not None
        self._failure_raised = True
        raise self._failed

    async def close(self) -> None:
        """Waits for a running append and lets go of the files; closing twice is harmless.

        Raises JournalRemoved, with everything let go of, where the files are no longer those at their path and no append has
        said so.
        """
        if not self._closed:
            self._closed = True
            if self._timer is not None:
                self._timer.cancel()
            await asyncio.to_thread(self._release)

    def _release(self) -> None:
        self._write_thread.shutdown()
        self._read_thread.shutdown()
        removed = self._removed()
        # The last connection to close copies the log into the database and removes what stands at the log's path. Where that
        # may be somebody else's file, the last one is the reader, which does neither.
        connections = [self._reader, self._writer] if removed is None else [self._writer, self._reader]
        for connection in connections:
            if connection is not None:
                connection.close()
        if self._files is not None:
            self._files.release()
        if removed is not None and not self._failure_raised:
            raise removed

    def _removed(self) -> JournalRemoved | None:
        try:
            if self._files is not None:
                self._files.check()
        except JournalRemoved as removed:
            return removed
        return None

    def _tick(self) -> None:
        """Every second: looks for the files, and empties the log where nothing was appended since the last time."""
        if self._closed:
            return
        last_seq = self._end.last_seq
        idle, self._seen_seq = self._seen_seq == last_seq, last_seq
        look = asyncio.get_running_loop().run_in_executor(self._write_thread, self._look, last_seq if idle else None)
        look.add_done_callback(self._looked)

    def _look(self, idle_at: int | None) -> bool:
        """On the write thread: whether the files are gone since the last look; where the journal is idle its log is emptied."""
        if self._failed is None and (removed := self._removed()) is not None:
            self._failed = removed
            return True
        if idle_at is not None and idle_at != self._emptied_at and self._failed is None:
            self._empty_log(idle_at)
        return False

    def _looked(self, look: asyncio.Future[bool]) -> None:
        if look.result():
            self._removal.set()
        if not self._closed:
            self._timer = look.get_loop().call_later(IDLE_S, self._tick)

    def _empty_log(self, last_seq: int) -> None:
        assert self._writer is not None
        with suppress(sqlite3.Error):  # What stands in the log is on the device; the next second tries again.
            self._writer.execute("PRAGMA busy_timeout = 0")
            try:
                if empty_log(self._writer):
                    self._emptied_at = last_seq
            finally:
                self._writer.execute(f"PRAGMA busy_timeout = {int(BUSY_S * 1000)}")

    async def _on_read_thread(self, work: Callable[..., Result], *arguments: object) -> Result:
        if self._closed:
            raise JournalError(f"{self._path} is closed")
        return await asyncio.get_running_loop().run_in_executor(self._read_thread, work, *arguments)


def check_lock(path: Path) -> None:
    """Raises JournalBusy where another process writes the journal at this moment."""
    HeldFiles.take(path).release()
