"""Takes the tables of a PostgreSQL database from revision to revision: up to this REX's, down to an older one's.

A migration is one transaction: the whole of it is done, or nothing. An advisory lock lets a second one wait for the first.
Nobody may write the journal meanwhile, so a migration that has steps refuses while a sequencer leads, and holds the writer row
until it commits. A sequencer that wants to claim the journal meanwhile waits for it, and does not end it (TERMINATE_HOLDERS).
"""

from __future__ import annotations

import asyncio

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.journal import JournalBusy
from services.journal.postgres.statements import MIGRATION_LOCK
from services.migrations.histories import BASE, HISTORIES, JOURNAL, History
from services.migrations.outcome import Migrated, MigrationRefused
from services.migrations.transaction import transaction

LEADER_BEATS_WITHIN_S = 1.5
"""A leader updates its row every 0.4 s: one that has not changed for so long has no living leader."""

_BEAT = "SELECT url, epoch, beat FROM journal_writer"


async def upgrade(url: str, *, check: bool = False) -> list[Migrated]:
    """Takes journal and read database at this URL up to the newest revisions; with `check` it only says what it would do.

    Raises MigrationRefused, and changes nothing, if the server cannot be used or if the tables are newer than this REX;
    JournalAddressInvalid for a malformed URL; JournalBusy if there are steps to take and a sequencer leads.
    """
    return await _migrate(url, [(history, history.revisions[-1]) for history in HISTORIES], check=check)


async def downgrade(url: str, history: History, revision: str, *, check: bool = False) -> list[Migrated]:
    """Takes one database down to an older revision; BASE drops its tables. Raises what `upgrade` raises, and
    MigrationRefused if the journal's tables would be dropped and hold commands."""
    if revision not in history.revisions:
        raise MigrationRefused(
            f"the {history.name} has no revision {revision}; its revisions are {', '.join(history.revisions)}"
        )
    return await _migrate(url, [(history, revision)], check=check, down=True)


async def _migrate(url: str, wanted: list[tuple[History, str]], *, check: bool, down: bool = False) -> list[Migrated]:
    async with transaction(url) as connection:
        if not check:
            await connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": MIGRATION_LOCK})
        steps = [(history, await _current(connection, history), revision) for history, revision in wanted]
        for history, found, revision in steps:
            if down and history.is_older(found, revision):
                raise MigrationRefused(f"the {history.name} is of revision {found}, which is older than {revision}")
        if not check and any(found != revision for _, found, revision in steps):
            await _hold_writer_row(connection)
            for history, found, revision in steps:
                if found != revision:
                    await connection.run_sync(history.go_to, revision)
    return [Migrated(history.name, found, revision) for history, found, revision in steps]


async def _current(connection: AsyncConnection, history: History) -> str:
    found = await connection.run_sync(history.current)
    if found not in history.revisions:
        raise MigrationRefused(
            f"the {history.name} is of revision {found}, which this REX does not know (its newest is"
            f" {history.revisions[-1]}): use the newer REX. Nothing was changed"
        )
    return found


async def _hold_writer_row(connection: AsyncConnection) -> None:
    """Locks the writer row until the end of the transaction. Raises JournalBusy if a sequencer leads."""
    if await _current(connection, JOURNAL) == BASE:
        return
    before = (await connection.execute(text(_BEAT))).one_or_none()
    if before is not None and before.url:
        await asyncio.sleep(LEADER_BEATS_WITHIN_S)
    now = (await connection.execute(text(f"{_BEAT} FOR UPDATE"))).one_or_none()
    if now != before:
        url = now.url if now else ""
        raise JournalBusy(f"a sequencer leads ({url}): stop all sequencers, then migrate. Nothing was changed")
