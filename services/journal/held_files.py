"""The journal's files as their one writer holds them: locked, readable by their owner only, and still at their path.

Two locks: `path`.lock, with the holder's process id, and the database file itself, for the day somebody removes the lock file.
The system lets go of both when the process ends, however it ends.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from services.data_folder import FILE_MODE, make_private_database, make_private_folder, tighten
from services.journal.errors import JournalBusy, JournalError, JournalRemoved


class HeldFiles:
    """The files of one writer; made by `take`, to be released when every SQLite connection to them is closed."""

    def __init__(self, path: Path, lock: int, database: int) -> None:
        self._paths = [path.with_name(path.name + suffix) for suffix in ("", "-wal", "-shm")]
        self._lock, self._database = lock, database
        self._identities: list[tuple[int, int]] = []

    @classmethod
    def take(cls, path: Path) -> HeldFiles:
        """Makes folder, database file and lock file where they are missing, and locks both files.

        Raises JournalBusy where another process holds one of them, JournalError where the lock file cannot be written.
        """
        make_private_folder(path.parent)
        lock_path = path.with_name(path.name + ".lock")
        lock = os.open(lock_path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, FILE_MODE)
        tighten(lock_path)
        _lock(lock, path, lock)
        try:
            make_private_database(path)
            # Closing a descriptor of the database drops the locks of every SQLite connection that this process has to it. So
            # this one is opened before them and closed after them.
            database = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            _lock(database, path, lock)
        except BaseException:
            os.close(lock)
            raise
        files = cls(path, lock, database)
        try:
            os.ftruncate(lock, 0)
            os.pwrite(lock, f"{os.getpid()}\n".encode(), 0)
        except OSError as error:
            files.release()
            raise JournalError(f"{lock_path} cannot be written: {error}") from error
        return files

    def read_from_device(self) -> None:
        """Syncs database and log and asks the system to drop their pages, so that what is read from now on is what stands on
        the device; nothing is done where the log is empty: then its last copy went well.

        When a write fails the kernel says so once, keeps the page as it was meant, and takes it for written. Whoever reads it
        then builds on what is not there; and ext4, where the page was the first of its block, doesn't make it be there by
        writing it once more. So the pages are to go. What was acknowledged was synced, and nothing else is owed.

        `posix_fadvise` is advice, and nobody looks whether it was taken: ext4 dropped each of 7,260 pages; a file system in
        memory keeps them all and says nothing, nor does a page go that another process has mapped. Where the system has no
        such call (macOS), the files are only synced.

        Raises JournalError where pages that still wait cannot be written.
        """
        log = self._paths[1]
        if not log.exists() or not log.stat().st_size:
            return
        _drop_pages(self._database, self._paths[0])
        descriptor = os.open(log, os.O_RDONLY | os.O_CLOEXEC)
        try:
            _drop_pages(descriptor, log)
        finally:
            os.close(descriptor)

    def remember(self) -> None:
        """Notes which files these are; to be called once SQLite has them open.

        Raises JournalRemoved where the database at the path is not the one that is locked.
        """
        database = os.fstat(self._database)
        self._identities = [(database.st_dev, database.st_ino)]
        self.check()
        self._identities += [_identity(path) for path in self._paths[1:]]

    def check(self) -> None:
        """Raises JournalRemoved where a file that SQLite has open is no longer the one at its path."""
        for path, identity in zip(self._paths, self._identities, strict=False):
            try:
                found: tuple[int, int] | None = _identity(path)
            except OSError:
                found = None
            if found != identity:
                reason = "is not there any more" if found is None else "is another file than the one that is open"
                raise JournalRemoved(
                    f"{path} {reason}: it was removed, moved or replaced while the venue was writing it. The journal takes "
                    "nothing more"
                )

    def release(self) -> None:
        """Lets go of the locks."""
        os.close(self._database)
        os.close(self._lock)


def _drop_pages(descriptor: int, path: Path) -> None:
    try:
        os.fsync(descriptor)  # Pages that wait to be written would stay.
        if hasattr(os, "posix_fadvise"):
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
    except OSError as error:
        raise JournalError(f"{path} cannot be synced: {error}") from error


def _identity(path: Path) -> tuple[int, int]:
    found = os.stat(path)
    return found.st_dev, found.st_ino


def _lock(descriptor: int, path: Path, lock: int) -> None:
    """Locks the open file; where that fails it is closed, and the lock file says who holds it."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        holder = os.pread(lock, 32, 0).decode(errors="replace").strip() or "unknown"
        os.close(descriptor)
        raise JournalBusy(
            f"the data folder {path.parent.resolve()} is in use by another REX process (process id {holder}):"
            " stop that one first, or choose another folder"
        ) from error
