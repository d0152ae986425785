"""Coming back after a stop: the journal's commands through a fresh engine, each row's events checked against the journal."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter

from services.journal import Journal
from services.journal.replay import StateMachine, re_execute
from services.journal.row import Row


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
    on_row: Callable[[Row], None] | None = None,
) -> Recovery:
    """Brings the engine to the journal's end, row by row; then each row is given to on_row, its last_seq to on_progress.

    An engine that stands further already (a sealed state: `engine_versions.upgrades`) re-executes what comes after it; the
    rows before are read all the same, each checked as a link of the chain.

    Raises JournalCorrupt or JournalRefused naming the first sequence number whose row cannot be read or whose re-executed
    events are not, byte for byte, the journaled ones: a venue that would answer differently today must not open.
    """
    first = engine.last_seq
    started = perf_counter()
    async for row in journal.read(0):
        if row.first_seq > first:
            re_execute(engine, row)
        if on_row is not None:
            on_row(row)
        if on_progress is not None:
            on_progress(row.last_seq)
    return Recovery(engine.last_seq, engine.last_seq - first, perf_counter() - started)
