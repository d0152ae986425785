"""The journal of embedded mode: one SQLite file, each batch a row of table `rows`, durable when `append` is done.

Files: `path` (the database), `path`-wal (the write-ahead log: the last commits), `path`-shm (SQLite's index of the log),
`path`.lock (journal_lock.py). Readers, in other processes too, need no lock: they open the database read-only and read in short
statements, so they delay neither the writer nor its checkpoints.

If the log is damaged, the commits that are only in the log are lost (wal.py). So the log is kept short: it is checkpointed
every LOG_PAGES pages, and emptied when the journal is opened for writing, a second after the last append, and on `close`.

A closed day's rows may have left the file for an archive (archives/); every reader reads both as one chain.

Appends run on one thread with one connection (batch_writer.py), reads on a second thread with a second
connection (batch_reader.py).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import TypeVar

from services.journal import before_writing
from services.journal.archives.checking import CheckedArchives
from services.journal.archives.day import ArchivedEnd
from services.journal.batch import JournalBatch
from services.journal.batch_reader import BatchReader
from services.journal.batch_writer import BatchWriter
from services.journal.before_writing import Remembered
from services.journal.chain import ChainEnd
from services.journal.connections import lost_commands
from services.journal.errors import JournalCorrupt, JournalError, JournalLost, JournalMissing, JournalRefused, naming
from services.journal.journal_lock import JournalLock
from services.journal.work_thread import WorkThread

IDLE_S = 1.0
"""Seconds between two periodic checks. If nothing was appended since the last check, a check empties the log."""

Result = TypeVar("Result")


def _no_witness(_journal_id: bytes) -> None:
    """The default for `remembered`: there is no witness."""


class SqliteJournal:
    """A journal in one SQLite file; made by `open`."""

    def __init__(self, path: Path, reader: BatchReader, writer: BatchWriter | None, lost: JournalLost | None) -> None:
        self._path = path
        self._reader = reader
        self._writer = writer
        self._lost = lost
        self.file_format, self.journal_id, self.epoch = reader.meta()
        self._read_thread = ThreadPoolExecutor(1, "journal-read")
        self._write_thread = WorkThread("journal-write")
        self._failure_raised = False
        self._closed = False
        self._timer: asyncio.TimerHandle | None = None
        self._check_failed = asyncio.Event()
        self._seen_seq = -1

    @classmethod
    async def open(
        cls,
        path: Path,
        *,
        read_only: bool = False,
        remembered: Remembered = _no_witness,
        archives: Path | None = None,
    ) -> SqliteJournal:
        """Opens the journal at `path`. Opening for writing makes the file and its folder if they are missing.

        Rows that have left the file are read from the folder `archives`; without it, from the one beside the file.

        Opening for writing takes the locks (JournalBusy if another process holds one), compares the witness of `remembered`
        with the journal, empties the log, and increments the epoch, which distinguishes the batches of two writers. If the
        opening is refused because of lost commits, a damaged log, a damaged last batch, or a version, it changes no file and
        makes no file except the lock file. Opening for reading calls `remembered` only if there is no journal.

        Raises JournalMissing if there is nothing to read; JournalError if the device or SQLite reports an error; JournalLost if
        the log or a witness proves commits that SQLite would not return; JournalCorrupt or JournalRefused if no batch can
        follow the last batch.
        """
        open_for = cls._for_reading if read_only else cls._for_writing
        with naming(path):
            journal = await asyncio.to_thread(open_for, path, remembered, archives)
        journal._tick()  # Returns at once if the journal is read-only.
        return journal

    @classmethod
    def _for_reading(cls, path: Path, remembered: Remembered, archives: Path | None) -> SqliteJournal:
        lost = lost_commands(path) if path.parent.is_dir() else None
        if not path.exists() or not path.stat().st_size:
            before_writing.check_none_remembered(remembered)
            raise JournalMissing.at(path)
        with ExitStack() as opened:
            reader = BatchReader(path, archives)
            opened.callback(reader.close)
            try:
                reader.check_versions()
            except JournalCorrupt as error:
                raise lost or error from error  # the tables themselves may have been in the lost part of the log
            journal = cls(path, reader, None, lost)
            opened.pop_all()
        return journal

    @classmethod
    def _for_writing(cls, path: Path, remembered: Remembered, archives: Path | None) -> SqliteJournal:
        before_writing.check_missing(path, remembered)
        with ExitStack() as opened:
            files = JournalLock.take(path)
            opened.callback(files.release)
            files.read_from_device()
            reader = BatchReader(path, archives)
            opened.callback(reader.close)
            before_writing.check_present(path, reader, remembered)
            writer = BatchWriter.open(path, files, reader)
            opened.pop_all()
            opened.callback(writer.close)  # closes reader and files too
            journal = cls(path, reader, writer, None)
            opened.pop_all()
        return journal

    @property
    def failed(self) -> JournalError | None:
        """The error that stopped the writer for good: every later append raises it. None if there was no error."""
        return None if self._writer is None else self._writer.failed

    async def last_batch(self) -> JournalBatch | None:
        """The newest batch, or None in an empty journal. Raises JournalLost if the log proves that a newer one is lost."""
        if self._lost is not None:
            raise self._lost
        return await self._on_read_thread(self._reader.last_batch)

    async def archived(self) -> ArchivedEnd:
        """Where the rows that have left the file end."""
        return await self._on_read_thread(self._reader.archived)

    async def check_archives(self) -> CheckedArchives:
        """Compares every archived day, whether its rows have left the file or not. Raises ArchiveUnusable."""
        return await self._on_read_thread(self._reader.check_archives, self.journal_id)

    def append(self, batch: JournalBatch) -> Awaitable[None]:
        """Starts to write the batch at once. The awaitable is done when the batch is durable (survives a power cut).

        Raises JournalRefused, and writes nothing, if the batch does not continue the chain or has another epoch. Raises
        JournalError if the device fails: whether the batch was written is then unknown, and every later append is refused.
        """
        if self._closed:
            raise JournalError(f"{self._path} is closed", batch.first_seq)
        # Encodes on the event loop's thread: on the write thread, each hash and checksum would release and retake the GIL.
        data = batch.encode()
        return self._write_thread.do(self._append, batch, data)

    def _append(self, batch: JournalBatch, data: bytes) -> None:
        if self._writer is None:
            raise JournalRefused(f"{self._path} was opened for reading only", batch.first_seq)
        try:
            self._writer.append(batch, data)
        except JournalError:
            self._failure_raised = self._writer.failed is not None
            raise

    async def read(self, after_seq: int) -> AsyncIterator[JournalBatch]:
        """The batches that hold commands after `after_seq`, oldest first, up to the end; hash, CRC and chain are checked.

        A journal opened for reading raises JournalLost after the last batch if its log proves that later ones are lost.
        """
        chain_end: ChainEnd | None = None
        while True:
            batches, damage = await self._on_read_thread(self._reader.chunk, self.journal_id, after_seq, chain_end)
            for batch in batches:
                yield batch
            if damage is not None:
                with naming(self._path):
                    raise damage
            if not batches and self._lost is not None:
                raise self._lost
            if not batches:
                return
            chain_end = ChainEnd.after(batches[-1])
            after_seq = chain_end.last_seq

    async def watch(self) -> None:
        """Runs until it is canceled. Raises the error of the first periodic check that fails: JournalRemoved, or JournalError
        if the log of an idle journal could not be checkpointed.
        """
        await self._check_failed.wait()
        assert self.failed is not None
        self._failure_raised = True
        raise self.failed

    async def close(self) -> None:
        """Waits for a running append, empties the log and closes the files. A second call does nothing.

        After everything is closed, raises JournalRemoved if the open files are no longer at their paths, or JournalError if the
        log cannot be checkpointed, unless an append or `watch` has already raised this error.
        """
        if self._closed:
            return
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
        await asyncio.to_thread(self._release)
        if self.failed is not None and not self._failure_raised:
            raise self.failed

    def _release(self) -> None:
        self._write_thread.end()
        self._read_thread.shutdown()
        (self._writer or self._reader).close()

    def _tick(self) -> None:
        """Runs every IDLE_S: checks the files, and empties the log if nothing was appended since the last check."""
        if self._closed or self._writer is None:
            return
        last_seq = self._writer.last_seq
        is_idle, self._seen_seq = self._seen_seq == last_seq, last_seq
        check = self._write_thread.do(self._writer.check, is_idle)
        check.add_done_callback(self._on_checked)

    def _on_checked(self, check: asyncio.Future[bool]) -> None:
        if check.result():
            self._check_failed.set()
        if not self._closed:
            self._timer = check.get_loop().call_later(IDLE_S, self._tick)

    async def _on_read_thread(self, work: Callable[..., Result], *arguments: object) -> Result:
        if self._closed:
            raise JournalError(f"{self._path} is closed")
        with naming(self._path):
            return await asyncio.get_running_loop().run_in_executor(self._read_thread, work, *arguments)


def check_lock(path: Path) -> None:
    """Raises JournalBusy if another process has the journal open for writing."""
    JournalLock.take(path).release()
