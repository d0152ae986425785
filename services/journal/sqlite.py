"""The journal of embedded mode: one SQLite file, one table, one batch per batch, on the device before `append` returns.

Files: `path` (the database), `path`-wal (what was committed last), `path`-shm (SQLite's index of the log), `path`.lock
(held_files.py). Readers, also in other processes, need no lock: they open the database read-only and read in short statements,
so they hold up neither the writer nor its checkpoints.

What stands in the log alone is what a damaged log loses (wal.py), so little stands there: it is emptied when the journal is
opened for writing, a second after the last append, and when it is closed, and copied into the database every LOG_PAGES pages.

Appends run on a thread of their own with a connection of their own (batch_writer.py), reads on another (batch_reader.py).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import TypeVar

from services.journal import before_writing
from services.journal.batch import JournalBatch
from services.journal.batch_reader import BatchReader, Position
from services.journal.batch_writer import BatchWriter
from services.journal.before_writing import Remembered
from services.journal.connections import lost_commands
from services.journal.errors import JournalCorrupt, JournalError, JournalLost, JournalMissing, JournalRefused, naming
from services.journal.held_files import HeldFiles

IDLE_S = 1.0
"""After so long without an append the log is emptied."""

Result = TypeVar("Result")


def _nobody(journal_id: bytes) -> None:
    """Remembers nothing of any journal."""


class SqliteJournal:
    """A journal in one SQLite file; made by `open`."""

    def __init__(self, path: Path, reader: BatchReader, writer: BatchWriter | None, lost: JournalLost | None) -> None:
        self._path = path
        self._reader = reader
        self._writer = writer
        self._lost = lost
        _, self.journal_id, self.epoch = reader.meta()
        self._read_thread = ThreadPoolExecutor(1, "journal-read")
        self._write_thread = ThreadPoolExecutor(1, "journal-write")
        self._failure_raised = False
        self._closed = False
        self._timer: asyncio.TimerHandle | None = None
        self._look_failed = asyncio.Event()
        self._seen_seq = -1

    @classmethod
    async def open(
        cls, path: Path, *, read_only: bool = False, outdated: bool = False, remembered: Remembered = _nobody
    ) -> SqliteJournal:
        """The journal at `path`, made with its folder where there is none.

        One that ends with a batch of an older engine version is refused unless it may be `outdated`: `rex upgrade`.

        Opening for writing takes the locks (JournalBusy where another process holds one), empties the log and raises the
        epoch, so that batches of two writers can be told apart. What is `remembered` of the journal is compared before: a
        start that is refused for a loss, for damage of the log or the last batch, or for a version changes no file, and makes
        none but the lock file. Opening for reading compares it where there is no journal only.

        Raises JournalMissing where there is nothing to read, JournalError where the device does not give what is asked of it,
        JournalLost where commits stand in the log that SQLite would not show or are remembered, JournalCorrupt or
        JournalRefused where the last batch cannot be continued.
        """
        open_for = cls._for_reading if read_only else cls._for_writing
        with naming(path):
            journal = await asyncio.to_thread(open_for, path, outdated, remembered)
        journal._tick()  # Nothing, where it only reads.
        return journal

    @classmethod
    def _for_reading(cls, path: Path, outdated: bool, remembered: Remembered) -> SqliteJournal:
        lost = lost_commands(path) if path.parent.is_dir() else None
        if not path.exists() or not path.stat().st_size:
            before_writing.hear_of_one(remembered)
            raise JournalMissing.at(path)
        with ExitStack() as opened:
            reader = BatchReader(path)
            opened.callback(reader.close)
            try:
                reader.check_versions(outdated=outdated)
            except JournalCorrupt as error:
                raise lost or error from error  # the tables themselves may be what was lost
            journal = cls(path, reader, None, lost)
            opened.pop_all()
        return journal

    @classmethod
    def _for_writing(cls, path: Path, outdated: bool, remembered: Remembered) -> SqliteJournal:
        before_writing.ask_for(path, remembered)
        with ExitStack() as opened:
            files = HeldFiles.take(path)
            opened.callback(files.release)
            files.read_from_device()
            reader = BatchReader(path)
            opened.callback(reader.close)
            before_writing.look(path, reader, remembered, outdated=outdated)
            writer = BatchWriter.open(path, files, reader)
            opened.pop_all()
            opened.callback(writer.close)  # and with it what was opened before it
            journal = cls(path, reader, writer, None)
            opened.pop_all()
        return journal

    @property
    def failed(self) -> JournalError | None:
        """Why nothing more is taken in; None while all is well."""
        return None if self._writer is None else self._writer.failed

    async def last_batch(self) -> JournalBatch | None:
        """The newest batch, or None in an empty journal. Raises JournalLost where it is known that there was a newer one."""
        if self._lost is not None:
            raise self._lost
        return await self._on_read_thread(self._reader.last_batch)

    async def first_batch(self, engine_version: int) -> JournalBatch | None:
        """The oldest batch of this engine version or a newer one; None where there is none yet."""
        return await self._on_read_thread(self._reader.first_batch, engine_version)

    def append(self, batch: JournalBatch) -> Awaitable[None]:
        """Begins at once to put the batch on the device; done when it would survive a power cut.

        Raises JournalRefused, with nothing written, for a batch that does not continue the chain or is of another epoch;
        JournalError where the device fails: whether the batch is there is then unknown, and nothing more is taken in.
        """
        if self._closed:
            raise JournalError(f"{self._path} is closed", batch.first_seq)
        # Encoded here and not there: each hash or checksum would hand the interpreter's lock to and fro between the threads.
        data = batch.encode()
        return asyncio.get_running_loop().run_in_executor(self._write_thread, self._append, batch, data)

    def _append(self, batch: JournalBatch, data: bytes) -> None:
        if self._writer is None:
            raise JournalRefused(f"{self._path} was opened for reading only", batch.first_seq)
        try:
            self._writer.append(batch, data)
        except JournalError:
            self._failure_raised = self._writer.failed is not None
            raise

    async def read(self, after_seq: int) -> AsyncIterator[JournalBatch]:
        """The batches holding commands after `after_seq`, oldest first, up to the end; each checked (hash, CRC, chain).

        A journal opened for reading raises JournalLost behind the last batch where its log shows that there were more.
        """
        position: Position | None = None
        while True:
            batches, damage = await self._on_read_thread(self._reader.chunk, self.journal_id, after_seq, position)
            for batch in batches:
                yield batch
            if damage is not None:
                with naming(self._path):
                    raise damage
            if not batches and self._lost is not None:
                raise self._lost
            if not batches:
                return
            position = Position(batches[-1].last_seq, batches[-1].hash)
            after_seq = position.last_seq

    async def watch(self) -> None:
        """Runs until it is canceled. Raises what a look, one every second, finds: JournalRemoved, or JournalError where the log
        of an idle journal could not be copied.
        """
        await self._look_failed.wait()
        assert self.failed is not None
        self._failure_raised = True
        raise self.failed

    async def close(self) -> None:
        """Waits for a running append, empties the log and lets go of the files; closing twice is harmless.

        Raises, with everything let go of, JournalRemoved where the files are no longer those at their path, JournalError where
        the log cannot be copied, unless an append or `watch` has said so.
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
        self._write_thread.shutdown()
        self._read_thread.shutdown()
        (self._writer or self._reader).close()

    def _tick(self) -> None:
        """Every second: looks for the files, and empties the log where nothing was appended since the last time."""
        if self._closed or self._writer is None:
            return
        last_seq = self._writer.last_seq
        is_idle, self._seen_seq = self._seen_seq == last_seq, last_seq
        look = asyncio.get_running_loop().run_in_executor(self._write_thread, self._writer.look, is_idle)
        look.add_done_callback(self._looked)

    def _looked(self, look: asyncio.Future[bool]) -> None:
        if look.result():
            self._look_failed.set()
        if not self._closed:
            self._timer = look.get_loop().call_later(IDLE_S, self._tick)

    async def _on_read_thread(self, work: Callable[..., Result], *arguments: object) -> Result:
        if self._closed:
            raise JournalError(f"{self._path} is closed")
        with naming(self._path):
            return await asyncio.get_running_loop().run_in_executor(self._read_thread, work, *arguments)


def check_lock(path: Path) -> None:
    """Raises JournalBusy where another process writes the journal at this moment."""
    HeldFiles.take(path).release()
