"""A folder that appears with all that is in it, or not at all.

It is written beside its place, as FOLDER.unfinished, and gets its name when everything is on the device. A process that was
killed leaves FOLDER.unfinished behind; the next one that makes FOLDER removes it, if it holds the mark of this module.
"""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from services.files.data_folder import FILE_MODE, FOLDER_MODE

UNFINISHED = ".unfinished"
"""The suffix of a folder that is being written."""


MARK = ".rex-unfinished"
"""The file in it that says whose it is: removed last, so a power cut may leave it in a folder that is whole."""


class FolderRefused(OSError):
    """The folder cannot be made; nothing of it is there, unless the sentence says so."""


@contextmanager
def new_folder(folder: Path) -> Iterator[Path]:
    """Yields the unfinished folder, which only its owner may read, and gives it its name at the end. After an error it is
    removed with all that is in it. The files must be on the device by then (`sync`).

    Raises FolderRefused unless `folder` does not exist, or is an empty folder and no mount point, and if another process is
    writing it.
    """
    _check_free(folder)
    unfinished = folder.absolute().with_name(folder.absolute().name + UNFINISHED)
    try:
        lock = _take(unfinished, folder)
    except OSError as error:
        raise _refusal(folder, error) from error
    try:
        yield unfinished
        _finish(unfinished, folder)
    except BaseException:
        with suppress(OSError):
            _remove(unfinished)
        raise
    finally:
        os.close(lock)


def sync(path: Path) -> None:
    """Waits until the file is on the device; of a folder, until its entries are."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _check_free(folder: Path) -> None:
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise FolderRefused(f"{folder} is not a folder: name one that does not exist, or an empty one")
    if folder.is_dir() and any(folder.iterdir()):
        raise FolderRefused(f"{folder} is not empty: name a folder that does not exist, or an empty one")
    if not folder.absolute().parent.is_dir():
        raise FolderRefused(f"{folder} cannot be made: there is no folder {folder.absolute().parent}")


def _take(unfinished: Path, folder: Path) -> int:
    """Makes the unfinished folder and locks it: what a killed process left is removed first."""
    with suppress(FileNotFoundError):
        left = _lock(unfinished, folder)
        try:
            if not (unfinished / MARK).is_file() and any(unfinished.iterdir()):
                raise FolderRefused(
                    f"{unfinished} is there, and REX did not make it: move it away, or name another folder"
                )
            _remove(unfinished)
        finally:
            os.close(left)
    unfinished.mkdir(FOLDER_MODE)
    lock = _lock(unfinished, folder)
    try:
        (unfinished / MARK).touch(FILE_MODE)
        if folder.is_dir():
            _check_place(folder.absolute(), unfinished / folder.absolute().name)
    except BaseException:
        with suppress(OSError):
            _remove(unfinished)
        os.close(lock)
        raise
    return lock


def _remove(unfinished: Path) -> None:
    """The mark comes last: what an interrupted removal leaves is still known."""
    for path in unfinished.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        elif path.name != MARK:
            path.unlink()
    shutil.rmtree(unfinished)


def _check_place(folder: Path, aside: Path) -> None:
    """Moves the empty folder away and back. Raises FolderRefused if it is a mount point, whose place nothing can take by a
    rename: better said now than after all the work."""
    try:
        folder.rename(aside)
        aside.rename(folder)
    except OSError as error:
        if error.errno == errno.EBUSY:
            raise FolderRefused(
                f"{folder} is a mount point, and a folder appears there as a whole or not at all: name a folder within it"
            ) from error
        if error.errno != errno.EXDEV:  # A folder of a container's image may be replaced, not moved.
            raise


def _lock(unfinished: Path, folder: Path) -> int:
    descriptor = os.open(unfinished, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.path.samestat(os.fstat(descriptor), unfinished.stat()):
            return descriptor
    except BlockingIOError:
        pass
    os.close(descriptor)
    raise FolderRefused(f"another process is writing {folder}: wait until it has ended")


def _finish(unfinished: Path, folder: Path) -> None:
    place = folder.absolute()
    try:
        for path, _, _ in os.walk(unfinished):
            sync(Path(path))
        unfinished.rename(place)
    except OSError as error:
        raise _refusal(folder, error) from error
    try:
        sync(place.parent)
    except OSError as error:
        raise FolderRefused(
            f"{folder} is there with all that is in it, but its device does not confirm its name ({error.strerror}): after a"
            " power cut it may be gone. Make another one on another device"
        ) from error
    finally:
        with suppress(OSError):
            (place / MARK).unlink()


def _refusal(folder: Path, error: OSError) -> FolderRefused:
    return error if isinstance(error, FolderRefused) else FolderRefused(f"{folder} cannot be made: {error.strerror}")
