"""The tables of the read database in PostgreSQL, in the transaction of a migration: what is there, and made anew.

They are derived, so they have no history. But a read database that the journal contradicts may be the only evidence of a loss:
it is dropped only on demand.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from services.journal.batch import JournalBatch
from services.journal.chain import ChainEnd, decode
from services.journal.errors import naming
from services.journal.postgres.connections import Database
from services.journal.postgres.statements import BEFORE
from services.migrations.outcome import NONE, Migrated, MigrationRefused
from services.read_model.postgres import tables
from services.read_model.postgres.connecting import name_of
from services.read_model.read_witness import POSITION, evidence
from services.read_model.tables import READ_FORMAT

_JOURNAL_ID = "SELECT journal_id FROM journal_writer WHERE id = 1"
_AFTER_ALL = 2**63 - 1


async def look(connection: AsyncConnection, database: Database, *, anyway: bool) -> Migrated:
    """What is to be done: nothing with tables of this REX, unless they are to be made anew `anyway`.

    Raises MigrationRefused, unless `anyway`, for tables of a newer REX, and for those to be dropped whose position cannot be
    read.
    """
    found = await connection.run_sync(tables.format_of)
    if found is not None and found > READ_FORMAT and not anyway:
        raise MigrationRefused(
            f"the read database {name_of(database)} has format {found}, and this REX reads format {READ_FORMAT}: use the newer"
            " REX, or `rex migrate --empty-read-database`. Nothing was changed"
        )
    stood_at = None
    if found is not None and (anyway or found < READ_FORMAT):
        try:
            stood_at = _shown(await _position(connection))
        except DBAPIError as error:
            if not anyway:
                raise MigrationRefused(
                    f"the read database {name_of(database)} has format {found}, and its position cannot be read"
                    f" ({_reason(error)}): `rex migrate --empty-read-database` drops it. Nothing was changed"
                ) from error
            stood_at = "unknown"
    return Migrated("read database", NONE if found is None else str(found), str(READ_FORMAT), stood_at)


async def make_anew(connection: AsyncConnection, database: Database, *, anyway: bool) -> None:
    """Drops the tables of whatever REX, if there are any, and makes those of this one, empty. The journal's tables are those of
    this REX.

    Raises, unless `anyway`, ReadDatabaseForeign for a read database of another journal, JournalLost if the journal ends before
    its position, and JournalCorrupt if the journal holds another row there.
    """
    if not anyway and await connection.run_sync(tables.format_of) is not None:
        await _check_in_journal(connection, database)
    await connection.run_sync(tables.drop)
    await connection.run_sync(tables.make)


async def _position(connection: AsyncConnection) -> Row[Any] | None:
    """The seq, row_hash and journal_id of the read database. After an error the transaction goes on."""
    async with connection.begin_nested():
        return (await connection.execute(text(POSITION))).first()


def _reason(error: DBAPIError) -> object:
    """What PostgreSQL says, without the names of the driver's classes."""
    return error.orig.__cause__ if error.orig is not None else error


def _shown(position: Row[Any] | None) -> str:
    return "0" if position is None or not position.seq else f"{position.seq}:{position.row_hash.hex()}"


async def _check_in_journal(connection: AsyncConnection, database: Database) -> None:
    position, journal_id = await _position(connection), await connection.scalar(text(_JOURNAL_ID))
    known = evidence(name_of(database), None if position is None else tuple(position), journal_id or b"").witness
    if known is None:
        return
    with naming(database.name):
        end = ChainEnd.after(await _batch_before(connection, _AFTER_ALL))
        if known.seq > end.last_seq:
            raise known.beyond(end.last_seq, end.hash)
        held = await _batch_before(connection, known.seq + 1)
        if held is not None:
            known.check_batch(held)


async def _batch_before(connection: AsyncConnection, first_seq: int) -> JournalBatch | None:
    """The newest batch that begins before first_seq."""
    found = (await connection.exec_driver_sql(BEFORE, (first_seq,))).first()
    return None if found is None else decode(tuple(found))
