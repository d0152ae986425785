"""The SQLite file of the read database: opening it, and its tables. It is derived: the journal decides."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing, suppress
from functools import cache, partial
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from sqlalchemy import URL, Connection, event
from sqlalchemy.dialects import sqlite
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.schema import CreateIndex, CreateTable, DDLElement

from services.files.data_folder import make_private_database, reason_of
from services.read_model.errors import (
    ReadDatabaseDamaged,
    ReadDatabaseDeviceFailed,
    ReadDatabaseFailed,
    ReadDatabaseMissing,
)
from services.read_model.tables import READ_FORMAT, metadata

CACHE_KIB = 32_000
"""The pages that the projector's connection keeps, in KiB: client order ids land anywhere in their index. The memory of its
process grows with the read database until they are there."""

_BUSY_TIMEOUT_S = 10

_FIRST_PAGE = 4_096
"""Bytes."""

SET_ASIDE = ".set-aside"
"""Suffix of the name of a file that was set aside."""

_DEVICE = frozenset(
    {
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_PERM,
        sqlite3.SQLITE_READONLY,
    }
)
"""Errors of the device or of access, which are no evidence of damage."""

_OTHERS = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_NOMEM})
"""Errors which are none of the file."""


def trouble_with(path: Path, error: sqlite3.Error) -> ReadDatabaseDamaged | ReadDatabaseFailed:
    """The error for an error of SQLite on the read database at path."""
    code = (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF
    if code in _OTHERS:
        return ReadDatabaseFailed(path, error)
    if code in _DEVICE or (code == sqlite3.SQLITE_CORRUPT and not _can_be_read(path)):
        return ReadDatabaseDeviceFailed(path, reason_of(path, error))
    return ReadDatabaseDamaged(path, f"cannot be read ({error})")


def _can_be_read(path: Path) -> bool:
    """Whether the device gives the file's first page: SQLite calls a file malformed also where the device refuses (EIO)."""
    try:
        with path.open("rb", buffering=0) as file:
            if hasattr(os, "posix_fadvise"):
                # Else the page may come from memory.
                os.posix_fadvise(file.fileno(), 0, _FIRST_PAGE, os.POSIX_FADV_DONTNEED)
            file.read(_FIRST_PAGE)
    except OSError:
        return False
    return True


def set_aside(path: Path) -> Path:
    """Renames the database and its log (mode 0600), replacing files set aside before; returns the database's new path."""
    kept = path.with_name(path.name + SET_ASIDE)
    for suffix in ("", "-wal", "-shm"):
        file, old = path.with_name(path.name + suffix), kept.with_name(kept.name + suffix)
        old.unlink(missing_ok=True)
        with suppress(FileNotFoundError):
            file.chmod(0o600)
            file.replace(old)
    return kept


def open_read_database(path: Path, *, read_only: bool = False) -> AsyncEngine:
    """An async engine on the SQLite file at path; creates the file and its tables where they are missing.

    Every read of one transaction is of one position. With read_only the file must exist and not be empty, and is not changed.
    Raises ReadDatabaseDamaged for a file of another version of REX, ReadDatabaseFailed, ReadDatabaseMissing.
    """
    if read_only and not (path.exists() and path.stat().st_size):
        raise ReadDatabaseMissing(path)
    try:
        if not read_only:
            make_private_database(path)
            with closing(connect_writer(path)) as connection:
                make_tables(connection)
        check_format(path)
    except sqlite3.Error as error:
        raise trouble_with(path, error) from error
    database, query = (_uri(path), {"mode": "ro", "uri": "true"}) if read_only else (str(path), {})
    engine = create_async_engine(URL.create("sqlite+aiosqlite", database=database, query=query), hide_parameters=True)
    event.listen(engine.sync_engine, "connect", _set_query_pragmas if read_only else _set_pragmas)
    event.listen(engine.sync_engine, "begin", _begin)
    event.listen(engine.sync_engine, "handle_error", partial(_name_the_file, path))
    return engine


def _name_the_file(path: Path, context: ExceptionContext) -> None:
    """Raises the error of ours, which names the file."""
    if isinstance(context.original_exception, sqlite3.Error):
        raise trouble_with(path, context.original_exception) from context.original_exception


def connect_reader(path: Path) -> sqlite3.Connection:
    """A read-only connection. A writable one, closed last, would copy the write-ahead log into the file and remove it."""
    return sqlite3.connect(f"{_uri(path)}?mode=ro", uri=True, timeout=_BUSY_TIMEOUT_S, isolation_level=None)


def path_of(read_database: AsyncEngine) -> Path:
    """The file of an engine that `open_read_database` made."""
    database = str(read_database.url.database)
    return Path(unquote(database.removeprefix("file://")) if read_database.url.query else database)


def _uri(path: Path) -> str:
    return path.resolve().as_uri()


def connect_writer(path: Path) -> sqlite3.Connection:
    """The projector's connection; transactions are begun explicitly. One thread at a time may use it."""
    connection = sqlite3.connect(path, timeout=_BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False)
    _set_pragmas(connection, None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute(f"PRAGMA cache_size=-{CACHE_KIB}")
    return connection


def _set_pragmas(connection: Any, _record: object) -> None:
    # NORMAL: a power cut may lose the last transactions, never part of one. They are projected again from the journal, because
    # their position is lost with them. Only the journal needs FULL.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.execute(f"PRAGMA busy_timeout={_BUSY_TIMEOUT_S * 1000}")
    cursor.close()


def _begin(connection: Connection) -> None:
    # The driver begins a transaction at the first write only; without one, two reads may be of two positions.
    connection.exec_driver_sql("BEGIN")


def _set_query_pragmas(connection: Any, record: object) -> None:
    _set_pragmas(connection, record)
    cursor = connection.cursor()
    cursor.execute("PRAGMA query_only=ON")
    cursor.close()


def make_tables(connection: sqlite3.Connection) -> None:
    """Creates the tables and the format number where the database is empty, in one transaction."""
    connection.execute("BEGIN IMMEDIATE")
    if not connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
        for statement in _table_statements():
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version={READ_FORMAT}")
    connection.execute("COMMIT")


@cache
def _table_statements() -> tuple[str, ...]:
    """What creates all tables and indexes. To write it takes longer than to carry it out."""
    parts: list[DDLElement] = []
    for table in metadata.sorted_tables:
        parts += [CreateTable(table), *(CreateIndex(index) for index in table.indexes)]
    return tuple(str(part.compile(dialect=sqlite.dialect())) for part in parts)


def check_format(path: Path) -> None:
    """Raises ReadDatabaseDamaged for a file of another version of REX, sqlite3.Error for one that cannot be read."""
    with closing(connect_reader(path)) as connection:
        (found,) = connection.execute("PRAGMA user_version").fetchone()
    if found != READ_FORMAT:
        raise ReadDatabaseDamaged(path, f"has tables of format {found}, and this version of REX reads {READ_FORMAT}")
