"""Brings the tables of a PostgreSQL database to this REX: the journal's step by step, the read database's by making them anew.

A migration is one transaction: the whole of it is done, or nothing. An advisory lock lets a second one wait for the first.
Nobody may write the journal meanwhile, so a migration that has steps refuses while a sequencer leads, and holds the writer row
until it commits. A sequencer that wants to claim the journal meanwhile waits for it, and does not end it (TERMINATE_HOLDERS).
"""

from __future__ import annotations

import asyncio

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.journal import JournalBusy
from services.journal.postgres.connections import Database
from services.journal.postgres.statements import MIGRATION_LOCK
from services.migrations import journal_tables
from services.migrations.outcome import Migrated, MigrationRefused
from services.migrations.read_tables import look, make_anew
from services.migrations.transaction import transaction

LEADER_BEATS_WITHIN_S = 1.5
"""A leader updates its row every 0.4 s: one that has not changed for so long has no living leader."""

_BEAT = "SELECT url, epoch, beat FROM journal_writer"


async def migrate_database(url: str, *, empty_read_database: bool = False, check: bool = False) -> list[Migrated]:
    """Takes the journal's tables at this URL to the newest revision. Makes the tables of the read database where they are
    missing or of an older format; the projector fills them from the journal. `empty_read_database` makes them anew whatever
    they are, also those of a newer REX, and those that are evidence. With `check` it only says what it would do.

    Raises, and changes nothing: MigrationRefused if the server cannot be used, or if tables are newer than this REX;
    JournalAddressInvalid for a malformed URL; JournalBusy if there are steps to take and a sequencer leads; the errors of
    `make_anew` if a read database of an older format is evidence against the journal.
    """
    database = Database(url)
    async with transaction(database) as connection:
        if not check:
            await connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": MIGRATION_LOCK})
        journal = await _look_at_journal(connection)
        read_database = await look(connection, database, anyway=empty_read_database)
        if not check and (journal.changed or read_database.changed):
            await _hold_writer_row(connection, journal.before)
            await connection.run_sync(journal_tables.upgrade)
            if read_database.changed:
                await make_anew(connection, database, anyway=empty_read_database)
    return [journal, read_database]


async def _look_at_journal(connection: AsyncConnection) -> Migrated:
    found, known = await connection.run_sync(journal_tables.current), journal_tables.revisions()
    if found not in known:
        raise MigrationRefused(
            f"the journal is of revision {found}, which this REX does not know (its newest is {known[-1]}): use the newer REX."
            " Nothing was changed"
        )
    return Migrated("journal", found, known[-1])


async def _hold_writer_row(connection: AsyncConnection, revision: str) -> None:
    """Locks the writer row, if the journal's tables are there, until the end of the transaction. Raises JournalBusy if a
    sequencer leads."""
    if revision == journal_tables.BASE:
        return
    before = (await connection.execute(text(_BEAT))).one_or_none()
    if before is not None and before.url:
        await asyncio.sleep(LEADER_BEATS_WITHIN_S)
    now = (await connection.execute(text(f"{_BEAT} FOR UPDATE"))).one_or_none()
    if now != before:
        url = now.url if now else ""
        raise JournalBusy(f"a sequencer leads ({url}): stop all sequencers, then migrate. Nothing was changed")
