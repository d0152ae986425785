"""Takes the next snapshot outside the writer: loads the last good one, follows the journal, writes, reads back.

So each snapshot but the newest has been loaded and followed by re-execution before an older one is removed.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from matching_engine import Engine
from services.journal import Journal
from services.journal.chain import ChainEnd
from services.journal.errors import JournalReplaced
from services.snapshots.errors import SnapshotFailed, SnapshotRefused
from services.snapshots.following import follow
from services.snapshots.loading import Passed, load
from services.snapshots.record import Snapshot, SnapshotHeader
from services.snapshots.store import SnapshotStore


@dataclass(frozen=True)
class Taken:
    """What was done."""

    header: SnapshotHeader | None
    """Of the newest snapshot; None in an empty journal."""
    size_bytes: int
    """Of what was written; 0 where the last snapshot stands at the journal's end already."""
    followed_from: int
    """The seq of the snapshot that was loaded and followed; 0: the whole journal was executed."""
    removed: tuple[int, ...]
    """The seqs of the snapshots that were removed."""
    passed: tuple[str, ...]
    """Why others were passed over, a sentence each."""

    def to_json(self) -> dict[str, Any]:
        """JSON values."""
        header = self.header
        return {
            "seq": 0 if header is None else header.seq,
            "state_hash": None if header is None else header.state_hash.hex(),
            "row_hash": None if header is None else header.row_hash.hex(),
            "taken_ns": None if header is None else header.taken_ns,
            "written": bool(self.size_bytes),
            "bytes": self.size_bytes,
            "followed_from": self.followed_from,
            "removed": list(self.removed),
            "passed_over": list(self.passed),
        }


async def take(
    journal: Journal,
    store: SnapshotStore,
    *,
    before_writing: Callable[[], None] = lambda: None,
    on_progress: Callable[[int], None] | None = None,
    clock: Callable[[], int] = time.time_ns,
) -> Taken:
    """Takes a snapshot at the end that the journal has now. `before_writing` is called when its rows are read.

    Raises the journal's errors; SnapshotFailed if it cannot be written, is not read back as it was written, or is of a row that
    a failover has taken back meanwhile: the snapshots before are then as they were.
    """
    last = await journal.last_batch()
    if last is None:
        return Taken(None, 0, 0, (), ())
    passed: list[Passed] = []
    loaded = await load(journal, store, to_seq=last.last_seq, on_progress=on_progress, on_passed=passed.append)
    sentences = tuple(one.reason for one in passed)
    if loaded is not None and loaded.header.end == loaded.end:
        return Taken(loaded.header, 0, loaded.header.seq, (), sentences)
    if loaded is not None:
        engine, end, followed_from = loaded.engine, loaded.end, loaded.header.seq
    else:
        engine, followed_from = Engine(), 0
        end = await follow(engine, journal, to_seq=last.last_seq, on_progress=on_progress)
    before_writing()
    snapshot = await _write(journal, store, engine, end, clock())
    removed = await _remove(store, snapshot, followed_from, {one.seq for one in passed if one.is_useless})
    return Taken(snapshot.header, len(snapshot.data), followed_from, removed, sentences)


async def _write(journal: Journal, store: SnapshotStore, engine: Engine, end: ChainEnd, now_ns: int) -> Snapshot:
    """Returns the snapshot that stands there then: ours, or another taker's with the same state and another time."""
    snapshot = Snapshot.of_engine(engine, journal.journal_id, end, now_ns)
    await store.write(snapshot)
    data = await store.read(end.last_seq)
    found = snapshot if data == snapshot.data else _intact(data)
    if found is None or found.header._replace(taken_ns=now_ns) != snapshot.header:
        raise SnapshotFailed(f"{store.name(end.last_seq)} is not read back as it was written")
    if not await _holds(journal, end):
        # At every start it would say that the journal has lost commands. The row was visible and not confirmed.
        await store.remove(end.last_seq)
        raise SnapshotFailed(f"{store.name(end.last_seq)} was removed again: a failover has taken back its last row")
    return found


def _intact(data: bytes | None) -> Snapshot | None:
    try:
        return None if data is None else Snapshot.decode(data)
    except SnapshotRefused:
        return None


async def _holds(journal: Journal, end: ChainEnd) -> bool:
    """Whether the journal still holds the row at `end`. Raises JournalLost if it lacks acknowledged ones: then the snapshot
    stays as a witness."""
    with contextlib.suppress(JournalReplaced):
        async for batch in journal.read(end.last_seq - 1):
            return ChainEnd.after(batch) == end
    return False


async def _remove(store: SnapshotStore, newest: Snapshot, followed_from: int, useless: set[int]) -> tuple[int, ...]:
    """Removes what is older than the two good ones, the newest and the one that it was made from, and what is useless; nothing
    of another journal."""
    removed = []
    for kept in await store.kept():
        if kept.seq == newest.header.seq or (kept.seq >= followed_from and kept.seq not in useless):
            continue
        if kept.header is None or kept.header.journal_id == newest.header.journal_id:
            await store.remove(kept.seq)
            removed.append(kept.seq)
    return tuple(removed)
