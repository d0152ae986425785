"""Finds or builds the read database that a report from a data folder is read from. No file of the folder is changed.

The venue may be running. `FolderReport.checked` names what was checked for the report.

The journal decides. A read database at the journal's end is read in place; one that is behind is copied to a temporary folder
and brought up to date there; one that is missing or damaged is rebuilt there. There is no report where the read database is
evidence against the journal: it is ahead of it, holds another batch, or was made from another journal.
"""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from services.data.calendar import TradingCalendar
from services.decimals import yuan_text
from services.engine_versions.upgrades import starting_engine
from services.journal import Journal
from services.journal.sqlite import SqliteJournal
from services.read_database.changes import Position
from services.read_database.database import connect_reader, open_read_database, trouble_with
from services.read_database.errors import ReadDatabaseDamaged
from services.read_database.projector import catch_up, check_belongs
from services.read_database.read_witness import remembered
from services.read_database.sqlite_writer import SqliteWriter
from services.reporting.figure import Figure, compute_figure
from services.reporting.queries import YearTurnover, read_position, read_year
from services.reporting.report import build_report
from services.reporting.schemas import TurnoverReport

JOURNAL_FILE = "journal.sqlite"
READ_DATABASE_FILE = "read.sqlite"

_MAX_READS = 20
_READ_INTERVAL_S = 0.05
"""How often, and how far apart, to read the position of a database that a running venue's projector brings up to date."""


@dataclass(frozen=True)
class FolderReport:
    """The report, and its proof where one was requested."""

    report: TurnoverReport
    figure: Figure | None
    checked: str
    """What was read for the report and what of it was checked, in sentences."""

    @property
    def agree(self) -> bool:
        """False where a proof was requested and its computations, or the report's own sum, differ."""
        figure = self.figure
        return figure is None or (figure.agree and yuan_text(figure.sql_sum_fen) == self.report.net)

    def to_json(self) -> dict[str, Any]:
        """The report as JSON values, with `checked` and `proven`; with a proof also `figure` and `agree`."""
        proof = {} if self.figure is None else {"figure": self.figure.to_json(), "agree": self.agree}
        proven = self.figure is not None and self.agree
        return {**self.report.to_json(), "checked": self.checked, "proven": proven, **proof}


class _Source(NamedTuple):
    """The database that a report is read from."""

    path: Path
    name: str
    journal_read: str
    """Which rows of the journal were read for it, as a sentence."""
    is_rebuilt: bool = False

    def checked(self, report: TurnoverReport, figure: Figure | None) -> str:
        """What was checked for a report that was read from this database, in sentences."""
        if figure is None:
            return f"Read from {self.name}. {self.journal_read} No command was re-executed: --prove does that, and compares."
        after = f" after seq {figure.re_executed_after:,}" if figure.re_executed_after else ""
        return (
            f"Every row up to seq {report.seq:,} was read back and every command{after} re-executed; {self.name} was compared"
            " with the outcome."
        )


async def report_from_folder(
    data_dir: Path, year: int, prove: bool = False, calendar_file: Path | None = None
) -> FolderReport:
    """The year's report at the journal's end; with `prove` the whole journal is re-executed, too.

    A damaged read database of the folder is reported as one of the differences of the proof.

    Raises JournalError where there is no journal, or it is damaged or has lost commands; ReadDatabaseForeign where the folder's
    read database was made from another journal; DataFileError for a calendar file that cannot be used.
    """
    calendar = TradingCalendar.load(calendar_file)
    remembers = partial(remembered, data_dir / READ_DATABASE_FILE)
    journal = await SqliteJournal.open(data_dir / JOURNAL_FILE, read_only=True, remembered=remembers)
    try:
        with TemporaryDirectory() as folder:
            try:
                source = await _current(data_dir / READ_DATABASE_FILE, Path(folder) / READ_DATABASE_FILE, journal)
                return await _report(source, journal, year, prove, calendar)
            except FileNotFoundError:
                damage = None
            except ReadDatabaseDamaged as found:
                damage = str(found)
            source = await _rebuild(Path(folder) / f"rebuilt-{READ_DATABASE_FILE}", journal)
            return _with_damage(damage, await _report(source, journal, year, prove, calendar))
    finally:
        await journal.close()


