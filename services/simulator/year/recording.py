"""Writes the batches of a simulated year: the journal, and the read database beside it, each whole or not at all.

A year is written at once, so transactions are large: a day's orders are entered and ended within one, and each is a single
INSERT.
"""

from __future__ import annotations

from pathlib import Path

from services.journal.batch import JournalBatch
from services.journal.chain import CHUNK_BYTES
from services.journal.copying import PARTIAL, SqliteTarget
from services.read_model.database import open_read_database
from services.read_model.sqlite_writer import SqliteWriter
from services.read_model.vectorized_write_batch import VectorizedWriteBatch

_TRANSACTION_COMMANDS = 20_000


class Recording:
    """Takes every batch of a new journal, in order. `begin` first, then `take`, then `finish`; `close` in every case."""

    def __init__(self, journal: Path, read_database: Path, journal_id: bytes) -> None:
        self.journal_id = journal_id
        self._target = SqliteTarget(journal)
        self._read_database = read_database
        self._partial = read_database.with_name(read_database.name + PARTIAL)
        self._writer = SqliteWriter(self._partial)
        self._waiting: list[JournalBatch] = []
        self._waiting_bytes = 0
        self._epoch = 0
        self._changes: VectorizedWriteBatch | None = None

    async def begin(self) -> None:
        """Makes both files under other names. Raises JournalRefused if there is a journal at the path."""
        await self._target.begin(self.journal_id)
        self._remove_partial()
        await open_read_database(self._partial).dispose()
        self._changes = VectorizedWriteBatch(await self._writer.start(self.journal_id))

    async def take(self, batch: JournalBatch) -> None:
        """The next batch."""
        assert self._changes is not None, "begin first"
        self._epoch = batch.epoch
        self._waiting.append(batch)
        self._waiting_bytes += len(batch.encode())
        if self._waiting_bytes >= CHUNK_BYTES:
            await self._append()
        self._changes.add(batch)
        if self._changes.commands >= _TRANSACTION_COMMANDS:
            await self._project()

    async def finish(self) -> None:
        """Writes what waits and gives both files their names: the journal first, from which the other can be made again."""
        await self._append()
        await self._project()
        await self._writer.close()
        await self._target.finish(self._epoch)
        self._partial.rename(self._read_database)

    async def close(self) -> None:
        """Removes what was not finished."""
        await self._writer.close()
        await self._target.close()
        self._remove_partial()

    async def _append(self) -> None:
        await self._target.add(self._waiting)
        self._waiting, self._waiting_bytes = [], 0

    async def _project(self) -> None:
        assert self._changes is not None
        await self._writer.write(self._changes)
        self._changes = VectorizedWriteBatch(self._changes.position)

    def _remove_partial(self) -> None:
        for suffix in ("", "-wal", "-shm"):
            self._partial.with_name(self._partial.name + suffix).unlink(missing_ok=True)
