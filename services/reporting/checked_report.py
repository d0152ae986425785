"""A report that was read from a read database, and what of that database was checked against the journal.

The journal decides. There is no report where the read database is evidence against it: it is ahead of it, holds another batch,
or was made from another journal.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy.ext.asyncio import AsyncEngine

from matching_engine import Engine
from services.data.calendar import TradingCalendar
from services.decimals import yuan_text
from services.journal import Journal
from services.read_database.changes import Position
from services.read_database.database import open_read_database
from services.read_database.errors import ReadDatabaseDamaged
from services.read_database.projector import catch_up, check_belongs
from services.read_database.sqlite_writer import SqliteWriter
from services.reporting.breakdown.summary import Breakdown, read_breakdown
from services.reporting.day_sums import TradeSums, read_compared_year
from services.reporting.figure import Figure, compute_figure, ignore_progress
from services.reporting.moment import NotReached
from services.reporting.past import read_past_year
from services.reporting.past_breakdown import read_past_breakdown
from services.reporting.proof_processes import OnProgress
from services.reporting.queries import YearTurnover, read_position
from services.reporting.report import build_report
from services.reporting.schemas import TurnoverReport

_MAX_READS = 20
_READ_INTERVAL_S = 0.05
"""How often, and how far apart, to read the position of a database that a running venue's projector brings up to date."""


@dataclass(frozen=True)
class CheckedReport:
    """The report, and its proof where one was requested."""

    report: TurnoverReport
    figure: Figure | None
    checked: str
    """What was read for the report and what of it was checked, in sentences."""
    breakdown: Breakdown | None = None
    """What the turnover is made of, at the same position, where it was asked for."""

    @property
    def agree(self) -> bool:
        """False where the sums of days are not those of the trades, and where a proof was requested and its computations, or
        the report's own sum, differ."""
        figure = self.figure
        if self.report.discrepancies:
            return False
        if figure is None:
            return True
        proven = yuan_text(figure.net_fen), yuan_text(figure.excluded_sql_fen)
        return figure.agree and proven == (self.report.net, self.report.excluded)

    def to_json(self) -> dict[str, Any]:
        """The report as JSON values, with `breakdown` where it was asked for, and `proven`; with a proof also `checked`,
        `figure` and `agree`.

        Without a proof it has nothing of how it was read, so that the report of a past command has the bytes of the day.
        """
        breakdown = {} if self.breakdown is None else {"breakdown": self.breakdown.to_json()}
        document = {**self.report.to_json(), **breakdown, "proven": self.figure is not None and self.agree}
        if self.figure is None:
            return document
        return {**document, "checked": self.checked, "figure": self.figure.to_json(), "agree": self.agree}


class Asked(NamedTuple):
    """Which report is asked for."""

    year: int
    calendar: TradingCalendar
    prove: bool = False
    """Whether it is compared with the re-executed journal."""
    seq: int | None = None
    """The report as it was after this command; None: at the journal's end."""
    breakdown: bool = False
    """Whether it says what the turnover is made of."""
    place: Path | str | None = None
    """The journal's SQLite file or the URL of its database, for a proof in several processes."""
    on_progress: OnProgress = ignore_progress
    """Takes the sequence number that a proof, or the breakdown of a past report, has reached, and its last one."""


class Source(NamedTuple):
    """The database that a report is read from."""

    place: str
    """The file, or the server and its database, for errors."""
    name: str
    """For sentences about the report."""
    journal_read: str
    """Which rows of the journal were read for it, as a sentence."""
    is_rebuilt: bool = False

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

    def checked(self, report: TurnoverReport, figure: Figure | None, read_from_seq: int | None = None) -> str:
        """What was checked for a report that was read from this database, in sentences. `read_from_seq`: as in `PastYear`."""
        if figure is None:
            in_short = f"Read from {self.name}. {self.journal_read}{_past_read(report.seq, read_from_seq)}"
            return f"{in_short} No command was re-executed: --prove does that, and compares."
        return (
            f"Every row up to seq {report.seq:,} was read back and every command re-executed; {self.name} was compared"
            " with the outcome. The independent decoder computed amounts, fees, trading days and cash anew from the rows."
        )


def _past_read(seq: int, read_from_seq: int | None) -> str:
    """What of the journal was read for the report of a past command, as a sentence; nothing for a report of the present."""
    if read_from_seq is None:
        return ""
    if read_from_seq == seq:
        return f" The row of seq {seq:,} was read back, too."
    return f" Of the trading day of seq {seq:,}, the rows up to it were read back, too."


