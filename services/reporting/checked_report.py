"""A report that was read from a read database, and what of that database was checked against the journal.

The journal decides. There is no report where the read database is evidence against it: it is ahead of it, holds another batch,
or was made from another journal.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

from services.data.calendar import TradingCalendar
from services.journal import Journal
from services.read_model.errors import ReadDatabaseDamaged
from services.reporting.as_of import NotReached
from services.reporting.breakdown.summary import Breakdown, read_breakdown
from services.reporting.breakdown_as_of import read_breakdown_as_of
from services.reporting.day_sums import TradeSums, read_compared_year
from services.reporting.figure import Figure, compute_figure, ignore_progress
from services.reporting.proof_processes import OnProgress
from services.reporting.queries import YearTurnover
from services.reporting.report import build_report
from services.reporting.schemas import TurnoverReport
from services.reporting.year_as_of import read_year_as_of
from services.venue.at_rest import ReadFrom, at_rest


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
        report, figure = self.report, self.figure
        if report.discrepancies:
            return False
        if figure is None:
            return True
        return figure.agree and (figure.net_fen, figure.excluded_sql_fen) == (report.net_fen, report.excluded_fen)

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


class ReportRequest(NamedTuple):
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


async def report_at_rest(
    place: Path | str,
    year: int,
    prove: bool = False,
    calendar_file: Path | None = None,
    seq: int | None = None,
    *,
    breakdown: bool = False,
    on_progress: OnProgress = ignore_progress,
) -> CheckedReport:
    """The year's report of the venue in this folder or at this PostgreSQL URL, at the journal's end or as it was after the
    command seq; with its breakdown, if that is wanted. The venue may be running.

    With `prove` the whole journal is re-executed, too; a damaged read database is then one of the differences. Calls
    on_progress with what the proof has reached.

    Raises JournalError where there is no journal, or it is damaged or has lost commands; what `AtRest.with_read_database`
    raises; DataFileError for a calendar file that cannot be used; NotReached where the journal ends before seq;
    FigureUnavailable where seq cannot be re-executed.
    """
    calendar = TradingCalendar.load(calendar_file)
    async with at_rest(place) as venue:
        await check_reached(venue.journal, seq)
        request = ReportRequest(year, calendar, prove, seq, breakdown, venue.journal_place, on_progress)
        return await venue.with_read_database(lambda found: _report(found, venue.journal, request), in_a_file=prove)


async def _report(read: ReadFrom, journal: Journal, request: ReportRequest) -> CheckedReport:
    breakdown, read_from_seq = None, None
    if request.seq is None:
        report, breakdown = await _present(read, request)
    else:
        report, read_from_seq = await _past(read, journal, request, request.seq)
        if request.breakdown:
            breakdown = await read_breakdown_as_of(
                journal, request.year, request.seq, request.calendar, request.on_progress
            )
    figure = None
    if request.prove:
        figure = await compute_figure(
            request.year,
            seq=report.seq,
            engine_counter_fen=None,
            read_database=read.database,
            journal=journal,
            place=request.place,
            on_progress=request.on_progress,
        )
        if read.damage is not None:
            figure = replace(figure, differences=(read.damage, *figure.differences))
    return CheckedReport(report, figure, _checked(read, report, figure, read_from_seq), breakdown)


def _checked(read: ReadFrom, report: TurnoverReport, figure: Figure | None, read_from_seq: int | None) -> str:
    """What was checked for the report, in sentences. `read_from_seq`: as in `YearAsOf`."""
    if figure is None:
        in_short = f"Read from {read.name}. {read.journal_read}{_past_read(report.seq, read_from_seq)}"
        return f"{in_short} No command was re-executed: --prove does that, and compares."
    return (
        f"Every row up to seq {report.seq:,} was read back and every command re-executed; {read.name} was compared"
        " with the outcome. The independent decoder computed amounts, fees, trading days and cash anew from the rows."
    )


def _past_read(seq: int, read_from_seq: int | None) -> str:
    """What of the journal was read for the report of a past command, as a sentence; nothing for a report of the present."""
    if read_from_seq is None:
        return ""
    if read_from_seq == seq:
        return f" The row of seq {seq:,} was read back, too."
    return f" Of the trading day of seq {seq:,}, the rows up to it were read back, too."


async def _present(read: ReadFrom, request: ReportRequest) -> tuple[TurnoverReport, Breakdown | None]:
    """The report and, if it is asked for, its breakdown, of one position."""
    async with read.database.connect() as connection:
        with read.damage_named():
            found = await read_compared_year(connection, request.year, TradeSums())
        assert found is not None, "a database that is up to date or was projected has a position"
        report = build_checked(read, request.year, found, request.calendar)
        if not request.breakdown:
            return report, None
        with read.damage_named():
            return report, await read_breakdown(connection, request.year, found, request.calendar)


async def _past(read: ReadFrom, journal: Journal, request: ReportRequest, seq: int) -> tuple[TurnoverReport, int]:
    """The report after the command seq, and from which command on the journal was read for it."""
    with read.damage_named():
        past = await read_year_as_of(read.database, journal, request.year, seq, TradeSums())
    return build_checked(read, request.year, past.found, request.calendar), past.read_from_seq


async def check_reached(journal: Journal, seq: int | None) -> None:
    """Raises NotReached where the journal ends before seq."""
    if seq is not None:
        last = await journal.last_batch()
        end_seq = 0 if last is None else last.last_seq
        if seq > end_seq:
            raise NotReached(f"The venue has not reached seq {seq:,}: its journal ends at seq {end_seq:,}.")


def build_checked(read: ReadFrom, year: int, found: YearTurnover, calendar: TradingCalendar) -> TurnoverReport:
    """The report of what was read. Raises ReadDatabaseDamaged where it makes none."""
    if not read.is_rebuilt and not found.by_instrument.keys() <= found.instruments.keys():
        raise ReadDatabaseDamaged(read.place, "has turnover of an instrument that it does not list")
    with read.damage_named():
        return build_report(year, found, calendar)
