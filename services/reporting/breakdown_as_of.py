"""What the turnover of a year was made of at an earlier sequence number.

The tables that the breakdown reads hold the sums of today, which later busts, decisions and trades have changed. So the journal
up to that command is projected into a temporary read database, and the breakdown is read from it as from any other.
"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from services.data.calendar import TradingCalendar
from services.journal import Journal
from services.read_model.database import open_read_database
from services.read_model.projector import catch_up
from services.read_model.sqlite_writer import SqliteWriter
from services.reporting.breakdown.summary import Breakdown, read_breakdown
from services.reporting.proof_processes import OnProgress
from services.reporting.queries import read_year


async def read_breakdown_as_of(
    journal: Journal, year: int, seq: int, calendar: TradingCalendar, on_progress: OnProgress
) -> Breakdown:
    """The breakdown of the year after the command seq, which the journal holds.

    Of a command within a journal row, the commands of the row up to it count. Calls `on_progress` with each sequence number
    reached and with seq. Raises the journal's errors and ReadDatabaseFailed.
    """
    with TemporaryDirectory() as folder:
        path = Path(folder) / "past.sqlite"
        await open_read_database(path).dispose()
        await catch_up(
            SqliteWriter(path), journal, to_seq=seq, on_progress=lambda reached_seq: on_progress(reached_seq, seq)
        )
        return await breakdown_of_file(path, year, calendar)


async def breakdown_of_file(path: Path, year: int, calendar: TradingCalendar) -> Breakdown:
    """The breakdown of the year in a read database that was projected up to a command. Raises ReadDatabaseFailed."""
    read_database = open_read_database(path, read_only=True)
    try:
        async with read_database.connect() as connection:
            found = await read_year(connection, year)
            assert found is not None, "the database was projected, so it has a position"
            return await read_breakdown(connection, year, found, calendar)
    finally:
        await read_database.dispose()
