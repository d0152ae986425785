"""Snapshots as files of a folder. Only their owner may read them: they hold every account and every open order."""

from __future__ import annotations

import asyncio
import fcntl
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from services.files.data_folder import FILE_MODE, make_private_folder
from services.files.new_folder import sync
from services.snapshots.errors import SnapshotFailed
from services.snapshots.record import HEADER, Snapshot, header_of
from services.snapshots.store import KeptSnapshot

SNAPSHOTS_FOLDER = "snapshots"
"""The name of the folder within a data folder."""

PARTIAL = ".partial"
"""The suffix of a file that is being written. No reader looks at it, and the next writer removes it."""

_NAME = re.compile(r"(\d{20})\.snapshot")
_LOCK = "lock"


class FolderStore:
    """A file for each snapshot, by its seq: `00000000000001234567.snapshot`. The folder is made by the first `write`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @classmethod
    def of(cls, data_dir: Path) -> FolderStore:
        """The snapshots of a data folder."""
        return cls(data_dir / SNAPSHOTS_FOLDER)

    def name(self, seq: int) -> str:
        """See SnapshotStore."""
        return f"the snapshot {self.path(seq)}"

    def path(self, seq: int) -> Path:
        """The file of a snapshot."""
        return self._folder / f"{seq:020}.snapshot"

    async def kept(self) -> list[KeptSnapshot]:
        """See SnapshotStore."""
        return await asyncio.to_thread(self._kept)

    async def read(self, seq: int) -> bytes | None:
        """See SnapshotStore."""
        return await asyncio.to_thread(self._read, seq)

    async def write(self, snapshot: Snapshot) -> None:
        """Writes a file beside, syncs it, gives it its name, syncs the folder."""
        await asyncio.to_thread(self._write, snapshot)

    async def remove(self, seq: int) -> None:
        """See SnapshotStore."""
        with self._failures("removed", self.path(seq)):
            self.path(seq).unlink(missing_ok=True)

    def _kept(self) -> list[KeptSnapshot]:
        found = []
        with self._failures("read", self._folder):
            names = os.listdir(self._folder) if self._folder.is_dir() else []
            for match in sorted(filter(None, map(_NAME.fullmatch, names)), key=lambda match: match[1], reverse=True):
                with suppress(FileNotFoundError):  # Another process has removed it since.
                    found.append(self._described(int(match[1])))
        return found

    def _described(self, seq: int) -> KeptSnapshot:
        size = 0
        try:
            with open(self.path(seq), "rb") as file:
                size = os.fstat(file.fileno()).st_size
                return KeptSnapshot(seq, size, header_of(file.read(HEADER.size)))
        except FileNotFoundError:
            raise
        except OSError:  # One bad file hides no other one.
            return KeptSnapshot(seq, size, None)

    def _read(self, seq: int) -> bytes | None:
        with self._failures("read", self.path(seq)):
            try:
                return self.path(seq).read_bytes()
            except FileNotFoundError:
                return None

    def _write(self, snapshot: Snapshot) -> None:
        path = self.path(snapshot.header.seq)
        partial = path.with_name(path.name + PARTIAL)
        with self._failures("written", path):
            make_private_folder(self._folder)
            with self._locked():
                for interrupted in self._folder.glob(f"*{PARTIAL}"):
                    interrupted.unlink()
                try:
                    with open(partial, "xb", opener=lambda name, flags: os.open(name, flags, FILE_MODE)) as file:
                        file.write(snapshot.data)
                        file.flush()
                        os.fsync(file.fileno())
                        _drop_pages(file.fileno())
                    partial.replace(path)
                except BaseException:
                    partial.unlink(missing_ok=True)
                    raise
                sync(self._folder)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """One process writes at a time: so what is half written then was left by one that has ended."""
        lock = os.open(self._folder / _LOCK, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, FILE_MODE)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)

    @contextmanager
    def _failures(self, done: str, path: Path) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise SnapshotFailed(f"the snapshot {path} cannot be {done}: {error.strerror or error}") from error


def _drop_pages(opened: int) -> None:
    """Asks the system to drop the file's pages, so that it is read back from the device."""
    if hasattr(os, "posix_fadvise"):
        os.posix_fadvise(opened, 0, 0, os.POSIX_FADV_DONTNEED)
