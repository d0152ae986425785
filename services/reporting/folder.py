"""A report from a data folder, with or without a running venue: nothing that the folder holds is changed.

The journal decides. A read database that has everything the journal has is read as it stands; one that is behind is
copied and brought up to date in a temporary folder, and one that is missing or damaged is rebuilt there. One that knows more
than the journal, or another row than the journal holds, or that was made from another journal, is a witness against it: then
there is no report.
"""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from dataclasses import dataclass, fields
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from services.data.calendar import TradingCalendar
from services.journal import Journal
from services.journal.sqlite import SqliteJournal
from services.journal.upgrades import starting_engine
from services.read_database import ReadDatabaseDamaged, open_read_database, trouble_with
from services.reporting.amounts import yuan
from services.reporting.changes import Position
from services.reporting.figure import Figure, compute_figure
from services.reporting.projector import catch_up, check_belongs
from services.reporting.queries import read_position, read_year
from services.reporting.report import build_report
from services.reporting.schemas import TurnoverReport

JOURNAL_FILE = "journal.sqlite"
READ_DATABASE_FILE = "read.sqlite"

_PATIENCE = 20
"""How often, 50 ms apart, to look whether a running venue's projector is about to catch up."""


@dataclass(frozen=True)
class FolderReport:
    """The report, and its proof where one was asked for."""

    report: TurnoverReport
    figure: Figure | None

    @property
    def agree(self) -> bool:
        """False where a proof was asked for and one of the computations says something else."""
        figure = self.figure
        return figure is None or (figure.agree and yuan(figure.sql_sum_fen) == self.report.net)

    def to_json(self) -> dict[str, Any]:
        """The report's document; with a proof also `figure` and `agree`."""
        proof = {} if self.figure is None else {"figure": self.figure.to_json(), "agree": self.agree}
        return {**self.report.to_json(), **proof}


async def report_from_folder(
    data_dir: Path, year: int, prove: bool = False, calendar_file: Path | None = None
) -> FolderReport:
    """The year's report at the journal's end; `prove` also re-executes the whole journal.

    Raises JournalError where there is no journal to read, or it is damaged or has lost commands; ReadDatabaseForeign where the
    folder's read database is of another journal; DataFileError for a calendar that cannot be used.
    """
    calendar = TradingCalendar.load(calendar_file)
    journal = await SqliteJournal.open(data_dir / JOURNAL_FILE, read_only=True)
    try:
        with TemporaryDirectory() as folder:
            try:
                path = await _current(data_dir / READ_DATABASE_FILE, Path(folder) / READ_DATABASE_FILE, journal)
                return await _report(path, journal, year, prove, calendar)
            except (FileNotFoundError, ReadDatabaseDamaged):
                path = await _rebuilt(Path(folder) / f"rebuilt-{READ_DATABASE_FILE}", journal)
            return await _report(path, journal, year, prove, calendar)
    finally:
        await journal.close()


async def _report(
    path: Path, journal: SqliteJournal, year: int, prove: bool, calendar: TradingCalendar
) -> FolderReport:
    read_database = open_read_database(path, read_only=True)
    try:
        async with read_database.connect() as connection:
            found = await read_year(connection, year)
        assert found is not None, "what is up to date or was projected has a position"
        report = build_report(year, found, calendar)
        figure = None
        if prove:
            figure = await compute_figure(
                year,
                seq=report.seq,
                engine_counter_fen=None,
                read_database=read_database,
                journal=journal,
                fresh_engine=await starting_engine(journal),
            )
        return FolderReport(report, figure)
    finally:
        await read_database.dispose()


async def _current(source: Path, copy: Path, journal: Journal) -> Path:
    """The read database with all that the journal holds: the source, or a copy that was brought up to date."""
    if await _is_up_to_date(source, journal):
        return source
    try:
        with closing(sqlite3.connect(source)) as theirs, closing(sqlite3.connect(copy)) as ours:
            theirs.backup(ours)
    except sqlite3.Error as error:
        raise trouble_with(source, error) from error
    await catch_up(copy, journal)
    return copy


async def _is_up_to_date(path: Path, journal: Journal) -> bool:
    """Whether the database has all that the journal had a moment ago, and no more."""
    last = await journal.last_row()
    last_seq = last.last_seq if last is not None else 0
    read_database = open_read_database(path, read_only=True)
    try:
        seen = -1
        for _ in range(_PATIENCE):
            async with read_database.connect() as connection:
                found = await read_position(connection)
            if found is None:
                return False
            position = Position(**{field.name: found[field.name] for field in fields(Position)})
            if not position.is_one:
                raise ReadDatabaseDamaged(path, "holds a position that is none")
            if position.seq >= last_seq or position.journal_id != journal.journal_id:
                await check_belongs(path, position, journal)
                return True
            if position.seq == seen:
                return False  # nobody is projecting
            seen = position.seq
            await asyncio.sleep(0.05)
        return False
    finally:
        await read_database.dispose()


async def _rebuilt(path: Path, journal: Journal) -> Path:
    """A read database at path, made from the journal alone."""
    await open_read_database(path).dispose()
    await catch_up(path, journal)
    return path
