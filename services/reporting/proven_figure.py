"""The figure of a venue that may be running, proven at a sequence number: from its data folder, or from a copy of its read
database (proof_copy.py)."""

from __future__ import annotations

from pathlib import Path

from matching_engine import Engine
from services.data_folder import JOURNAL_FILE, READ_DATABASE_FILE
from services.journal import Journal
from services.journal.postgres.journal import PostgresJournal
from services.journal.sqlite import SqliteJournal
from services.read_database.database import open_read_database
from services.read_database.projector import catch_up
from services.read_database.sqlite_writer import SqliteWriter
from services.reporting.figure import Figure, compute_figure, ignore_progress
from services.reporting.proof_processes import OnProgress


async def figure_of_folder(
    data_dir: Path,
    year: int,
    seq: int,
    engine_counter_fen: int | None,
    on_progress: OnProgress = ignore_progress,
) -> Figure:
    """The year's figure at seq, beside the counter that an engine had there.

    It compares what a start compares, not every order. Calls on_progress as `compute_figure` does. Raises what that and
    `SqliteJournal.open` raise.
    """
    journal = await _open_journal(data_dir)
    try:
        return await _figure_of_file(data_dir / READ_DATABASE_FILE, journal, year, seq, engine_counter_fen, on_progress)
    finally:
        await journal.close()


async def figure_of_copy(
    copy: Path,
    place: Path | str,
    year: int,
    seq: int,
    engine_counter_fen: int | None,
    on_progress: OnProgress = ignore_progress,
) -> Figure:
    """As `figure_of_folder`, of a copy of the read database that is not beyond seq; it is brought up to seq. `place` is the
    venue's data folder or the URL of its database. Raises what `compute_figure` and the journal's `open` raise."""
    journal = await _open_journal(place)
    try:
        await catch_up(SqliteWriter(copy), journal, to_seq=seq)
        return await _figure_of_file(copy, journal, year, seq, engine_counter_fen, on_progress)
    finally:
        await journal.close()


async def _open_journal(place: Path | str) -> Journal:
    if isinstance(place, Path):
        return await SqliteJournal.open(place / JOURNAL_FILE, read_only=True)
    return await PostgresJournal.open(place)


async def _figure_of_file(
    path: Path, journal: Journal, year: int, seq: int, engine_counter_fen: int | None, on_progress: OnProgress
) -> Figure:
    read_database = open_read_database(path, read_only=True)
    try:
        return await compute_figure(
            year,
            seq=seq,
            engine_counter_fen=engine_counter_fen,
            read_database=read_database,
            journal=journal,
            fresh_engine=Engine(),
            every_order=False,
            on_progress=on_progress,
        )
    finally:
        await read_database.dispose()
