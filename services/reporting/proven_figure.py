"""The figure of a venue that may be running, proven at a sequence number: of its data folder, or of a copy of its read database
(proof_copy.py)."""

from __future__ import annotations

from pathlib import Path

from services.files.data_folder import READ_DATABASE_FILE
from services.read_model.database import open_read_database
from services.read_model.projector import catch_up
from services.read_model.sqlite_writer import SqliteWriter
from services.reporting.figure import Figure, compute_figure, ignore_progress
from services.reporting.proof_processes import OnProgress
from services.venue.at_rest import at_rest


async def figure_at(
    place: Path | str,
    copy: Path | None,
    year: int,
    seq: int,
    engine_counter_fen: int | None,
    on_progress: OnProgress = ignore_progress,
    *,
    is_closed: bool = False,
) -> Figure:
    """The year's figure at seq, beside the counter that an engine had there.

    `place` is the venue's data folder or the URL of its database. `copy` of its read database is not beyond seq, and is brought
    up to it; None: the folder's own is read. Where the venue `is_closed`, no order needs the other cores: a long proof runs in
    two processes. Calls on_progress as `compute_figure` does. Raises what that and `at_rest` raise.
    """
    async with at_rest(place) as venue:
        if copy is not None:
            await catch_up(SqliteWriter(copy), venue.journal, to_seq=seq)
        else:
            assert isinstance(place, Path), "in PostgreSQL a copy is proven"
        read_database = open_read_database(copy or Path(place) / READ_DATABASE_FILE, read_only=True)
        try:
            return await compute_figure(
                year,
                seq=seq,
                engine_counter_fen=engine_counter_fen,
                read_database=read_database,
                journal=venue.journal,
                place=venue.journal_place if is_closed else None,
                on_progress=on_progress,
            )
        finally:
            await read_database.dispose()
