"""Every kept snapshot loaded, checked and followed: to the next one, and to the journal's end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from matching_engine import Engine
from services.journal import Journal
from services.journal.errors import JournalDiffers
from services.snapshots.errors import SnapshotFailed, SnapshotRefused
from services.snapshots.following import follow
from services.snapshots.loading import checked, reason_of
from services.snapshots.record import Snapshot
from services.snapshots.store import KeptSnapshot, SnapshotStore


@dataclass(frozen=True)
class VerifiedSnapshot:
    """One snapshot, and what was found."""

    kept: KeptSnapshot
    name: str
    followed_to: int | None
    """The seq up to which the journal makes its events after this snapshot; None where it could not be loaded."""
    error: str | None
    """Why it is not good, a sentence; None: it is good."""

    def to_json(self) -> dict[str, Any]:
        """JSON values."""
        header = self.kept.header
        return {
            "seq": self.kept.seq,
            "bytes": self.kept.size_bytes,
            "taken_ns": None if header is None else header.taken_ns,
            "row_hash": None if header is None else header.row_hash.hex(),
            "state_hash": None if header is None else header.state_hash.hex(),
            "followed_to": self.followed_to,
            "good": self.error is None,
            "error": self.error,
        }


@dataclass(frozen=True)
class SnapshotVerification:
    """All snapshots, oldest first, and where the journal ends."""

    snapshots: tuple[VerifiedSnapshot, ...]
    last_seq: int
    state_hash: str | None
    """Of the state at the journal's end, which the newest good snapshot was followed to; None without a good one."""

    @property
    def good(self) -> bool:
        """Whether every kept snapshot is good."""
        return all(one.error is None for one in self.snapshots)

    def to_json(self) -> dict[str, Any]:
        """JSON values."""
        return {
            "good": self.good,
            "last_seq": self.last_seq,
            "state_hash": self.state_hash,
            "snapshots": [one.to_json() for one in self.snapshots],
        }


async def verify(
    journal: Journal, store: SnapshotStore, on_progress: Callable[[int], None] | None = None
) -> SnapshotVerification:
    """Loads each snapshot from the oldest on, follows the journal from it to the next good one, and compares the state that
    was reached with the state that is kept there; the newest one is followed to the journal's end.

    Raises SnapshotFailed if the store cannot be read, and the journal's errors, JournalLost and JournalCorrupt among them
    where a snapshot contradicts the journal.
    """
    last = await journal.last_batch()
    last_seq = 0 if last is None else last.last_seq
    walk = _Walk(journal, store, on_progress)
    for kept in reversed(await store.kept()):
        await walk.take(kept)
    await walk.follow_to(last_seq)
    return SnapshotVerification(tuple(walk.found), last_seq, None if walk.engine is None else walk.engine.state_hash())


class _Walk:
    """The way along the journal, with the engine of the last good snapshot."""

    def __init__(self, journal: Journal, store: SnapshotStore, on_progress: Callable[[int], None] | None) -> None:
        self._journal = journal
        self._store = store
        self._on_progress = on_progress
        self.engine: Engine | None = None
        self._from: Snapshot | None = None
        self._place = 0
        self.found: list[VerifiedSnapshot] = []

    async def take(self, kept: KeptSnapshot) -> None:
        """The next snapshot: checked and loaded, then reached from the one before it."""
        try:
            snapshot = await checked(self._journal, self._store, kept.seq)
            engine = snapshot.engine()
        except (SnapshotRefused, SnapshotFailed) as refusal:
            self._add(kept, None, reason_of(self._store, kept.seq, refusal))
            return
        await self.follow_to(kept.seq)
        reached = None if self.engine is None else self.engine.state_hash()
        error = None
        if reached is not None and reached != snapshot.header.state_hash.hex():
            before = self.found[self._place].name
            error = f"{self._store.name(kept.seq)} holds another state than the one that is reached from {before}"
        self._add(kept, kept.seq, error)
        self.engine, self._from, self._place = engine, snapshot, len(self.found) - 1

    async def follow_to(self, seq: int) -> None:
        """Follows the journal from the last good snapshot to this seq. If it cannot, that one is not good."""
        if self.engine is None or self._from is None:
            return
        one = self.found[self._place]
        try:
            await follow(self.engine, self._journal, self._from.header.end, to_seq=seq, on_progress=self._on_progress)
        except JournalDiffers as differs:
            reason = one.error or reason_of(self._store, one.kept.seq, differs)
            self.found[self._place] = VerifiedSnapshot(one.kept, one.name, self.engine.last_seq, reason)
            self.engine = self._from = None
            return
        self.found[self._place] = VerifiedSnapshot(one.kept, one.name, max(seq, one.kept.seq), one.error)

    def _add(self, kept: KeptSnapshot, followed_to: int | None, error: str | None) -> None:
        self.found.append(VerifiedSnapshot(kept, self._store.name(kept.seq), followed_to, error))
