"""An engine brought to the end of its journal."""

from __future__ import annotations

from collections.abc import Callable

from services.journal import Journal
from services.journal.batch import JournalBatch
from services.journal.chain import EMPTY, ChainEnd
from services.journal.errors import JournalCorrupt
from services.journal.replay import StateMachine, re_execute


async def follow(
    engine: StateMachine,
    journal: Journal,
    after: ChainEnd = EMPTY,
    *,
    to_seq: int | None = None,
    on_progress: Callable[[int], None] | None = None,
    on_batch: Callable[[JournalBatch], None] | None = None,
) -> ChainEnd:
    """Reads the journal from the end `after` of one of its rows on, up to its end or up to the row that holds to_seq, and
    executes the batches that the engine has not executed. Returns the end that it reached.

    After each batch, calls on_batch with it and on_progress with its last_seq. Raises the journal's errors, and JournalCorrupt
    with the first sequence number whose re-executed events differ from the journaled ones in any byte.
    """
    first, end = engine.last_seq, after
    if to_seq is not None and to_seq <= after.last_seq:
        return after
    async for batch in journal.read(after.last_seq):
        if batch.previous_hash != end.hash:
            raise JournalCorrupt(
                f"seq {batch.first_seq} does not continue the row up to seq {end.last_seq}", batch.first_seq
            )
        if batch.first_seq > first:
            re_execute(engine, batch)
        end = ChainEnd.after(batch)
        if on_batch is not None:
            on_batch(batch)
        if on_progress is not None:
            on_progress(batch.last_seq)
        if to_seq is not None and end.last_seq >= to_seq:
            break
    return end
