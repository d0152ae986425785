"""Opens the read database at the start of a venue: brings it to the journal's end and verifies it, or rebuilds it.

A file that cannot be read, is of another version, or differs from engine and journal is set aside and rebuilt from the journal;
the differences are logged. A file that is ahead of the journal, or of another journal, may be the only evidence of a loss: the
start ends with an error.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from services.journal import Journal
from services.read_database.audit.differences import differences
from services.read_database.audit.engine_tables import AuditedEngine
from services.read_database.audit.journaled import Journaled
from services.read_database.database import open_read_database, set_aside, trouble_with
from services.read_database.errors import ReadDatabaseDamaged
from services.read_database.projector import catch_up
from services.read_database.sqlite_writer import SqliteWriter

log = structlog.get_logger("rex.read_database")


async def open_true(path: Path, journal: Journal, engine: AuditedEngine, journaled: Journaled) -> AsyncEngine:
    """The read database at path, at the journal's end like the engine and `journaled`. No other process may write it meanwhile.

    Raises JournalLost, ReadDatabaseForeign, ReadDatabaseFailed, and ReadDatabaseDamaged where even a rebuilt one differs.
    """
    differing = await _bring_to_the_end(path, journal, engine, journaled)
    if differing:
        kept = set_aside(path)
        for difference in differing:
            log.warning("the read database differs", difference=difference)
        log.warning("the read database is rebuilt from the journal", path=str(path), set_aside=str(kept))
        if differing := await _bring_to_the_end(path, journal, engine, journaled):
            raise ReadDatabaseDamaged(path, f"was rebuilt from the journal and still differs: {'; '.join(differing)}")
    return open_read_database(path)


async def _bring_to_the_end(path: Path, journal: Journal, engine: AuditedEngine, journaled: Journaled) -> list[str]:
    """Projects the missing batches; returns the differences of the database, one sentence each."""
    try:
        open_read_database(path)
        await catch_up(SqliteWriter(path), journal)
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            return differences(connection, engine, journaled)
    except ReadDatabaseDamaged as damage:
        return [f"it {damage.reason}"]
    except sqlite3.Error as error:
        trouble = trouble_with(path, error)
        if isinstance(trouble, ReadDatabaseDamaged):
            return [f"it {trouble.reason}"]
        raise trouble from error
