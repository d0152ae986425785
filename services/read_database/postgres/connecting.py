"""Connections to the read database in PostgreSQL, and PostgreSQL's errors as those of the read database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import asyncpg

from services.read_database.errors import (
    ReadDatabaseAway,
    ReadDatabaseDamaged,
    ReadDatabaseFailed,
    ReadDatabaseUnmigrated,
)

_CONNECT_TIMEOUT_S = 5.0
_ANSWER_TIMEOUT_S = 60.0
"""A statement that takes longer means that the server is gone. No statement of this package waits for a person."""

_PASSES = ("08", "40", "53", "55", "57", "58")
"""Classes of SQLSTATE that may pass: connection, rollback of a transaction, resources, locks, shutdown, the system."""
_IDLE_TIMEOUTS = ("25P03", "25P04")
_NO_TABLES = ("42P01", "42703")


def name_of(url: str) -> str:
    """The database in a sentence: its server, its name and the setting, without user and password."""
    parts = urlsplit(url)
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.path.lstrip('/') or 'postgres'} on {parts.hostname or 'localhost'}{port} (REX_DATABASE_URL)"


async def connect(url: str) -> asyncpg.Connection[Any]:
    """A connection. Raises ReadDatabaseAway, and ReadDatabaseFailed if the server refuses the user or has no such database."""
    with trouble_named(name_of(url)):
        return await asyncpg.connect(
            url,
            timeout=_CONNECT_TIMEOUT_S,
            command_timeout=_ANSWER_TIMEOUT_S,
            server_settings={"application_name": "rex read database"},
        )


@contextmanager
def trouble_named(name: str) -> Iterator[None]:
    """Raises the error of the read database `name` for an error of PostgreSQL, its driver or its network."""
    try:
        yield
    except (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError) as error:
        trouble = trouble_with(name, error)
        if trouble is None:
            raise
        raise trouble from error


def trouble_with(name: str, error: BaseException | None) -> Exception | None:
    """The error of the read database for an error of PostgreSQL, its driver or its network; None for any other error."""
    if isinstance(error, asyncpg.PostgresError):
        return _of_server(name, error)
    if isinstance(error, asyncpg.DataError):
        return None  # a value of the wrong type: a defect of REX
    if isinstance(error, (asyncpg.InterfaceError, asyncpg.InternalClientError)):
        return ReadDatabaseAway(name, f"the connection was lost ({error})")
    if isinstance(error, TimeoutError):
        return ReadDatabaseAway(name, "the server does not answer")
    if isinstance(error, OSError):
        return ReadDatabaseAway(name, f"the server cannot be reached ({error})")
    return None


def _of_server(name: str, error: asyncpg.PostgresError) -> Exception:
    state = str(error.sqlstate or "")
    if state.startswith(_PASSES) or state in _IDLE_TIMEOUTS:
        return ReadDatabaseAway(name, error)
    if state in _NO_TABLES:
        return ReadDatabaseUnmigrated(name, f"has not the tables of this version of REX ({error})")
    if state.startswith("23"):
        return ReadDatabaseDamaged(name, f"differs from the journal ({error})")
    return ReadDatabaseFailed(name, error)
