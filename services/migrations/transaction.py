"""The transaction of a migration. What is wrong with server or database becomes one sentence, never with the password."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool

from services.journal import JournalAddressInvalid, JournalRefused, JournalUnreachable
from services.journal.postgres.connections import Database
from services.migrations.outcome import MigrationRefused

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
