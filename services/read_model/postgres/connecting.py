"""Connections to the read database in PostgreSQL, and the errors of PostgreSQL as those of the read database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg

from services.journal.errors import JournalUnreachable
from services.journal.postgres.connections import DRIVER_ERRORS, Database, DatabaseConnection, is_passing
from services.read_model.errors import (
    ReadDatabaseAway,
    ReadDatabaseDamaged,
    ReadDatabaseFailed,
    ReadDatabaseUnmigrated,
)


def name_of(database: Database) -> str:
    """The read database in a sentence that begins with `The read database`."""
    return f"in {database.name}"


async def connect(database: Database) -> DatabaseConnection:
    """A connection. Raises ReadDatabaseAway."""
    try:
        return await database.connect()
    except JournalUnreachable as error:
        raise ReadDatabaseAway(str(error)) from error


@contextmanager
def trouble_named(database: Database) -> Iterator[None]:
    """Raises the error of the read database for an error of PostgreSQL, its driver or its network."""
    try:
        yield
    except DRIVER_ERRORS as error:
        trouble = trouble_with(database, error)
        if trouble is None:
            raise
        raise trouble from error


def trouble_with(database: Database, error: BaseException) -> Exception | None:
    """The error of the read database for an error of PostgreSQL, its driver or its network; None for any other error."""
    name = name_of(database)
    if isinstance(error, (asyncpg.UndefinedTableError, asyncpg.UndefinedColumnError)):
        return ReadDatabaseUnmigrated(name, f"has not the tables of this version of REX ({error})")
    if isinstance(error, asyncpg.IntegrityConstraintViolationError):
        return ReadDatabaseDamaged(name, f"differs from the journal ({error})")
    if is_passing(error):
        return ReadDatabaseAway(database.sentence(error))
    if isinstance(error, asyncpg.PostgresError):
        return ReadDatabaseFailed(name, error)
    return None
