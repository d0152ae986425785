"""The formats of a data folder's two SQLite files. The venue makes both; only an older read database needs a migration.

The journal's format is 1, or 2 once its first rows are in archives (`rex archive`). The read database is derived, so a new
format of it needs no steps: it is rebuilt from the journal.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path

from services.journal import witness
from services.journal.journal_lock import JournalLock
from services.journal.sqlite import SqliteJournal
from services.migrations.outcome import NONE, Migrated, MigrationRefused
from services.read_model.database import connect_reader, open_read_database, set_aside, trouble_with
from services.read_model.projector import catch_up
from services.read_model.read_witness import read_witness, remembered
from services.read_model.sqlite_writer import SqliteWriter
from services.read_model.tables import READ_FORMAT


async def migrate_folder(
    journal: Path, read_database: Path, *, check: bool = False, on_progress: Callable[[int], None] = lambda _seq: None
) -> list[Migrated]:
    """The formats of both files. A read database of an older format is set aside and rebuilt, unless `check` is set.

    Raises MigrationRefused for a read database of a newer REX, JournalBusy while the venue runs, the errors of
    `SqliteJournal.open`, and ReadDatabaseForeign and JournalLost, where the read database is evidence against the journal.
    """
    opened = await _open(journal, read_database)
    await opened.close()
    found = _format_of(read_database)
    if found is not None and found > READ_FORMAT:
        raise MigrationRefused(
            f"the read database {read_database} has format {found}, and this REX reads format {READ_FORMAT}: use the newer REX."
            " Nothing was changed"
        )
    is_older = found is not None and found < READ_FORMAT
    if is_older and not check:
        await _rebuild(journal, read_database, on_progress)
    before = NONE if found is None else str(found)
    return [
        Migrated("journal", str(opened.file_format), str(opened.file_format)),
        Migrated("read database", before, str(READ_FORMAT) if is_older else before),
    ]


async def _open(journal: Path, read_database: Path) -> SqliteJournal:
    return await SqliteJournal.open(journal, read_only=True, remembered=partial(remembered, read_database))


def _format_of(read_database: Path) -> int | None:
    if not read_database.exists() or not read_database.stat().st_size:
        return None
    try:
        with closing(connect_reader(read_database)) as connection:
            return int(connection.execute("PRAGMA user_version").fetchone()[0])
    except sqlite3.Error as error:
        raise trouble_with(read_database, error) from error


async def _rebuild(journal_path: Path, read_database: Path, on_progress: Callable[[int], None]) -> None:
    held = JournalLock.take(journal_path)  # the venue is stopped, and none starts meanwhile
    try:
        journal = await _open(journal_path, read_database)
        try:
            known = read_witness(read_database, journal.journal_id).witness
            if known is not None:
                await witness.check(journal, known)
            set_aside(read_database)
            await open_read_database(read_database).dispose()
            await catch_up(SqliteWriter(read_database), journal, on_progress=on_progress)
        finally:
            await journal.close()
    finally:
        held.release()
