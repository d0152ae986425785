"""Brings the tables of a PostgreSQL database to this REX: the journal's step by step, the read database's by making them anew.

A migration is one transaction: the whole of it is done, or nothing. An advisory lock lets a second one wait for the first.
Nobody may write the journal meanwhile, so a migration that has steps refuses while a sequencer leads, and holds the writer row
until it commits. A sequencer that wants to claim the journal meanwhile waits for it, and does not end it (TERMINATE_HOLDERS).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool

from services.journal import JournalAddressInvalid, JournalBusy, JournalRefused, JournalUnreachable
from services.journal.postgres.connections import Database
from services.journal.postgres.statements import MIGRATION_LOCK
from services.migrations.outcome import Migrated, MigrationRefused
from services.migrations.read_tables import look, make_anew

BASE = "base"
"""The revision of a database without the tables."""

VERSION_TABLE = "alembic_version_journal"
"""The table that holds the revision of the tables."""

FOLDER = Path(__file__).parent / "journal"
"""One file for each revision: 0001, 0002, …"""


def revisions() -> list[str]:
    """All revisions, from BASE to the newest."""
    scripts = ScriptDirectory.from_config(_config())
    return [BASE, *reversed([script.revision for script in scripts.walk_revisions()])]


def current(connection: Connection) -> str:
    """The revision of the tables in this database."""
    found = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE}).get_current_revision()
    return found or BASE


def upgrade(connection: Connection) -> None:
    """Takes the tables to the newest revision. The caller commits."""
    config = _config()
    config.attributes |= {"connection": connection, "version_table": VERSION_TABLE}
    command.upgrade(config, "head")


def _config() -> Config:
    config = Config()
    for option, value in (
        ("script_location", str(Path(__file__).parent)),
        ("path_separator", "newline"),
        ("version_locations", str(FOLDER)),
    ):
        config.set_main_option(option, value.replace("%", "%%"))
    return config


_LOCK_TIMEOUT_S = 10
IDLE_S = 60
"""A migration whose process is gone or stopped ends by itself after so long: no claim ends it, and none succeeds before."""
_LOCK_NOT_AVAILABLE = "55P03"


@asynccontextmanager
async def transaction(database: Database) -> AsyncIterator[AsyncConnection]:
    """A transaction on the database: committed at the end, rolled back on an error.

    Raises JournalAddressInvalid for a parameter of the URL that cannot be, MigrationRefused if the server cannot be used, would
    lose acknowledged commands, or refuses a statement.
    """
    try:
        engine = create_async_engine("postgresql+asyncpg://", async_creator=_creator(database), poolclass=NullPool)
        async with engine.begin() as connection:
            await connection.execute(text(f"SET LOCAL lock_timeout = '{_LOCK_TIMEOUT_S}s'"))
            await connection.execute(text(f"SET LOCAL idle_in_transaction_session_timeout = '{IDLE_S}s'"))
            yield connection
    except JournalAddressInvalid:
        raise
    except (JournalUnreachable, JournalRefused) as error:
        raise MigrationRefused(str(error)) from error
    except DBAPIError as error:
        raise MigrationRefused(_refusal(error, database)) from error


def _creator(database: Database) -> Any:
    async def connect(*_arguments: Any, **_options: Any) -> Any:
        connection = await database.connect()
        try:
            await database.check_durable(connection)
            encoding = connection.get_settings().server_encoding
            if encoding != "UTF8":
                raise MigrationRefused(
                    f"{database.name} has the encoding {encoding}, which has no Chinese: create it with ENCODING 'UTF8'"
                )
        except BaseException:
            connection.terminate()
            raise
        return connection

    return connect


def _refusal(error: DBAPIError, database: Database) -> str:
    if getattr(error.orig, "sqlstate", None) == _LOCK_NOT_AVAILABLE:
        return (
            f"another session has kept tables of {database.name} locked for {_LOCK_TIMEOUT_S} seconds: end it"
            " (pg_stat_activity), then migrate again. Nothing was changed"
        )
    cause = error.orig.__cause__ if error.orig is not None else None
    return f"{database.sentence(cause or error)}. Nothing was changed"


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
            await connection.run_sync(upgrade)
            if read_database.changed:
                await make_anew(connection, database, anyway=empty_read_database)
    return [journal, read_database]


async def _look_at_journal(connection: AsyncConnection) -> Migrated:
    found, known = await connection.run_sync(current), revisions()
    if found not in known:
        raise MigrationRefused(
            f"the journal is of revision {found}, which this REX does not know (its newest is {known[-1]}): use the newer REX."
            " Nothing was changed"
        )
    return Migrated("journal", found, known[-1])


async def _hold_writer_row(connection: AsyncConnection, revision: str) -> None:
    """Locks the writer row, if the journal's tables are there, until the end of the transaction. Raises JournalBusy if a
    sequencer leads."""
    if revision == BASE:
        return
    before = (await connection.execute(text(_BEAT))).one_or_none()
    if before is not None and before.url:
        await asyncio.sleep(LEADER_BEATS_WITHIN_S)
    now = (await connection.execute(text(f"{_BEAT} FOR UPDATE"))).one_or_none()
    if now != before:
        url = now.url if now else ""
        raise JournalBusy(f"a sequencer leads ({url}): stop all sequencers, then migrate. Nothing was changed")
