"""The journal's files while a writer has them open: locked, readable only by their owner, and checked at their path.

There are two `flock` locks: on `path`.lock, which contains the holder's process id, and on the database file itself, which
still excludes a second writer if the lock file is removed. The system releases both when the process ends, in whatever way.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from services.files.data_folder import FILE_MODE, make_private_database, make_private_folder, tighten
from services.journal.errors import JournalBusy, JournalError, JournalRemoved


class JournalLock:
    """The files of one writer. Made by `take`; call `release` after every SQLite connection to them is closed."""

    def __init__(self, path: Path, lock: int, database: int) -> None:
        self._paths = [path.with_name(path.name + suffix) for suffix in ("", "-wal", "-shm")]
        self._lock, self._database = lock, database
        self._identities: list[tuple[int, int]] = []

    @classmethod
    def take(cls, path: Path) -> JournalLock:
        """Makes the folder, the database file and the lock file if they are missing, and locks both files.

        Raises JournalBusy if another process holds a lock, JournalError if the lock file cannot be written.
        """
        lock = _take_lock(path)
        try:
            make_private_database(path)
            # Closing any descriptor of the database releases the locks of all SQLite connections that this process has to it
            # (POSIX). So this descriptor is opened before the connections and closed after them.
            database = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            _lock(database, path, lock)
        except BaseException:
            os.close(lock)
            raise
        files = cls(path, lock, database)
        try:
            _write_holder(lock, path)
        except JournalError:
            files.release()
            raise
        return files

    def read_from_device(self) -> None:
        """Syncs the database and the log, then asks the kernel to drop their cached pages, so that later reads return what is
        on the device. Does nothing if the log is empty: then the last checkpoint succeeded.

        When a write fails, the kernel reports it once, keeps the intended page in its cache and marks it as written. A reader
        of the cache then builds on bytes that the device does not hold; on ext4, if the page was the first of its block,
        another write of it does not reach the device either. Dropping the pages loses nothing: acknowledged batches were
        synced.

        `posix_fadvise` is advice, and whether the kernel followed it is not checked: ext4 dropped each of 7,260 pages; tmpfs
        keeps all of them and reports nothing, and a page that another process has mapped stays. Where the system has no such
        call (macOS), the files are only synced.

        Raises JournalError if dirty pages cannot be written.
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
        """Records device and inode of the files. Call it once SQLite has opened them.

        Raises JournalRemoved if the database at the path is not the locked one.
        """
        database = os.fstat(self._database)
        self._identities = [(database.st_dev, database.st_ino)]
        self.check()
        self._identities += [_identity(path) for path in self._paths[1:]]

    def check(self) -> None:
        """Raises JournalRemoved if a file that SQLite has open is no longer the file at its path."""
        for path, identity in zip(self._paths, self._identities, strict=False):
            try:
                found: tuple[int, int] | None = _identity(path)
            except OSError:
                found = None
            if found != identity:
                reason = "is no longer there" if found is None else "is no longer the file that is open"
                raise JournalRemoved(
                    f"{path} {reason}: it was removed, moved or replaced while the venue was writing it. The journal accepts "
                    "nothing more"
                )

    def release(self) -> None:
        """Releases the locks."""
        os.close(self._database)
        os.close(self._lock)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Holds the lock file while the block runs, as a writer does: nobody else begins or writes a journal at the path.

    Raises JournalBusy and JournalError as `JournalLock.take` does; it makes no database.
    """
    lock = _take_lock(path)
    try:
        _write_holder(lock, path)
        yield
    finally:
        os.close(lock)


def last_taken(path: Path) -> tuple[int, int] | None:
    """Differs from an earlier answer once another process has taken the lock; None: nobody ever has. Opens no file."""
    try:
        found = _lock_path(path).stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns


def _take_lock(path: Path) -> int:
    make_private_folder(path.parent)
    lock_path = _lock_path(path)
    try:
        lock = os.open(lock_path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, FILE_MODE)
    except OSError as error:
        folder = f"the data folder {path.parent} (--data-dir, REX_DATA_DIR)"
        raise OSError(f"{folder} cannot be written: {error.strerror}") from error
    tighten(lock_path)
    _lock(lock, path, lock)
    return lock


def _lock_path(path: Path) -> Path:
    return path.with_name(path.name + ".lock")


def _write_holder(lock: int, path: Path) -> None:
    try:
        os.ftruncate(lock, 0)
        os.pwrite(lock, f"{os.getpid()}\n".encode(), 0)
    except OSError as error:
        raise JournalError(f"{_lock_path(path)} cannot be written: {error}") from error


def _drop_pages(descriptor: int, path: Path) -> None:
    try:
        os.fsync(descriptor)  # The kernel does not drop dirty pages.
        if hasattr(os, "posix_fadvise"):
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
    except OSError as error:
        raise JournalError(f"{path} cannot be synced: {error}") from error


def _identity(path: Path) -> tuple[int, int]:
    found = os.stat(path)
    return found.st_dev, found.st_ino


def _lock(descriptor: int, path: Path, lock: int) -> None:
    """Locks the open file. If another process holds the lock, closes the file and raises JournalBusy with the holder's process
    id, which the lock file contains."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        holder = os.pread(lock, 32, 0).decode(errors="replace").strip() or "unknown"
        os.close(descriptor)
        raise JournalBusy(
            f"the data folder {path.parent.resolve()} is in use by another REX process (process id {holder}):"
            " stop that process first, or choose another folder"
        ) from error
