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
    Asked,
    CheckedReport,
    Source,
    check_reached,
    is_up_to_date,
    report_of,
    report_of_file,
    report_of_rebuilt,
)
from services.reporting.figure import ignore_progress
from services.reporting.proof_processes import OnProgress


async def report_from_database(
    url: str,
    year: int,
    prove: bool = False,
    calendar_file: Path | None = None,
    seq: int | None = None,
    *,
    breakdown: bool = False,
    on_progress: OnProgress = ignore_progress,
) -> CheckedReport:
    """The year's report at the journal's end, or as it was after the command seq; with its breakdown, if that is wanted.

    With `prove` the whole journal is re-executed, too; a damaged read database is then one of the differences. Calls
    on_progress with what the proof has reached.

    Raises JournalError where the server cannot be used, there is no journal, or it is damaged or has lost commands;
    ReadDatabaseUnmigrated, ReadDatabaseFailed; ReadDatabaseForeign where the read database was made from another journal;
    DataFileError for a calendar file that cannot be used; NotReached where the journal ends before seq; FigureUnavailable where
    seq cannot be re-executed.
    """
    asked = Asked(year, TradingCalendar.load(calendar_file), prove, seq, breakdown, url, on_progress)
    journal = await PostgresJournal.open(url)
    try:
        await check_reached(journal, seq)
        read_database = await open_read_database(url)
        try:
            with TemporaryDirectory() as temporary:
                return await _report(read_database, Database(url), Path(temporary), journal, asked)
        finally:
            await read_database.dispose()
    finally:
        await journal.close()


async def _report(
    read_database: AsyncEngine, database: Database, folder: Path, journal: Journal, asked: Asked
) -> CheckedReport:
    place = name_of(database)
    try:
        is_current = await is_up_to_date(read_database, place, journal)
        if is_current and not asked.prove:
            in_place = "Of the journal the row it stands at was read back, the rows before it were not."
            source = Source(place, "the read database", in_place)
            return await report_of(source, read_database, journal, asked)
        copy = folder / "copy.sqlite"
        await copy_to_file(read_database, database, copy)
        await catch_up(SqliteWriter(copy), journal)
        journal_read = "Of the journal the rows it lacked were read back, those before them were not."
        source = Source(place, "a copy of the read database", journal_read)
        return await report_of_file(source, copy, journal, asked)
    except ReadDatabaseDamaged as damage:
        rebuilt = folder / "rebuilt.sqlite"
        return await report_of_rebuilt(rebuilt, journal, asked, damage=str(damage))
