"""Permissions of the data folder: only its owner may read it. It holds keys, accounts and every order."""

from __future__ import annotations

import os
import stat
from pathlib import Path

FILE_MODE = 0o600
FOLDER_MODE = 0o700


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
