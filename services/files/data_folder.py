"""The data folder: its files, that only its owner may read it, and why the device refused one of them. It holds keys, accounts
and every order."""

from __future__ import annotations

import os
import resource
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

JOURNAL_FILE = "journal.sqlite"
READ_DATABASE_FILE = "read.sqlite"

FILE_MODE = 0o600
FOLDER_MODE = 0o700

_ONE_WRITE_BYTES = 65_536
"""The most that SQLite writes at once, a page: a file so near to its limit has met it."""


def make_private_folder(path: Path) -> None:
    """Makes the folder and its parents if they are missing; removes the permissions of other users from an existing folder.

    Raises OSError with a sentence that names the setting.
    """
    try:
        path.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
    except OSError as error:
        reason = "there is a file of that name" if isinstance(error, FileExistsError) else error.strerror
        raise OSError(f"the data folder {path} (--data-dir, REX_DATA_DIR) cannot be made: {reason}") from error
    tighten(path, FOLDER_MODE)


@contextmanager
def private_folder(path: Path) -> Iterator[None]:
    """`make_private_folder`. If the work fails, the folders that it made are removed again, unless the work left files."""
    made = [folder for folder in (path, *path.parents) if not folder.exists()]
    try:
        make_private_folder(path)
        yield
    except BaseException:
        with suppress(OSError):
            for folder in made:
                folder.rmdir()
        raise


def reason_of(path: Path, error: sqlite3.Error) -> str:
    """Why SQLite failed on the database at path. A file that has met the process's limit is a "disk I/O error" to SQLite.

    The file may be gone by then: with the last connection SQLite removes the log. So the limit is named in any case.
    """
    limit_bytes, _ = resource.getrlimit(resource.RLIMIT_FSIZE)
    is_io = getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_IOERR
    if not is_io or limit_bytes == resource.RLIM_INFINITY:
        return str(error)
    limit = f"files of this process may have {limit_bytes:,} bytes (ulimit -f)"
    files = (path.with_name(path.name + suffix) for suffix in ("", "-wal", "-shm"))
    largest_bytes = max((file.stat().st_size for file in files if file.exists()), default=0)
    return f"file too large: {limit}" if largest_bytes + _ONE_WRITE_BYTES > limit_bytes else f"{error}; {limit}"


def make_private_database(path: Path) -> None:
    """Makes an empty SQLite file if there is none; tightens an existing one and its `-wal` and `-shm`.

    SQLite gives new `-wal` and `-shm` files the mode of the database. An existing file is not opened: to close it would
    release the locks that this process's SQLite connections hold on it (POSIX).
    """
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, FILE_MODE))
    except FileExistsError:
        for suffix in ("", "-wal", "-shm"):
            tighten(path.with_name(path.name + suffix))


def tighten(path: Path, mode: int = FILE_MODE) -> None:
    """Removes the permissions beyond `mode` if the file exists and belongs to this user. Leaves a shared folder (sticky bit)
    unchanged."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return
    permissions = stat.S_IMODE(found.st_mode)
    if permissions & ~mode and found.st_uid == os.geteuid() and not permissions & stat.S_ISVTX:
        path.chmod(permissions & mode)