def _with_damage(damage: str | None, found: FolderReport) -> FolderReport:
    """Adds the damage of the folder's read database to the differences of a proof, which was made on a rebuilt one."""
    if damage is None or found.figure is None:
        return found
    return replace(found, figure=replace(found.figure, differences=(damage, *found.figure.differences)))


async def _report(
    source: _Source, journal: SqliteJournal, year: int, prove: bool, calendar: TradingCalendar
) -> FolderReport:
    read_database = open_read_database(source.path, read_only=True)
    try:
        async with read_database.connect() as connection:
            found = await read_year(connection, year)
        assert found is not None, "a database that is up to date or was projected has a position"
        report = _build(source, year, found, calendar)
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
        return FolderReport(report, figure, source.checked(report, figure))
    finally:
        await read_database.dispose()


def _build(source: _Source, year: int, found: YearTurnover, calendar: TradingCalendar) -> TurnoverReport:
    """The report of what was read.

    Raises ReadDatabaseDamaged where the folder's database holds values that make no report: a damaged page may be read without
    an error. A database that was just rebuilt is not damaged, so there the error is a defect of REX and is raised as it is.
    """
    if source.is_rebuilt:
        return build_report(year, found, calendar)
    if not found.by_instrument.keys() <= found.instruments.keys():
        raise ReadDatabaseDamaged(source.path, "has turnover of an instrument that it does not list")
    try:
        return build_report(year, found, calendar)
    except (ArithmeticError, LookupError, TypeError, ValueError) as error:
        raise ReadDatabaseDamaged(source.path, f"holds values that make no report ({error!r})") from error


async def _current(source: Path, copy: Path, journal: Journal) -> _Source:
    """The read database at the journal's end: the folder's own, or a copy that was brought up to date."""
    name = "the read database of the folder"
    if await _is_up_to_date(source, journal):
        return _Source(source, name, "Of the journal the row it stands at was read back, the rows before it were not.")
    try:
        with closing(connect_reader(source)) as theirs, closing(sqlite3.connect(copy)) as ours:
            theirs.backup(ours)
    except sqlite3.Error as error:
        raise trouble_with(source, error) from error
    await catch_up(SqliteWriter(copy), journal)
    journal_read = "Of the journal the rows it lacked were read back, those before them were not."
    return _Source(copy, f"a copy of {name}, brought up to date", journal_read)


async def _is_up_to_date(path: Path, journal: Journal) -> bool:
    """Whether the database is at the journal's end. Waits while a running venue's projector is catching up.

    Raises what `check_belongs` raises, and ReadDatabaseDamaged.
    """
    last = await journal.last_batch()
    last_seq = last.last_seq if last is not None else 0
    read_database = open_read_database(path, read_only=True)
    try:
        previous_seq = -1
        for _ in range(_MAX_READS):
            async with read_database.connect() as connection:
                found = await read_position(connection)
            if found is None:
                return False
            position = Position(**{name: found[name] for name in Position._fields})
            if not position.is_one:
                raise ReadDatabaseDamaged(path, "holds a position of the wrong types")
            if position.seq >= last_seq or position.journal_id != journal.journal_id:
                await check_belongs(str(path), position, journal)
                return True
            if position.seq == previous_seq:
                return False  # no projector is running
            previous_seq = position.seq
            await asyncio.sleep(_READ_INTERVAL_S)
        return False
    finally:
        await read_database.dispose()


async def _rebuild(path: Path, journal: Journal) -> _Source:
    """A new read database at path, projected from the journal."""
    await open_read_database(path).dispose()
    await catch_up(SqliteWriter(path), journal)
    name = "a read database made from the journal now"
    return _Source(path, name, "Every row of the journal was read back.", is_rebuilt=True)
