"""Copies a journal to another backend, batch by batch and byte for byte, under the same journal id: `rex journal copy`. Its
rows are compressed where that makes them smaller (compression.py).

An interrupted copy leaves no journal at the target: PostgreSQL takes all of it in one transaction, an SQLite file gets its name
at the end.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple, Protocol

import asyncpg

from services.files.data_folder import make_private_database, make_private_folder, reason_of
from services.files.new_folder import sync
from services.journal import Journal
from services.journal.batch import JournalBatch
from services.journal.chain import CHUNK_BYTES, EMPTY, ChainEnd
from services.journal.compression import compress
from services.journal.connections import copy_log, empty_log, log_of, open_writer
from services.journal.errors import JournalError, JournalMissing, JournalRefused
from services.journal.postgres.connections import DRIVER_ERRORS, SETTING, Database, DatabaseConnection
from services.journal.postgres.statements import NEW_ROW
from services.journal.postgres.tables import FORMAT

PARTIAL = ".partial"
"""The suffix of an SQLite file that is being written."""


class Copied(NamedTuple):
    """What was copied."""

    journal_id: bytes
    batches: int
    end: ChainEnd


class CopyTarget(Protocol):
    """An empty place for one journal."""

    async def begin(self, journal_id: bytes) -> None:
        """Raises JournalRefused if the place is not empty, JournalError if it cannot be used."""

    async def add(self, batches: list[JournalBatch]) -> None:
        """The next batches of the chain. Raises JournalError."""

    async def finish(self, epoch: int) -> None:
        """Makes the journal, durably, as one whose last writer had this epoch. Raises JournalError."""

    async def close(self) -> None:
        """Releases the place; without `finish` it stays empty."""


async def copy(source: Journal, target: CopyTarget, on_progress: Callable[[int], None] | None = None) -> Copied:
    """Copies every batch; calls on_progress with the last seq written. The source's hashes, CRCs and chain are checked.

    Raises JournalRefused if the target is not empty, or if the source grew meanwhile: the venue must be stopped.
    """
    count, end = 0, EMPTY
    try:
        await target.begin(source.journal_id)
        waiting: list[JournalBatch] = []
        waiting_bytes = 0
        async for batch in source.read(0):
            waiting.append(batch)
            waiting_bytes += len(batch.encode())
            count, end = count + 1, ChainEnd.after(batch)
            if waiting_bytes >= CHUNK_BYTES:
                await target.add(waiting)
                waiting, waiting_bytes = [], 0
                if on_progress is not None:
                    on_progress(end.last_seq)
        await target.add(waiting)
        if ChainEnd.after(await source.last_batch()) != end:
            raise JournalRefused("the journal grew while it was copied: stop the venue, then copy again")
        await target.finish(source.epoch)
    finally:
        await target.close()
    return Copied(source.journal_id, count, end)


class SqliteTarget:
    """A new SQLite file at `path`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._partial = path.with_name(path.name + PARTIAL)
        self._opened: sqlite3.Connection | None = None

    async def begin(self, journal_id: bytes) -> None:
        """Makes the file under another name. Raises JournalRefused if there is a journal at the path."""
        for file in (self._path, log_of(self._path)):
            if file.exists():
                raise JournalRefused(f"{file} exists: a journal is copied only to a place without one")
        make_private_folder(self._path.parent)
        self._remove_partial()
        make_private_database(self._partial)
        try:
            self._opened = open_writer(self._partial, journal_id)
        except JournalError:
            self._remove_partial()
            raise

    async def add(self, batches: list[JournalBatch]) -> None:
        """One transaction for all of them."""
        records = [(one.first_seq, one.last_seq, one.epoch, compress(one.encode())) for one in batches]
        with self._transaction() as connection:
            connection.executemany("INSERT INTO rows (first_seq, last_seq, epoch, data) VALUES (?, ?, ?, ?)", records)
        copy_log(connection, self._partial)

    async def finish(self, epoch: int) -> None:
        """Empties the log, then gives the file its name."""
        with self._transaction() as connection:
            connection.execute("UPDATE meta SET epoch = ?", (epoch,))
        empty_log(connection, self._partial)
        self._close()
        try:
            self._partial.rename(self._path)
            sync(self._path.parent)
        except OSError as error:
            raise JournalError(f"{self._path} cannot be written: {error}") from error

    async def close(self) -> None:
        """Removes the file unless it was finished."""
        if self._opened is not None:
            self._close()
            self._remove_partial()

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        assert self._opened is not None, "begin first"
        try:
            self._opened.execute("BEGIN")
            yield self._opened
            self._opened.execute("COMMIT")
        except sqlite3.Error as error:
            raise JournalError(f"{self._partial} cannot be written: {reason_of(self._partial, error)}") from error

    def _close(self) -> None:
        assert self._opened is not None
        self._opened.close()
        self._opened = None

    def _remove_partial(self) -> None:
        for suffix in ("", "-wal", "-shm"):
            self._partial.with_name(self._partial.name + suffix).unlink(missing_ok=True)


class PostgresTarget:
    """A PostgreSQL database with the journal's tables (`rex migrate`), and no journal in them or an empty one."""

    def __init__(self, url: str, setting: str = SETTING) -> None:
        """`setting` is where the URL is from, for sentences."""
        self._database = Database(url, setting)
        self._opened: DatabaseConnection | None = None
        self._journal_id = b""
        self._end = EMPTY

    async def begin(self, journal_id: bytes) -> None:
        """Begins the transaction that takes all of the journal."""
        self._journal_id = journal_id
        self._opened = await self._database.connect()
        with self._refusals():
            await self._database.check_durable(self._opened)
            await self._opened.execute("BEGIN")
            await self._opened.execute("SET LOCAL lock_timeout = '5s'")
            await self._opened.execute("LOCK TABLE journal, journal_writer IN EXCLUSIVE MODE")
            used = await self._opened.fetchval(
                "SELECT EXISTS(SELECT FROM journal) OR EXISTS(SELECT FROM journal_writer WHERE epoch > 0 OR last_seq > 0)"
            )
        if used:
            raise JournalRefused(
                f"{self._database.name} holds a journal: a journal is copied only to a place without one"
            )

    async def add(self, batches: list[JournalBatch]) -> None:
        """COPY."""
        records = [(one.first_seq, one.last_seq, one.epoch, compress(one.encode())) for one in batches]
        if not batches:
            return
        self._end = ChainEnd.after(batches[-1])
        with self._refusals() as connection:
            await connection.copy_records_to_table(
                "journal", records=records, columns=["first_seq", "last_seq", "epoch", "data"]
            )

    async def finish(self, epoch: int) -> None:
        """Writes the writer row and commits."""
        with self._refusals() as connection:
            await connection.execute("DELETE FROM journal_writer")
            await connection.execute(NEW_ROW, FORMAT, self._journal_id, epoch, *self._end)
            await connection.execute("COMMIT")

    async def close(self) -> None:
        """Ends the connection, which rolls back what is not committed."""
        if self._opened is not None:
            with suppress(*DRIVER_ERRORS):
                await self._opened.close()

    @contextmanager
    def _refusals(self) -> Iterator[DatabaseConnection]:
        assert self._opened is not None, "begin first"
        try:
            yield self._opened
        except asyncpg.UndefinedTableError as error:
            raise JournalMissing(f"{self._database.name} has no tables of REX: run `rex migrate`") from error
        except DRIVER_ERRORS as error:
            raise self._database.error(error) from error
