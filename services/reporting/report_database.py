"""Finds or builds the read database that a report from a data folder is read from. No file of the folder is changed.

The venue may be running. `CheckedReport.checked` names what was checked for the report.

A read database at the journal's end is read in place; one that is behind is copied to a temporary folder and brought up to date
there; one that is missing or damaged is rebuilt there.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from services.data.calendar import TradingCalendar
from services.journal import Journal
from services.journal.sqlite import SqliteJournal
from services.read_database.database import connect_reader, open_read_database, trouble_with
from services.read_database.errors import ReadDatabaseDamaged, ReadDatabaseMissing
from services.read_database.projector import catch_up
from services.read_database.read_witness import remembered
from services.read_database.sqlite_writer import SqliteWriter
from services.reporting.checked_report import (
    Asked,
    CheckedReport,
    Source,
    check_reached,
    is_up_to_date,
    report_of_file,
    report_of_rebuilt,
)
from services.reporting.figure import ignore_progress
from services.reporting.proof_processes import OnProgress

JOURNAL_FILE = "journal.sqlite"
READ_DATABASE_FILE = "read.sqlite"


async def report_from_folder(
    data_dir: Path,
    year: int,
    prove: bool = False,
    calendar_file: Path | None = None,
    seq: int | None = None,
    *,
    breakdown: bool = False,
    on_progress: OnProgress = ignore_progress,
) -> CheckedReport:
    """The year's report at the journal's end, or as it was after the command seq; with its breakdown, if that is wanted.

    With `prove` the whole journal is re-executed, too; a damaged read database of the folder is then one of the differences.
    Calls on_progress with what the proof has reached.

    Raises JournalError where there is no journal, or it is damaged or has lost commands; ReadDatabaseForeign where the folder's
    read database was made from another journal; DataFileError for a calendar file that cannot be used; NotReached where the
    journal ends before seq; FigureUnavailable where seq cannot be re-executed.
    """
    asked = Asked(
        year, TradingCalendar.load(calendar_file), prove, seq, breakdown, data_dir / JOURNAL_FILE, on_progress
    )
    remembers = partial(remembered, data_dir / READ_DATABASE_FILE)
    journal = await SqliteJournal.open(data_dir / JOURNAL_FILE, read_only=True, remembered=remembers)
    try:
        await check_reached(journal, seq)
        with TemporaryDirectory() as temporary:
            folder = Path(temporary)
            try:
                path, source = await current_file(data_dir / READ_DATABASE_FILE, folder / READ_DATABASE_FILE, journal)
                return await report_of_file(source, path, journal, asked)
            except ReadDatabaseMissing:
                damage = None
            except ReadDatabaseDamaged as found:
                damage = str(found)
            rebuilt = folder / f"rebuilt-{READ_DATABASE_FILE}"
            return await report_of_rebuilt(rebuilt, journal, asked, damage=damage)
    finally:
        await journal.close()


async def current_file(path: Path, copy: Path, journal: Journal) -> tuple[Path, Source]:
    """The read database at the journal's end: the folder's own, or a copy that was brought up to date."""
    name = "the read database of the folder"
    read_database = open_read_database(path, read_only=True)
    try:
        is_current = await is_up_to_date(read_database, str(path), journal)
    finally:
        await read_database.dispose()
    if is_current:
        in_place = "Of the journal the row it stands at was read back, the rows before it were not."
        return path, Source(str(path), name, in_place)
    try:
        with closing(connect_reader(path)) as theirs, closing(sqlite3.connect(copy)) as ours:
            theirs.backup(ours)
    except sqlite3.Error as error:
        raise trouble_with(path, error) from error
    await catch_up(SqliteWriter(copy), journal)
    journal_read = "Of the journal the rows it lacked were read back, those before them were not."
    return copy, Source(str(copy), f"a copy of {name}, brought up to date", journal_read)
