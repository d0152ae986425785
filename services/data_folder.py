"""Who may read the data folder: its owner alone. It holds keys, accounts and every order."""

from __future__ import annotations

import os
import stat
from pathlib import Path

FILE_MODE = 0o600
FOLDER_MODE = 0o700


def make_private_folder(path: Path) -> None:
    """Makes the folder with its parents where there is none; takes from an existing one what others may do in it.

    Raises OSError with a sentence that names the setting.
    """
    try:
        path.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
    except OSError as error:
        reason = "there is a file of that name" if isinstance(error, FileExistsError) else error.strerror
        raise OSError(f"the data folder {path} (--data-dir, REX_DATA_DIR) cannot be made: {reason}") from error
    tighten(path, FOLDER_MODE)


def make_private_database(path: Path) -> None:
    """Makes an empty SQLite file where there is none; tightens an existing one with its `-wal` and `-shm`.

    SQLite gives new `-wal` and `-shm` files the mode of the database. An existing file is not opened: closing it would drop
    the locks that SQLite connections of this process hold on it.
    """
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, FILE_MODE))
    except FileExistsError:
        for suffix in ("", "-wal", "-shm"):
            tighten(path.with_name(path.name + suffix))


def tighten(path: Path, mode: int = FILE_MODE) -> None:
    """Takes away the permissions beyond `mode`, if the file is there and ours; a shared folder (sticky bit) is left alone."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return
    permissions = stat.S_IMODE(found.st_mode)
    if permissions & ~mode and found.st_uid == os.geteuid() and not permissions & stat.S_ISVTX:
        path.chmod(permissions & mode)
