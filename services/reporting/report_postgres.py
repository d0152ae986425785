"""The report of a venue in PostgreSQL. Nothing in the database is changed, and the venue may be running.

A read database at the journal's end is read in place. One that is behind, or that is to be proven, is copied into a temporary
SQLite file at one position, and brought up to date there; the proof compares the copy. One that is damaged is rebuilt there.
"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy.ext.asyncio import AsyncEngine

from services.data.calendar import TradingCalendar
from services.journal import Journal
from services.journal.postgres.connections import Database
from services.journal.postgres.journal import PostgresJournal
from services.read_database.errors import ReadDatabaseDamaged
from services.read_database.postgres.connecting import name_of
from services.read_database.postgres.copying import copy_to_file
from services.read_database.postgres.database import open_read_database
from services.read_database.projector import catch_up
from services.read_database.sqlite_writer import SqliteWriter
from services.reporting.checked_report import (
    CheckedReport,
    Source,
    is_up_to_date,
    report_of,
    report_of_file,
    report_of_rebuilt,
)


async def report_from_database(
    url: str, year: int, prove: bool = False, calendar_file: Path | None = None
) -> CheckedReport:
    """The year's report at the journal's end; with `prove` the whole journal is re-executed, too.

    A damaged read database is reported as one of the differences of the proof.

    Raises JournalError where the server cannot be used, there is no journal, or it is damaged or has lost commands;
    ReadDatabaseUnmigrated, ReadDatabaseFailed; ReadDatabaseForeign where the read database was made from another journal;
    DataFileError for a calendar file that cannot be used.
    """
    calendar = TradingCalendar.load(calendar_file)
    journal = await PostgresJournal.open(url)
    try:
        read_database = await open_read_database(url)
        try:
            with TemporaryDirectory() as temporary:
                return await _report(
                    read_database, Database(url), Path(temporary), journal, year, calendar, prove=prove
                )
        finally:
            await read_database.dispose()
    finally:
        await journal.close()


async def _report(
    read_database: AsyncEngine,
    database: Database,
    folder: Path,
    journal: Journal,
    year: int,
    calendar: TradingCalendar,
    *,
    prove: bool,
) -> CheckedReport:
    place = name_of(database)
    try:
        is_current = await is_up_to_date(read_database, place, journal)
        if is_current and not prove:
            in_place = "Of the journal the row it stands at was read back, the rows before it were not."
            source = Source(place, "the read database", in_place)
            return await report_of(source, read_database, journal, year, calendar)
        copy = folder / "copy.sqlite"
        await copy_to_file(read_database, database, copy)
        await catch_up(SqliteWriter(copy), journal)
        journal_read = "Of the journal the rows it lacked were read back, those before them were not."
        source = Source(place, "a copy of the read database", journal_read)
        return await report_of_file(source, copy, journal, year, calendar, prove=prove)
    except ReadDatabaseDamaged as damage:
        rebuilt = folder / "rebuilt.sqlite"
        return await report_of_rebuilt(rebuilt, journal, year, calendar, prove=prove, damage=str(damage))
