"""The SQLite connections of the journal: what is asked of SQLite, and read back; what is checked before it opens a file."""

from __future__ import annotations

import secrets
import sqlite3
from contextlib import closing
from pathlib import Path

from services.journal import wal
from services.journal.errors import JournalBusy, JournalCorrupt, JournalError, JournalLost

FILE_FORMAT = 1
"""Number of the tables below; a file of another format is refused with a sentence."""

LOG_PAGES = 256
"""After about so many pages (1 MiB) of commits the log is copied into the database."""

PAGE_BYTES = 4_096
_PAGES_BESIDE = 2
"""Pages of a commit beside those its batch fills: the table's last one, and the file's first one, which counts the pages."""

BUSY_S = 10.0
"""How long to wait for readers of other processes when the journal is opened for writing."""

_SCHEMA = """
BEGIN IMMEDIATE;
CREATE TABLE IF NOT EXISTS meta (format INTEGER NOT NULL, journal_id BLOB NOT NULL, epoch INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS rows (
    first_seq INTEGER PRIMARY KEY, last_seq INTEGER NOT NULL, epoch INTEGER NOT NULL, data BLOB NOT NULL
);
INSERT INTO meta SELECT {format}, x'{journal_id}', 0 WHERE NOT EXISTS (SELECT 1 FROM meta);
COMMIT;
"""
_ENVIRONMENT = {
    sqlite3.SQLITE_PERM, sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_INTERRUPT, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_FULL, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PROTOCOL,
    sqlite3.SQLITE_AUTH,
}  # fmt: skip
_OF_THE_BYTES = {sqlite3.SQLITE_IOERR_SHORT_READ, sqlite3.SQLITE_IOERR_DATA, sqlite3.SQLITE_IOERR_CORRUPTFS}
_REACHED = "SELECT coalesce(max(last_seq), 0) FROM rows"


def log_of(path: Path) -> Path:
    """The write-ahead log of the database at path."""
    return path.with_name(path.name + "-wal")


def open_writer(path: Path) -> sqlite3.Connection:
    """A connection whose every commit is on the device, its log empty; raises JournalError where it would not be so."""
    connection = sqlite3.connect(path, timeout=BUSY_S, isolation_level=None, check_same_thread=False)
    try:
        make_durable(connection, path)
        if not empty_log(connection, path):
            raise JournalBusy(
                f"another process is in the middle of reading {path} and keeps its log from being emptied: end that one first"
            )
        connection.executescript(_SCHEMA.format(format=FILE_FORMAT, journal_id=secrets.token_hex(16)))
    except sqlite3.DatabaseError as error:
        connection.close()
        raise unreadable(path, error, " or written as a journal") from error
    except JournalError:
        connection.close()
        raise
    return connection


def make_durable(connection: sqlite3.Connection, path: Path) -> None:
    """Asks for a short write-ahead log that is synced at each commit, and reads back whether it was given."""
    for pragma, value, expected in (
        ("journal_mode", "WAL", "wal"),
        ("synchronous", "FULL", 2),
        ("fullfsync", "ON", 1),
        ("wal_autocheckpoint", 0, 0),  # It would keep to itself that it failed.
    ):
        connection.execute(f"PRAGMA {pragma} = {value}")
        (found,) = connection.execute(f"PRAGMA {pragma}").fetchone()
        if found != expected:
            raise JournalError(f"{path}: SQLite answers {pragma} = {found} to {value}: commits would not be durable")


def pages_of(batch_bytes: int) -> int:
    """About how many pages the commit of a batch leaves in the log."""
    return batch_bytes // PAGE_BYTES + _PAGES_BESIDE


def copy_log(connection: sqlite3.Connection, path: Path) -> None:
    """Copies the log into the database as far as readers allow, and syncs the database; the next commit may begin the log anew.

    Raises JournalError where that fails: some pages of the database may then be read and yet not stand on the device.
    """
    _checkpoint(connection, path, "PASSIVE")


def empty_log(connection: sqlite3.Connection, path: Path) -> bool:
    """Copies all of the log, and cuts it to nothing; False where a reader keeps it from that. Raises as `copy_log`."""
    return not _checkpoint(connection, path, "TRUNCATE")


def _checkpoint(connection: sqlite3.Connection, path: Path, mode: str) -> bool:
    """Whether somebody was in its way."""
    try:
        busy, _, _ = connection.execute(f"PRAGMA wal_checkpoint({mode})").fetchone()
    except sqlite3.Error as error:
        raise JournalError(f"{path}: copying its log into it failed: {error}") from error
    return bool(busy)


def open_reader(path: Path) -> sqlite3.Connection:
    """A connection that writes nothing. Raises JournalError where there is no file."""
    try:
        return sqlite3.connect(
            f"{path.resolve().as_uri()}?mode=ro", uri=True, isolation_level=None, check_same_thread=False
        )
    except sqlite3.Error as error:
        raise JournalError(f"there is no journal to read at {path}: {error}") from error


def unreadable(
    path: Path, error: sqlite3.Error, where: str = "", note: str = "", seq: int | None = None
) -> JournalError:
    """What it means that SQLite cannot read the database: damage, unless the device, a lock or a permission is in its way."""
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR)
    environment = code & 0xFF in _ENVIRONMENT and code not in _OF_THE_BYTES
    kind = JournalError if environment else JournalCorrupt
    return kind(f"{path} cannot be read{where}: {error}{note}", seq)


def lost_commands(path: Path) -> JournalLost | None:
    """What the write-ahead log knows of commands that SQLite will not show; to be asked before SQLite opens it for writing.

    Changes no file. Raises JournalLost where the database is missing or empty beside a log, which SQLite then would remove,
    and what `unreadable` says where the log is damaged and the database cannot be read.
    """
    log = log_of(path)
    if _size(log) > wal.HEADER_BYTES and _size(path) == 0:
        raise JournalLost.after(0, f"{path} is missing or empty, and its write-ahead log {log} is there")
    damage = wal.inspect(log)
    if damage is None:
        return None
    try:
        with closing(open_reader(path)) as connection:
            ((last_seq,),) = connection.execute(_REACHED).fetchall()
    except sqlite3.DatabaseError as error:
        if not str(error).startswith("no such table"):
            raise unreadable(path, error, note=f"; its log is damaged at byte {damage.offset_bytes}") from error
        last_seq = 0  # the tables themselves stand in the log
    evidence = damage.evidence(last_seq)
    return None if evidence is None else JournalLost.after(last_seq, f"{path} ends there, {evidence}")


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
