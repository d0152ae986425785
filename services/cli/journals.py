"""Opens the journal that a command reads: that of a data folder, or that of a PostgreSQL database."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from services.journal import Journal
from services.journal.postgres.connections import SETTING
from services.journal.postgres.journal import PostgresJournal
from services.journal.sqlite import SqliteJournal
from services.read_database.read_witness import remembered
from services.reporting.report_database import JOURNAL_FILE, READ_DATABASE_FILE


async def open_journal(place: str | Path, *, setting: str = SETTING, archives: Path | None = None) -> Journal:
    """The journal at this URL, which is from this setting, or in this folder, whose archived days may be in the folder
    `archives`; for reading."""
    if isinstance(place, Path):
        remembers = partial(remembered, place / READ_DATABASE_FILE)
        path = place / JOURNAL_FILE
        return await SqliteJournal.open(path, read_only=True, remembered=remembers, archives=archives)
    return await PostgresJournal.open(place, setting=setting)
