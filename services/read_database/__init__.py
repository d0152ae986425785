"""The read database: what the projector writes and every query reads. Derived from the journal, never the truth.

ReadDatabaseRefused   the file was not made from this journal, or not by this version of REX; a sentence says what to do
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, event
from sqlalchemy.dialects import sqlite
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.schema import CreateIndex, CreateTable, DDLElement

from services.data_folder import make_private_database
from services.read_database.tables import metadata

READ_FORMAT = 2
"""Number of the tables in `tables.py`, kept in the file's `user_version`."""

_BUSY_SECONDS = 10


class ReadDatabaseRefused(Exception):
    """A read database that cannot be used here. It is derived: removing it and starting again rebuilds it."""

    def __init__(self, path: object, reason: str) -> None:
        super().__init__(
            f"The read database {path} {reason}. It holds nothing that the journal does not: remove it, and the next start "
            "rebuilds it from the journal."
        )


def open_read_database(path: Path, *, read_only: bool = False) -> AsyncEngine:
    """An engine on the SQLite file at path; the file and its tables are made where they are missing.

    All that a connection reads before it ends its transaction is of one position. With read_only the file must be there, and
    nothing is changed in it. Raises ReadDatabaseRefused for a file of another version of REX, and FileNotFoundError.
    """
    if read_only and not path.exists():
        raise FileNotFoundError(path)
    try:
        if not read_only:
            make_private_database(path)
            with closing(connect_writer(path)) as connection:
                make_tables(connection)
        _check_format(path)
    except sqlite3.DatabaseError as error:
        raise ReadDatabaseRefused(path, f"cannot be read ({error})") from error
    engine = create_async_engine(URL.create("sqlite+aiosqlite", database=str(path)))
    event.listen(engine.sync_engine, "connect", _set_query_pragmas if read_only else _set_pragmas)
    event.listen(engine.sync_engine, "begin", _begin)
    return engine


def connect_writer(path: Path) -> sqlite3.Connection:
    """The projector's own connection; transactions are begun by hand. Any one thread at a time may use it."""
    connection = sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    _set_pragmas(connection, None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA cache_size=-32000")  # 32 MB: client order ids land anywhere in their index
    return connection


def _set_pragmas(connection: Any, _record: object) -> None:
    # NORMAL: a power cut may lose the last transactions but never leaves half of one, and what is lost is projected
    # again from the journal, because the position is lost with it. Only the journal pays for FULL.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.execute(f"PRAGMA busy_timeout={_BUSY_SECONDS * 1000}")
    cursor.close()


def _begin(connection: Connection) -> None:
    # The driver begins a transaction at the first write only; two reads without one may see two positions.
    connection.exec_driver_sql("BEGIN")


def _set_query_pragmas(connection: Any, record: object) -> None:
    _set_pragmas(connection, record)
    cursor = connection.cursor()
    cursor.execute("PRAGMA query_only=ON")
    cursor.close()


def make_tables(connection: sqlite3.Connection) -> None:
    """The tables and their format number, where the database is empty; all of it or, in a process killed here, nothing."""
    connection.execute("BEGIN IMMEDIATE")
    if not connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
        for table in metadata.sorted_tables:
            parts: list[DDLElement] = [CreateTable(table), *(CreateIndex(index) for index in table.indexes)]
            for part in parts:
                connection.execute(str(part.compile(dialect=sqlite.dialect())))
        connection.execute(f"PRAGMA user_version={READ_FORMAT}")
    connection.execute("COMMIT")


def _check_format(path: Path) -> None:
    with closing(sqlite3.connect(path, timeout=_BUSY_SECONDS)) as connection:
        (found,) = connection.execute("PRAGMA user_version").fetchone()
    if found != READ_FORMAT:
        raise ReadDatabaseRefused(path, f"has tables of format {found}, and this version of REX reads {READ_FORMAT}")
