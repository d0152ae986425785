"""The journal's SQLite connections: pragmas (set and read back), checkpoints, and the search for lost commands in the log."""

from __future__ import annotations

import secrets
import sqlite3
from contextlib import closing
from pathlib import Path

from services.files.data_folder import reason_of
from services.journal import wal
from services.journal.errors import JournalBusy, JournalCorrupt, JournalError, JournalLost

FILE_FORMAT = 1
"""Version of the tables below. A file of another format is refused."""

ARCHIVED_FORMAT = 2
"""The same with the table `archived`, of a journal whose first rows are in archives: it says where they end."""

FILE_FORMATS = (FILE_FORMAT, ARCHIVED_FORMAT)

LOG_PAGES = 256
"""The log is checkpointed after about this many pages (1 MiB) of commits."""

PAGE_BYTES = 4_096
_PAGES_BESIDE = 2
"""Pages of a commit beside those its batch fills: the table's last page, and the file's first page, which counts the pages."""

BUSY_S = 10.0
"""How long an opening for writing waits for readers in other processes."""

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


def open_writer(path: Path, journal_id: bytes | None = None) -> sqlite3.Connection:
    """A connection with durable commits and an empty log, its tables made if they are missing: of a journal with this id, or a
    random one. Raises JournalError if SQLite refuses that."""
    connection = sqlite3.connect(path, timeout=BUSY_S, isolation_level=None, check_same_thread=False)
    try:
        make_durable(connection, path)
        if not empty_log(connection, path):
            raise JournalBusy(
                f"another process is reading {path} and keeps its log from being emptied: end that process first"
            )
        connection.executescript(
            _SCHEMA.format(format=FILE_FORMAT, journal_id=(journal_id or secrets.token_bytes(16)).hex())
        )
    except sqlite3.DatabaseError as error:
        connection.close()
        raise unreadable(path, error, " or written as a journal") from error
    except JournalError:
        connection.close()
        raise
    return connection


def make_durable(connection: sqlite3.Connection, path: Path) -> None:
    """Sets write-ahead logging with an fsync at each commit, and reads the pragmas back. Raises JournalError if one differs."""
    for pragma, value, expected in (
        ("journal_mode", "WAL", "wal"),
        ("synchronous", "FULL", 2),
        ("fullfsync", "ON", 1),
        ("wal_autocheckpoint", 0, 0),  # An automatic checkpoint does not report its errors.
    ):
        connection.execute(f"PRAGMA {pragma} = {value}")
        (found,) = connection.execute(f"PRAGMA {pragma}").fetchone()
        if found != expected:
            raise JournalError(f"{path}: SQLite answers {pragma} = {found} to {value}: commits would not be durable")


def pages_of(batch_bytes: int) -> int:
    """About how many pages the commit of a batch of this size adds to the log."""
    return batch_bytes // PAGE_BYTES + _PAGES_BESIDE


def copy_log(connection: sqlite3.Connection, path: Path) -> None:
    """Checkpoints the log as far as readers allow: copies it into the database and syncs that. The next commit may then start
    the log anew.

    Raises JournalError if that fails: some pages of the database may then be in the cache and not on the device.
    """
    _checkpoint(connection, path, "PASSIVE")


def empty_log(connection: sqlite3.Connection, path: Path) -> bool:
    """Checkpoints the whole log and truncates it to 0 bytes; False if a reader prevents that. Raises as `copy_log`."""
    return not _checkpoint(connection, path, "TRUNCATE")


def _checkpoint(connection: sqlite3.Connection, path: Path, mode: str) -> bool:
    """True if another connection blocked it."""
    try:
        busy, _, _ = connection.execute(f"PRAGMA wal_checkpoint({mode})").fetchone()
    except sqlite3.Error as error:
        raise JournalError(f"{path}: copying its log into it failed: {reason_of(path, error)}") from error
    return bool(busy)


def open_reader(path: Path) -> sqlite3.Connection:
    """A read-only connection. Raises JournalError if there is no file."""
    try:
        return sqlite3.connect(
            f"{path.resolve().as_uri()}?mode=ro", uri=True, isolation_level=None, check_same_thread=False
        )
    except sqlite3.Error as error:
        raise JournalError(f"there is no journal to read at {path}: {error}") from error


def unreadable(
    path: Path, error: sqlite3.Error, where: str = "", note: str = "", seq: int | None = None
) -> JournalError:
    """The error to raise when SQLite cannot read the database: JournalError if the cause is the device, a lock or a permission,
    otherwise JournalCorrupt. `where` and `note` are added to the sentence."""
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR)
    environment = code & 0xFF in _ENVIRONMENT and code not in _OF_THE_BYTES
    kind = JournalError if environment else JournalCorrupt
    return kind(f"{path} cannot be read{where}: {reason_of(path, error)}{note}", seq)


def lost_commands(path: Path) -> JournalLost | None:
    """The JournalLost that a damaged write-ahead log proves, or None. Call it before SQLite opens the log for writing.

    Changes no file. Raises JournalLost if the database is missing or empty beside a log (SQLite would remove that log), and the
    error of `unreadable` if the log is damaged and the database cannot be read.
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
        last_seq = 0  # the tables are in the log and not yet in the database
    evidence = damage.evidence(last_seq)
    return None if evidence is None else JournalLost.after(last_seq, f"{path} ends there, {evidence}")


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
