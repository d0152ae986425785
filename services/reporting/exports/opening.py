"""Opens journal and read database for an export: in a data folder or in PostgreSQL, beside a running venue. Changes nothing.

The read database is used in place where it is at the journal's end. One that is behind is copied to a temporary folder and
brought up to date there; one that is missing or damaged is made there from the journal.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple, TypeVar

from sqlalchemy.ext.asyncio import AsyncEngine

from services.journal import Journal
from services.journal.postgres.connections import Database
from services.journal.postgres.journal import PostgresJournal
from services.journal.sqlite import SqliteJournal
from services.read_database.database import open_read_database
from services.read_database.errors import ReadDatabaseDamaged, ReadDatabaseMissing
from services.read_database.postgres import database as postgres
from services.read_database.postgres.connecting import name_of
from services.read_database.postgres.copying import copy_to_file
from services.read_database.projector import catch_up
from services.read_database.read_witness import remembered
from services.read_database.sqlite_writer import SqliteWriter
from services.reporting.checked_report import Source, is_up_to_date
from services.reporting.report_database import JOURNAL_FILE, READ_DATABASE_FILE, current_file

T = TypeVar("T")


class Opened(NamedTuple):
    """A read database at the journal's end, and the journal."""

    read_database: AsyncEngine
    journal: Journal
    source: Source


Work = Callable[[Opened], Awaitable[T]]


async def with_read_database(place: str | Path, work: Work[T]) -> T:
    """Calls `work` with the journal and a read database of this folder or at this PostgreSQL URL.

    Work that finds the read database damaged is called again, with one that is made from the journal. Raises JournalError where
    there is no journal, or it is damaged or has lost commands; ReadDatabaseForeign where the two do not belong together.
    """
    async with _journal(place) as journal:
        with TemporaryDirectory() as temporary:
            folder = Path(temporary)
            try:
                if isinstance(place, Path):
                    return await _in_folder(place, folder, journal, work)
                return await _in_postgres(place, folder, journal, work)
            except (ReadDatabaseDamaged, ReadDatabaseMissing):
                path = folder / f"rebuilt-{READ_DATABASE_FILE}"
                await open_read_database(path).dispose()
                await catch_up(SqliteWriter(path), journal)
                name = "a read database made from the journal now"
                source = Source(str(path), name, "Every row of the journal was read back.", is_rebuilt=True)
                return await _with_file(path, source, journal, work)


@asynccontextmanager
async def _journal(place: str | Path) -> AsyncIterator[Journal]:
    if isinstance(place, Path):
        remembers = partial(remembered, place / READ_DATABASE_FILE)
        journal: Journal = await SqliteJournal.open(place / JOURNAL_FILE, read_only=True, remembered=remembers)
    else:
        journal = await PostgresJournal.open(place)
    try:
        yield journal
    finally:
        await journal.close()


async def _in_folder(place: Path, folder: Path, journal: Journal, work: Work[T]) -> T:
    path, source = await current_file(place / READ_DATABASE_FILE, folder / READ_DATABASE_FILE, journal)
    return await _with_file(path, source, journal, work)


async def _in_postgres(url: str, folder: Path, journal: Journal, work: Work[T]) -> T:
    database = Database(url)
    engine = await postgres.open_read_database(url)
    try:
        if await is_up_to_date(engine, name_of(database), journal):
            in_place = "Of the journal the row it stands at was read back."
            return await work(Opened(engine, journal, Source(name_of(database), "the read database", in_place)))
        copy = folder / "copy.sqlite"
        await copy_to_file(engine, database, copy)
    finally:
        await engine.dispose()
    await catch_up(SqliteWriter(copy), journal)
    source = Source(name_of(database), "a copy of the read database", "The rows that it lacked were read back.")
    return await _with_file(copy, source, journal, work)


async def _with_file(path: Path, source: Source, journal: Journal, work: Work[T]) -> T:
    engine = open_read_database(path, read_only=True)
    try:
        return await work(Opened(engine, journal, source))
    finally:
        await engine.dispose()
