"""A place that keeps snapshots."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from matching_engine import ENGINE_VERSION
from services.snapshots.record import SNAPSHOT_FORMAT, Snapshot, SnapshotHeader


class KeptSnapshot(NamedTuple):
    """A snapshot in a store, by its name and its first bytes: nothing of it has been checked."""

    seq: int
    """By which it is kept."""
    size_bytes: int
    header: SnapshotHeader | None
    """None: it has none that can be read."""

    def serves(self, journal_id: bytes, last_seq: int) -> bool:
        """Whether a start of this REX on this journal, which reaches last_seq, may use it, by its header."""
        header = self.header
        return header is not None and (
            (header.snapshot_format, header.engine_version, header.journal_id, header.seq)
            == (SNAPSHOT_FORMAT, ENGINE_VERSION, journal_id, self.seq)
            and self.seq <= last_seq
        )


class SnapshotStore(Protocol):
    """Keeps snapshots by their seq. Each method raises SnapshotFailed if the device or the server fails."""

    def name(self, seq: int) -> str:
        """A snapshot's name in sentences, with its article."""

    async def kept(self) -> list[KeptSnapshot]:
        """What is kept, newest first. A snapshot whose writing was interrupted is not among it."""

    async def read(self, seq: int) -> bytes | None:
        """The bytes of a snapshot as they are on the device, whatever they are; None: it is not kept (any more)."""

    async def write(self, snapshot: Snapshot) -> None:
        """Keeps a snapshot, in place of one of the same seq. It is durable and whole when this returns; if it fails or is
        interrupted, nothing has changed."""

    async def remove(self, seq: int) -> None:
        """Removes a snapshot, if it is kept."""
