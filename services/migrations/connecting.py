"""Connects to PostgreSQL. What is wrong becomes one sentence that names the server and the setting, never the password."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import asyncpg
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool

from services.migrations.outcome import MigrationRefused

SETTING = "--database-url, REX_DATABASE_URL"
_CONNECT_TIMEOUT_S = 10
_LOCK_TIMEOUT_S = 10
_SAFE = {"fsync": "on", "full_page_writes": "on", "server_encoding": "UTF8"}
"""What a server must answer: without the first two a power cut loses acknowledged commands, and names are Chinese."""

_LOCK_NOT_AVAILABLE = "55P03"


@asynccontextmanager
async def transaction(url: str) -> AsyncIterator[AsyncConnection]:
    """A transaction on the database at url: committed at the end, rolled back on an error.

    Raises MigrationRefused if the server cannot be used, or refuses a statement.
    """
    server = _server_of(url)

    async def connect(*_arguments: Any, **_options: Any) -> Any:
        return await _connect(url, server)

    engine = create_async_engine("postgresql+asyncpg://", async_creator=connect, poolclass=NullPool)
    try:
        async with engine.begin() as connection:
            await _check_settings(connection, server)
            await connection.execute(text(f"SET LOCAL lock_timeout = '{_LOCK_TIMEOUT_S}s'"))
            yield connection
    except DBAPIError as error:
        raise MigrationRefused(_refusal(error, server)) from error
    finally:
        await engine.dispose()


def _server_of(url: str) -> str:
    """The address in a URL, for sentences. Raises MigrationRefused for a URL that is none of PostgreSQL."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "localhost", parts.port or 5432
    except ValueError:
        parts, host, port = urlsplit(""), "", 0
    if parts.scheme not in ("postgresql", "postgres"):
        raise MigrationRefused(
            f"the database URL ({SETTING}) is none of PostgreSQL: write it as postgresql://user:password@host:port/name"
        )
    return f"{host}:{port}"


async def _connect(url: str, server: str) -> Any:
    try:
        return await asyncpg.connect(url, timeout=_CONNECT_TIMEOUT_S)
    except TimeoutError as error:
        reason = f"it did not answer within {_CONNECT_TIMEOUT_S} seconds"
        raise MigrationRefused(f"PostgreSQL at {server} cannot be used ({SETTING}): {reason}") from error
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, ValueError) as error:
        raise MigrationRefused(f"PostgreSQL at {server} cannot be used ({SETTING}): {error}") from error


async def _check_settings(connection: AsyncConnection, server: str) -> None:
    for name, needed in _SAFE.items():
        found = await connection.scalar(text(f"SHOW {name}"))
        if found != needed:
            raise MigrationRefused(
                f"PostgreSQL at {server} has {name} = {found}: REX needs {needed}. Change the server, not REX"
            )


def _refusal(error: DBAPIError, server: str) -> str:
    if getattr(error.orig, "sqlstate", None) == _LOCK_NOT_AVAILABLE:
        return (
            f"another session at {server} has locked the tables for {_LOCK_TIMEOUT_S} seconds: end it (pg_stat_activity), or"
            " wait until it has ended, then migrate again. Nothing was changed"
        )
    reason = str(error.orig).split(": ", 1)[-1]
    return f"PostgreSQL at {server} refused the migration, and nothing was changed: {reason}"
