"""Files of a backup: written, hashed, and on the device."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO

from services.backups.errors import BackupFailed, BackupRefused
from services.files.data_folder import FILE_MODE, FOLDER_MODE
from services.journal.archives.day import HashedFile

OnBytes = Callable[[int], None]
"""Is called with the size of each piece that was read."""

_PIECE_BYTES = 2**20


def write_file(path: Path, data: bytes) -> None:
    """Writes a new file that only its owner may read, durably. Raises BackupFailed."""
    _write(path, iter((data,)), "")


def copy_file(source: Path, target: Path, name: str, on_bytes: OnBytes | None = None) -> HashedFile:
    """Copies a file that nobody writes, durably, to `target`; `name` is its path within the backup.

    Raises BackupRefused if it cannot be read, BackupFailed if it cannot be written.
    """
    return _write(target, _pieces(source, on_bytes), name)


def hash_file(path: Path, name: str, on_bytes: OnBytes | None = None) -> HashedFile:
    """What the manifest says of a file that is there already. Raises BackupRefused if it cannot be read."""
    digest, size = sha256(), 0
    for piece in _pieces(path, on_bytes):
        digest.update(piece)
        size += len(piece)
    return HashedFile(name, size, digest.hexdigest())


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Raises a failure of the device under `path` as BackupFailed."""
    try:
        yield
    except OSError as error:
        raise BackupFailed(f"{path} cannot be written: {error.strerror or error}. Nothing was made") from error


@contextmanager
def new_file(path: Path) -> Iterator[BinaryIO]:
    """A new file that only its owner may read, on the device when the block ends. Raises BackupFailed."""
    with writing(path):
        path.parent.mkdir(mode=FOLDER_MODE, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, FILE_MODE)
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(descriptor)


def check_device(folder: Path, expected: HashedFile) -> None:
    """Reads a file that was written back, from the device if the system drops its pages when asked. Raises BackupFailed if it
    holds other bytes."""
    path = folder / expected.path
    drop_pages(path)
    if hash_file(path, expected.path) != expected:
        raise BackupFailed(
            f"{path} holds other bytes than were written: its device cannot be trusted. Nothing was made"
        )


def drop_pages(path: Path) -> None:
    """Asks the system to read this file from the device next time. Raises OSError."""
    with path.open("rb") as file:
        if hasattr(os, "posix_fadvise"):
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def _write(target: Path, pieces: Iterator[bytes], name: str) -> HashedFile:
    digest, size = sha256(), 0
    with new_file(target) as file:
        for piece in pieces:
            file.write(piece)
            digest.update(piece)
            size += len(piece)
    return HashedFile(name, size, digest.hexdigest())


def _pieces(path: Path, on_bytes: OnBytes | None) -> Iterator[bytes]:
    try:
        with path.open("rb") as file:
            while piece := file.read(_PIECE_BYTES):
                yield piece
                if on_bytes is not None:
                    on_bytes(len(piece))
    except OSError as error:
        raise BackupRefused(f"{path} cannot be read: {error.strerror}. Nothing was made") from error