async def report_of(source: Source, read_database: AsyncEngine, journal: Journal, asked: Asked) -> CheckedReport:
    """The report of this database. A proof needs a SQLite file."""
    breakdown, read_from_seq = None, None
    if asked.seq is None:
        report, breakdown = await _present(source, read_database, asked)
    else:
        report, read_from_seq = await _past(source, read_database, journal, asked, asked.seq)
        if asked.breakdown:
            breakdown = await read_past_breakdown(journal, asked.year, asked.seq, asked.calendar, asked.on_progress)
    figure = None
    if asked.prove:
        figure = await compute_figure(
            asked.year,
            seq=report.seq,
            engine_counter_fen=None,
            read_database=read_database,
            journal=journal,
            fresh_engine=Engine(),
            place=asked.place,
            on_progress=asked.on_progress,
        )
    return CheckedReport(report, figure, source.checked(report, figure, read_from_seq), breakdown)


async def _present(source: Source, read_database: AsyncEngine, asked: Asked) -> tuple[TurnoverReport, Breakdown | None]:
    """The report and, if it is asked for, its breakdown, of one position."""
    async with read_database.connect() as connection:
        with source.damage_named():
            found = await read_compared_year(connection, asked.year, TradeSums())
        assert found is not None, "a database that is up to date or was projected has a position"
        report = build_checked(source, asked.year, found, asked.calendar)
        if not asked.breakdown:
            return report, None
        with source.damage_named():
            return report, await read_breakdown(connection, asked.year, found, asked.calendar)


async def _past(
    source: Source, read_database: AsyncEngine, journal: Journal, asked: Asked, seq: int
) -> tuple[TurnoverReport, int]:
    """The report after the command seq, and from which command on the journal was read for it."""
    with source.damage_named():
        past = await read_past_year(read_database, journal, asked.year, seq, TradeSums())
    return build_checked(source, asked.year, past.found, asked.calendar), past.read_from_seq


async def check_reached(journal: Journal, seq: int | None) -> None:
    """Raises NotReached where the journal ends before seq."""
    if seq is not None:
        last = await journal.last_batch()
        end_seq = 0 if last is None else last.last_seq
        if seq > end_seq:
            raise NotReached(f"The venue has not reached seq {seq:,}: its journal ends at seq {end_seq:,}.")


def build_checked(source: Source, year: int, found: YearTurnover, calendar: TradingCalendar) -> TurnoverReport:
    """The report of what was read. Raises ReadDatabaseDamaged where it makes none."""
    if not source.is_rebuilt and not found.by_instrument.keys() <= found.instruments.keys():
        raise ReadDatabaseDamaged(source.place, "has turnover of an instrument that it does not list")
    with source.damage_named():
        return build_report(year, found, calendar)


async def is_up_to_date(read_database: AsyncEngine, place: str, journal: Journal) -> bool:
    """Whether the database is at the journal's end. Waits while a running venue's projector is catching up.

    Raises what `check_belongs` raises, and ReadDatabaseDamaged.
    """
    last = await journal.last_batch()
    last_seq = last.last_seq if last is not None else 0
    previous_seq = -1
    for _ in range(_MAX_READS):
        async with read_database.connect() as connection:
            found = await read_position(connection)
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


async def report_of_rebuilt(path: Path, journal: Journal, asked: Asked, *, damage: str | None) -> CheckedReport:
    """The report of a new read database at path, projected from the journal.

    `damage`, of the database that could not be used, is added to the differences of a proof.
    """
    await open_read_database(path).dispose()
    await catch_up(SqliteWriter(path), journal)
    name = "a read database made from the journal now"
    source = Source(str(path), name, "Every row of the journal was read back.", is_rebuilt=True)
    found = await report_of_file(source, path, journal, asked)
    if damage is None or found.figure is None:
        return found
    return replace(found, figure=replace(found.figure, differences=(damage, *found.figure.differences)))


async def report_of_file(source: Source, path: Path, journal: Journal, asked: Asked) -> CheckedReport:
    """The report of a SQLite file, which is not changed."""
    read_database = open_read_database(path, read_only=True)
    try:
        return await report_of(source, read_database, journal, asked)
    finally:
        await read_database.dispose()
