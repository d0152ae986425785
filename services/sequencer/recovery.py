"""Recovery at a start: re-executes the journal's commands in a new engine and compares each batch's events with the journal."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter

from services.journal import Journal
from services.journal.batch import NO_HASH, JournalBatch
from services.journal.replay import StateMachine, re_execute


@dataclass(frozen=True)
class Recovery:
    """The result of a recovery."""

    last_seq: int
    last_hash: bytes
    """Of the last batch."""
    commands: int
    seconds: float


async def recover(
    engine: StateMachine,
    journal: Journal,
    on_progress: Callable[[int], None] | None = None,
    on_batch: Callable[[JournalBatch], None] | None = None,
) -> Recovery:
    """Brings the engine to the end of the journal, batch by batch. After each batch, calls on_batch with it and on_progress
    with its last_seq.

    If the engine starts from a sealed state (`engine_versions.upgrades`), only the batches after it are re-executed; those
    before it are read too, and their chain is checked.

    Raises JournalCorrupt or JournalRefused with the first sequence number whose batch cannot be read, or whose re-executed
    events differ from the journaled ones in any byte: a venue that would answer differently today must not open.
    """
    first, last_hash = engine.last_seq, NO_HASH
    started = perf_counter()
    async for batch in journal.read(0):
        if batch.first_seq > first:
            re_execute(engine, batch)
        last_hash = batch.hash
        if on_batch is not None:
            on_batch(batch)
        if on_progress is not None:
            on_progress(batch.last_seq)
    return Recovery(engine.last_seq, last_hash, engine.last_seq - first, perf_counter() - started)
