"""A read database of either kind, for tests that hold for both."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from services.files.data_folder import READ_DATABASE_FILE
from services.journal import Journal
from services.messaging import Feed
from services.read_model import database as sqlite
from services.read_model import tables
from services.read_model.postgres import database as postgres
from services.read_model.postgres.writer import PostgresWriter
from services.read_model.projector import Projector, ReadDatabaseWriter
from services.read_model.sqlite_writer import SqliteWriter

Dump = dict[str, list[tuple[Any, ...]]]
"""The rows of every table, sorted by their keys."""


@dataclass
class ReadDatabase:
    """An empty database in a file of `folder`, or, if there is one, at a PostgreSQL address."""

    folder: Path
    url: str | None = None

    @property
    def path(self) -> Path:
        """The SQLite file."""
        return self.folder / READ_DATABASE_FILE

    async def make(self) -> None:
        """Makes the tables."""
        if self.url is not None:
            await postgres.make_tables(self.url)
        else:
            self.folder.mkdir(exist_ok=True)
            await sqlite.open_read_database(self.path).dispose()

    async def empty(self) -> None:
        """Loses all rows."""
        if self.url is not None:
            await self.execute(f"TRUNCATE {', '.join(tables.metadata.tables)}")
        else:
            self.path.unlink()
            await self.make()

    async def execute(self, sql: str) -> None:
        """Changes rows behind the projector's back."""
        if self.url is None:
            with closing(sqlite3.connect(self.path)) as connection, connection:
                connection.execute(sql)
        else:
            server = await asyncpg.connect(self.url)
            await server.execute(sql)
            await server.close()

    def writer(self) -> ReadDatabaseWriter:
        """A new writer."""
        return SqliteWriter(self.path) if self.url is None else PostgresWriter(self.url)

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[AsyncEngine]:
        """The engine for queries."""
        if self.url is None:
            engine = sqlite.open_read_database(self.path)
        else:
            engine = await postgres.open_read_database(self.url)
        try:
            yield engine
        finally:
            await engine.dispose()

    async def dump(self) -> Dump:
        """All that it holds, at one position."""
        async with self.opened() as engine, engine.connect() as connection:
            return {
                table.name: [
                    tuple(row) for row in await connection.execute(select(table).order_by(*table.primary_key.columns))
                ]
                for table in tables.metadata.sorted_tables
            }

    @asynccontextmanager
    async def projecting(self, journal: Journal, feed: Feed) -> AsyncIterator[Projector]:
        """A projector at work, which is canceled at the end."""
        projector = Projector(self.writer(), journal, feed)
        task = asyncio.create_task(projector.run())
        try:
            yield projector
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
