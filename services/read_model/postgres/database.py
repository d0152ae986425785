"""The read database in PostgreSQL, opened for queries."""

from __future__ import annotations

from functools import partial

from sqlalchemy import event, select
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from services.journal.postgres.connections import Database
from services.read_model.errors import ReadDatabaseSilent, ReadDatabaseUnmigrated
from services.read_model.postgres.answering import ANSWER_S, check_alive, waited_for
from services.read_model.postgres.connecting import connect, name_of, trouble_with
from services.read_model.postgres.tables import make, read_format
from services.read_model.tables import READ_FORMAT

_POOL_SIZE = 10


async def open_read_database(url: str) -> AsyncEngine:
    """An async engine on the database, for queries: it refuses to write. Every read of one transaction is of one position.

    Raises ReadDatabaseUnmigrated for a database without the tables of this version of REX, ReadDatabaseFailed.
    """
    database = Database(url)
    engine = _engine(database).execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    try:
        async with engine.connect() as connection:
            check_format(await connection.scalar(select(read_format.c.format)), database)
    except BaseException:
        await engine.dispose()
        raise
    return engine


def check_format(found: int | None, database: Database) -> None:
    """Raises ReadDatabaseUnmigrated unless the number in `read_format` is that of this version of REX."""
    if found != READ_FORMAT:
        reason = f"has tables of format {found}, and this version of REX reads {READ_FORMAT}"
        raise ReadDatabaseUnmigrated(name_of(database), reason)


async def make_tables(url: str) -> None:
    """Makes the tables of this version in the database at url, which has none of them, without those of the journal."""
    engine = _engine(Database(url))
    try:
        async with engine.begin() as connection:
            await connection.run_sync(make)
    finally:
        await engine.dispose()


def _engine(database: Database) -> AsyncEngine:
    engine = create_async_engine(
        "postgresql+asyncpg://",
        async_creator=partial(connect, database),
        hide_parameters=True,
        pool_size=_POOL_SIZE,
        max_overflow=0,
        pool_timeout=2 * ANSWER_S,  # a connection that is not answered is given back after ANSWER_S
    )
    check_alive(engine)
    event.listen(engine.sync_engine, "handle_error", partial(_name_the_database, database))
    return engine


def _name_the_database(database: Database, context: ExceptionContext) -> None:
    """Raises the error of ours, which names the database. SQLAlchemy's error has the driver's as its cause."""
    error = context.original_exception
    waited_s = None if context.connection is None else waited_for(context.connection)
    if waited_s is not None:
        raise ReadDatabaseSilent(f"{database.name} has not answered a query within {waited_s:g} s", waited_s) from error
    trouble = trouble_with(database, error.__cause__ or error)
    if trouble is not None:
        raise trouble from error
