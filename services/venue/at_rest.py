"""The one door to a venue at rest: its journal and its read database, in a data folder or in PostgreSQL, for reading.

A venue may run beside it. Nothing of it is changed. The journal decides: a read database that is evidence against it (ahead of
it, of another batch or another journal) is an error. One at the journal's end is read in place. One that is behind is copied to
a temporary folder and brought up to date there; one that is missing or damaged is made there from the journal.
"""

from __future__ import annotations

import asyncio
import sqlite3
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing, contextmanager, suppress
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple, TypeVar

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from services.files.data_folder import JOURNAL_FILE, READ_DATABASE_FILE
from services.journal import Journal
from services.journal.postgres.connections import SETTING, Database
from services.journal.postgres.journal import PostgresJournal
from services.journal.sqlite import SqliteJournal
from services.read_model.database import connect_reader, open_read_database, trouble_with
from services.read_model.errors import ReadDatabaseDamaged, ReadDatabaseMissing, ReadDatabaseUnmigrated
from services.read_model.postgres import database as postgres
from services.read_model.postgres.connecting import name_of
from services.read_model.postgres.copying import copy_to_file
from services.read_model.postgres.read_witness import read_witness as read_postgres_witness
from services.read_model.projector import catch_up, check_belongs
from services.read_model.read_witness import ReadWitness, read_witness, remembered
from services.read_model.sqlite_writer import SqliteWriter
from services.read_model.tables import position as position_table
from services.read_model.write_batch import Position

T = TypeVar("T")

_MAX_READS = 20
_READ_INTERVAL_S = 0.05
"""How often, and how far apart, to read the position of a database that a running venue's projector brings up to date."""

IN_PLACE = "Of the journal the row it stands at was read back, the rows before it were not."
CAUGHT_UP = "Of the journal the rows it lacked were read back, those before them were not."
FROM_THE_JOURNAL = "Every row of the journal was read back."


class ReadFrom(NamedTuple):
    """A read database at the journal's end."""

    database: AsyncEngine
    place: str
    """The file, or the server and its database, for errors."""
    name: str
    """For sentences about what was read from it."""
    journal_read: str
    """Which rows of the journal were read for it, as a sentence."""
    is_rebuilt: bool = False
    """It was made from the journal now."""
    damage: str | None = None
    """Of the venue's own, in place of which it was made; None where there was none."""

    @contextmanager
    def damage_named(self) -> Iterator[None]:
        """Raises ReadDatabaseDamaged where the database holds values that make no report: a damaged page may be read without an
        error. A database that was just rebuilt is not damaged, so there the error is a defect of REX and is raised as it is."""
        try:
            yield
        except (ArithmeticError, LookupError, TypeError, ValueError) as error:
            if self.is_rebuilt:
                raise
            raise ReadDatabaseDamaged(self.place, f"holds values that make no report ({error!r})") from error


class AtRest(ABC):
    """A venue at rest. `at_rest` opens it."""

    def __init__(self, journal: Journal, journal_place: Path | str) -> None:
        self.journal = journal
        self.journal_place = journal_place
        """The journal's SQLite file or the URL of its database."""

    async def with_read_database(self, work: Callable[[ReadFrom], Awaitable[T]], *, in_a_file: bool = False) -> T:
        """Calls `work` with a read database at the journal's end: a SQLite file where that is wanted, as a proof wants it.

        Work that finds the read database damaged is called again, with one that is made from the journal: it must bear that.
        Raises ReadDatabaseForeign and ReadDatabaseUnmigrated.
        """
        with TemporaryDirectory() as temporary:
            try:
                async with self._current(Path(temporary) / "copy.sqlite", in_a_file) as found:
                    return await work(found)
            except ReadDatabaseMissing:
                damage = None
            except ReadDatabaseDamaged as error:
                damage = str(error)
            path = Path(temporary) / f"rebuilt-{READ_DATABASE_FILE}"
            await open_read_database(path).dispose()
            await catch_up(SqliteWriter(path), self.journal)
            name = "a read database made from the journal now"
            async with _file(path, str(path), name, FROM_THE_JOURNAL, is_rebuilt=True, damage=damage) as rebuilt:
                return await work(rebuilt)

    @abstractmethod
    def _current(self, copy: Path, in_a_file: bool, /) -> AbstractAsyncContextManager[ReadFrom]:
        """The venue's own read database, or a copy that was brought up to date."""

    @abstractmethod
    async def witness(self) -> ReadWitness:
        """What the read database, as it stands, remembers of the journal. Raises ReadDatabaseForeign."""

    @abstractmethod
    async def read_database_file(self, copy: Path, /) -> Path:
        """The read database as it stands, as a file: the folder's own, or a copy of the one in PostgreSQL, as of one position.
        The file is missing where there is none."""


