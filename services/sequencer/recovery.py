"""Recovery at a start: re-executes the journal's commands in an engine and compares each batch's events with the journal.

The engine begins at the newest good snapshot (services/snapshots), or executes the whole journal.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter

from matching_engine import Engine
from services.journal import Journal
from services.journal.batch import JournalBatch
from services.journal.replay import StateMachine
from services.snapshots.following import follow
from services.snapshots.loading import load
from services.snapshots.store import SnapshotStore


@dataclass(frozen=True)
class Recovery:
    """The result of a recovery."""

    last_seq: int
    last_hash: bytes
    """Of the last batch."""
    commands: int
    """The number of commands that were re-executed."""
    seconds: float
    snapshot_seq: int = 0
    """The seq of the snapshot that the engine began with; 0: none, the whole journal was read."""


async def recover(
    engine: StateMachine,
    journal: Journal,
    on_progress: Callable[[int], None] | None = None,
    on_batch: Callable[[JournalBatch], None] | None = None,
) -> Recovery:
    """Brings the engine to the end of the journal, batch by batch. After each batch, calls on_batch with it and on_progress
    with its last_seq.

    Raises JournalCorrupt or JournalRefused with the first sequence number whose batch cannot be read, or whose re-executed
    events differ from the journaled ones in any byte: a venue that would answer differently today must not open.
    """
    first, started = engine.last_seq, perf_counter()
    end = await follow(engine, journal, on_progress=on_progress, on_batch=on_batch)
    return Recovery(engine.last_seq, end.hash, engine.last_seq - first, perf_counter() - started)


async def recover_from_snapshot(
    journal: Journal, store: SnapshotStore, on_progress: Callable[[int], None] | None = None
) -> tuple[Engine, Recovery] | None:
    """The engine of the newest good snapshot at the end of the journal. Only the rows after the snapshot are read, re-executed
    and compared, and the row at its end. None if there is no good one: then `recover` a new engine.

    Raises as `recover` does; and JournalLost or JournalCorrupt if the journal ends before a snapshot of its own, or holds
    another row there.
    """
    started = perf_counter()
    loaded = await load(journal, store, on_progress=on_progress)
    if loaded is None:
        return None
    engine, seq = loaded.engine, loaded.header.seq
    return engine, Recovery(engine.last_seq, loaded.end.hash, engine.last_seq - seq, perf_counter() - started, seq)


async def recovered(
    journal: Journal,
    store: SnapshotStore,
    on_progress: Callable[[int], None] | None = None,
    *,
    from_the_start: bool = False,
) -> tuple[Engine, Recovery]:
    """An engine at the journal's end, from the newest good snapshot on; or from the journal's start where there is none, or
    where that is asked for. Raises as `recover_from_snapshot` does."""
    found = None if from_the_start else await recover_from_snapshot(journal, store, on_progress)
    if found is not None:
        return found
    engine = Engine()
    return engine, await recover(engine, journal, on_progress)
