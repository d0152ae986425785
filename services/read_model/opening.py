"""Opens the read database at the start of a venue: brings it to the journal's end and verifies it, or rebuilds it.

A file that cannot be read, is of another version, or differs from engine and journal is set aside and rebuilt from the journal;
the differences are logged. A file that is ahead of the journal, or of another journal, may be the only evidence of a loss: the
start ends with an error.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from services.journal import Journal
from services.read_model.database import open_read_database, set_aside, trouble_with
from services.read_model.errors import ReadDatabaseDamaged
from services.read_model.projector import catch_up
from services.read_model.sqlite_writer import SqliteWriter
from services.read_model.write_lock import write_lock

log = structlog.get_logger("rex.read_database")


Comparison = Callable[[sqlite3.Connection], list[str]]
"""How the read database differs from an engine at the journal's end, one sentence each: audit/differences.py."""


async def open_true(path: Path, journal: Journal, compared: Comparison) -> AsyncEngine:
    """The read database at path, at the journal's end and without differences. No other process writes it meanwhile.

    Raises JournalLost, ReadDatabaseForeign, ReadDatabaseFailed, and ReadDatabaseDamaged where even a rebuilt one differs.
    """
    with write_lock(path):
        differing = await _bring_to_the_end(path, journal, compared)
        if differing:
            kept = set_aside(path)
            for difference in differing:
                log.warning("the read database differs", difference=difference)
            log.warning("the read database is rebuilt from the journal", path=str(path), set_aside=str(kept))
            if differing := await _bring_to_the_end(path, journal, compared):
                raise ReadDatabaseDamaged(
                    path, f"was rebuilt from the journal and still differs: {'; '.join(differing)}"
                )
    return open_read_database(path)


async def _bring_to_the_end(path: Path, journal: Journal, compared: Comparison) -> list[str]:
    """Projects the missing batches; returns the differences of the database, one sentence each."""
    try:
        open_read_database(path)
        await catch_up(SqliteWriter(path), journal)
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            return compared(connection)
    except ReadDatabaseDamaged as damage:
        return [f"it {damage.reason}"]
    except sqlite3.Error as error:
        trouble = trouble_with(path, error)
        if isinstance(trouble, ReadDatabaseDamaged):
            return [f"it {trouble.reason}"]
        raise trouble from error