class _InFolder(AtRest):
    def __init__(self, journal: Journal, folder: Path) -> None:
        super().__init__(journal, folder / JOURNAL_FILE)
        self._path = folder / READ_DATABASE_FILE

    @asynccontextmanager
    async def _current(self, copy: Path, _in_a_file: bool, /) -> AsyncIterator[ReadFrom]:
        name, place = "the read database of the folder", str(self._path)
        async with _file(self._path, place, name, IN_PLACE) as own:
            if await is_up_to_date(own.database, own.place, self.journal):
                yield own
                return
        await copy_read_database(self._path.parent, copy)
        await catch_up(SqliteWriter(copy), self.journal)
        async with _file(copy, place, f"a copy of {name}, brought up to date", CAUGHT_UP) as caught_up:
            yield caught_up

    async def witness(self) -> ReadWitness:
        return read_witness(self._path, self.journal.journal_id)

    async def read_database_file(self, _copy: Path, /) -> Path:
        return self._path


class _InPostgres(AtRest):
    def __init__(self, journal: Journal, url: str) -> None:
        super().__init__(journal, url)
        self._url = url

    @asynccontextmanager
    async def _current(self, copy: Path, in_a_file: bool, /) -> AsyncIterator[ReadFrom]:
        database = Database(self._url)
        engine = await postgres.open_read_database(self._url)
        try:
            is_current = await is_up_to_date(engine, name_of(database), self.journal)
            if is_current and not in_a_file:
                yield ReadFrom(engine, name_of(database), "the read database", IN_PLACE)
                return
            await copy_to_file(engine, database, copy)
        finally:
            await engine.dispose()
        await catch_up(SqliteWriter(copy), self.journal)
        async with _file(copy, name_of(database), "a copy of the read database", CAUGHT_UP) as caught_up:
            yield caught_up

    async def witness(self) -> ReadWitness:
        return await read_postgres_witness(self._url, self.journal.journal_id)

    async def read_database_file(self, copy: Path, /) -> Path:
        with suppress(ReadDatabaseUnmigrated):  # the note of the witness says that there is none
            await copy_read_database(self._url, copy)
        return copy


@asynccontextmanager
async def at_rest(place: Path | str, *, setting: str = SETTING, archives: Path | None = None) -> AsyncIterator[AtRest]:
    """The venue in a data folder or at a PostgreSQL URL, which is from this setting. `archives`: where the archived days are,
    if they are not in the data folder.

    Raises JournalError where there is no journal, or it is damaged or has lost commands.
    """
    if isinstance(place, Path):
        remembers = partial(remembered, place / READ_DATABASE_FILE)
        path = place / JOURNAL_FILE
        journal: Journal = await SqliteJournal.open(path, read_only=True, remembered=remembers, archives=archives)
    else:
        journal = await PostgresJournal.open(place, setting=setting)
    try:
        yield _InFolder(journal, place) if isinstance(place, Path) else _InPostgres(journal, place)
    finally:
        await journal.close()


async def copy_read_database(place: Path | str, copy: Path) -> None:
    """Copies the read database of a folder or a database into a SQLite file, as of one position; its venue may be running.

    Raises ReadDatabaseFailed and its kinds, ReadDatabaseUnmigrated.
    """
    if isinstance(place, Path):
        path = place / READ_DATABASE_FILE
        try:
            with closing(connect_reader(path)) as theirs, closing(sqlite3.connect(copy)) as ours:
                theirs.backup(ours)
        except sqlite3.Error as error:
            is_full = getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_FULL
            raise trouble_with(copy if is_full else path, error) from error
        return
    engine = await postgres.open_read_database(place)
    try:
        await copy_to_file(engine, Database(place), copy)
    finally:
        await engine.dispose()


async def is_up_to_date(read_database: AsyncEngine, place: str, journal: Journal) -> bool:
    """Whether the database is at the journal's end. Waits while a running venue's projector is catching up.

    Raises what `check_belongs` raises, and ReadDatabaseDamaged.
    """
    last = await journal.last_batch()
    last_seq = last.last_seq if last is not None else 0
    previous_seq = -1
    for _ in range(_MAX_READS):
        async with read_database.connect() as connection:
            found = (await connection.execute(select(position_table))).mappings().first()
        if found is None:
            return False
        position = Position(**{name: found[name] for name in Position._fields})
        if not position.is_one:
            raise ReadDatabaseDamaged(place, "holds a position of the wrong types")
        if position.seq >= last_seq or position.journal_id != journal.journal_id:
            await check_belongs(place, position, journal)
            return True
        if position.seq == previous_seq:
            return False  # no projector is running
        previous_seq = position.seq
        await asyncio.sleep(_READ_INTERVAL_S)
    return False


@asynccontextmanager
async def _file(
    path: Path, place: str, name: str, journal_read: str, *, is_rebuilt: bool = False, damage: str | None = None
) -> AsyncIterator[ReadFrom]:
    """A SQLite file, which is not changed; `place` is that of the database of which it may be a copy."""
    engine = open_read_database(path, read_only=True)
    try:
        yield ReadFrom(engine, place, name, journal_read, is_rebuilt, damage)
    finally:
        await engine.dispose()
