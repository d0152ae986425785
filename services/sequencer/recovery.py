"""Coming back after a stop: the journal's commands through a fresh engine, each batch's events checked against the journal."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter

from services.journal import Journal
from services.journal.batch import JournalBatch
from services.journal.replay import StateMachine, re_execute


@dataclass(frozen=True)
class Recovery:
    """What a recovery did."""

    last_seq: int
    commands: int
    seconds: float


async def recover(
    engine: StateMachine,
    journal: Journal,
    on_progress: Callable[[int], None] | None = None,
    on_batch: Callable[[JournalBatch], None] | None = None,
) -> Recovery:
    """Brings the engine to the journal's end, batch by batch; then each batch is given to on_batch, its last_seq to
    on_progress.

    An engine that stands further already (a sealed state: `engine_versions.upgrades`) re-executes what comes after it; the
    batches before are read all the same, each checked as a link of the chain.

    Raises JournalCorrupt or JournalRefused naming the first sequence number whose batch cannot be read or whose re-executed
    events are not, byte for byte, the journaled ones: a venue that would answer differently today must not open.
    """
    first = engine.last_seq
    started = perf_counter()
    async for batch in journal.read(0):
        if batch.first_seq > first:
            re_execute(engine, batch)
        if on_batch is not None:
            on_batch(batch)
        if on_progress is not None:
            on_progress(batch.last_seq)
    return Recovery(engine.last_seq, engine.last_seq - first, perf_counter() - started)
