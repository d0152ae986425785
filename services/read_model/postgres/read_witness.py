"""Reads the position of the read database in PostgreSQL as evidence about the journal, as read_witness.py does for a file."""

from __future__ import annotations

from services.journal.postgres.connections import SETTING, Database
from services.read_model.errors import ReadDatabaseUnmigrated
from services.read_model.postgres.connecting import connect, name_of, trouble_named
from services.read_model.read_witness import POSITION, ReadWitness, evidence


async def read_witness(url: str, journal_id: bytes, setting: str = SETTING) -> ReadWitness:
    """Reads the position of the read database at `url`. Raises ReadDatabaseForeign for one of another journal, and
    ReadDatabaseFailed."""
    database = Database(url, setting)
    connection = await connect(database)
    try:
        with trouble_named(database):
            found = await connection.fetchrow(POSITION)
    except ReadDatabaseUnmigrated:
        return ReadWitness(None, f"there is no read database {name_of(database)}")
    finally:
        connection.terminate()
    return evidence(name_of(database), None if found is None else tuple(found), journal_id)
