"""The two journals that the write path is measured on, and the same database without REX."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import NamedTuple, Protocol

import asyncpg

from services.journal import Journal
from services.journal.connections import make_durable
from services.journal.postgres import tables
from services.journal.postgres.journal import PostgresJournal
from services.journal.sqlite import SqliteJournal

_STORED = "SELECT count(*), coalesce(sum(length(data)), 0) FROM {} WHERE first_seq > {}"


class Stored(NamedTuple):
    """Batches in a journal."""

    batches: int
    batch_bytes: int
    """Their mean size."""


class JournalKind(Protocol):
    """A new journal in one kind of database."""

    def open(self) -> AbstractAsyncContextManager[Journal]:
        """The journal, ready to be appended to."""

    async def stored(self, after_seq: int) -> Stored:
        """What the journal holds after a sequence number."""

    async def bare_batches_per_second(self, stored: Stored) -> float:
        """Commits a second of the bare database: one row of the same bytes after the other."""


class InSqlite:
    """A journal in a file of `folder`, beside bare sqlite3 with the journal's pragmas."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "journal.sqlite3"
        self._bare_path = folder / "bare.sqlite3"

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Journal]:
        """See `JournalKind`."""
        journal = await SqliteJournal.open(self._path)
        try:
            yield journal
        finally:
            await journal.close()

    async def stored(self, after_seq: int) -> Stored:
        """See `JournalKind`."""
        connection = sqlite3.connect(self._path)
        batches, size = connection.execute(_STORED.format("rows", "?"), (after_seq,)).fetchone()
        connection.close()
        return Stored(batches, size // max(batches, 1))

    async def bare_batches_per_second(self, stored: Stored) -> float:
        """See `JournalKind`."""
        connection = sqlite3.connect(self._bare_path, isolation_level=None)
        make_durable(connection, self._bare_path)
        connection.execute("CREATE TABLE rows (first_seq INTEGER PRIMARY KEY, data BLOB NOT NULL)")
        data = bytes(stored.batch_bytes)
        start = time.perf_counter()
        for number in range(stored.batches):
            connection.execute("INSERT INTO rows VALUES (?, ?)", (number, data))
        seconds = time.perf_counter() - start
        connection.close()
        return stored.batches / seconds


class InPostgres:
    """A journal in the empty database at `url`, beside bare asyncpg and a table like the journal's."""

    def __init__(self, url: str) -> None:
        self._url = url

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Journal]:
        """See `JournalKind`."""
        await tables.create(self._url)
        journal = await PostgresJournal.open(self._url)
        try:
            await journal.claim(await journal.look(), "ws://benchmark")
            yield journal
        finally:
            await journal.close()

    async def stored(self, after_seq: int) -> Stored:
        """See `JournalKind`."""
        connection = await asyncpg.connect(self._url)
        batches, size = await connection.fetchrow(_STORED.format("journal", "$1"), after_seq)
        await connection.close()
        return Stored(batches, int(size) // max(batches, 1))

    async def bare_batches_per_second(self, stored: Stored) -> float:
        """See `JournalKind`."""
        connection = await asyncpg.connect(self._url)
        await connection.execute("CREATE TABLE bare (first_seq bigint PRIMARY KEY, data bytea NOT NULL)")
        await connection.execute("ALTER TABLE bare ALTER COLUMN data SET STORAGE EXTERNAL")
        data = bytes(stored.batch_bytes)
        start = time.perf_counter()
        for number in range(stored.batches):
            await connection.execute("INSERT INTO bare VALUES ($1, $2)", number, data)
        seconds = time.perf_counter() - start
        await connection.close()
        return stored.batches / seconds
