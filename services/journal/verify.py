"""What an auditor runs: walks the whole chain and says how far it is good.

A chain shows every change and every hole in it. That batches are missing *after* its end shows only against a hash known from
elsewhere (witness.py): each report prints the last sequence number and hash it was made from.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from services.journal import Journal
from services.journal.batch import NO_HASH, JournalBatch
from services.journal.errors import JournalError
from services.journal.replay import StateMachine, re_execute
from services.journal.witness import Witness


@dataclass(frozen=True)
class Verification:
    """How far a journal is good. `error` is None where that is all of it."""

    journal_id: bytes
    batches: int
    commands: int
    last_seq: int
    last_hash: bytes
    state_hash: str | None
    """The state after last_seq, where the commands were re-executed."""
    re_executed_after: int | None
    """The commands after this one were re-executed; 0: all of them, None: none."""
    made_by: tuple[tuple[int, int], ...]
    """Engine versions, each with the first sequence number of its batches."""
    error_seq: int | None
    """The sequence number the first error is at."""
    error: str | None
    """The first error, as a sentence."""
    told: str | None
    """The first error as an operator is told of it: with the file, and what to do."""
    confirmed: tuple[Witness, ...]
    """The witnesses whose batch was found as they remember it."""

    @property
    def good(self) -> bool:
        """Whether everything read back as it was written."""
        return self.error is None


async def verify(
    journal: Journal,
    *,
    engine: StateMachine | None = None,
    witnesses: Iterable[Witness] = (),
    on_progress: Callable[[int], None] | None = None,
    on_batch: Callable[[JournalBatch], None] | None = None,
) -> Verification:
    """Reads every batch and checks hash, CRC and chain; where there is an `engine` (`upgrades.starting_engine`), it re-executes
    each command after its last one.

    The journal must hold what each witness remembers. `on_batch` is given each good batch, `on_progress` its last sequence
    number. Stops at the first batch that is not good; returns the first error, a witness's before it where there is one.
    """
    batches = last_seq = 0
    last_hash = NO_HASH
    made_by: list[tuple[int, int]] = []
    errors: list[JournalError] = []
    waiting = sorted(witnesses)
    confirmed: list[Witness] = []
    re_executed_after = None if engine is None else engine.last_seq
    try:
        async for batch in journal.read(0):
            if engine is not None and batch.first_seq > engine.last_seq:
                re_execute(engine, batch)
            errors += _confirm(waiting, batch, confirmed)
            if not made_by or made_by[-1][0] != batch.engine_version:
                made_by.append((batch.engine_version, batch.first_seq))
            batches += 1
            last_seq, last_hash = batch.last_seq, batch.hash
            if on_batch is not None:
                on_batch(batch)
            if on_progress is not None:
                on_progress(last_seq)
        if waiting:
            raise waiting[-1].beyond(last_seq, last_hash)
    except JournalError as found:
        errors.append(found)
    error = errors[0] if errors else None
    return Verification(
        journal_id=journal.journal_id,
        batches=batches,
        commands=last_seq,
        last_seq=last_seq,
        last_hash=last_hash,
        state_hash=engine.state_hash() if engine is not None and error is None else None,
        re_executed_after=re_executed_after,
        made_by=tuple(made_by),
        error_seq=None if error is None else error.seq or last_seq + 1,
        error=None if error is None else str(error),
        told=None if error is None else error.told,
        confirmed=tuple(confirmed),
    )


def _confirm(waiting: list[Witness], batch: JournalBatch, confirmed: list[Witness]) -> Iterator[JournalError]:
    """Moves the witnesses that remember this batch from the ones to the others; what contradicts it is no damage of the
    batch."""
    while waiting and waiting[0].seq <= batch.last_seq:
        witness = waiting.pop(0)
        try:
            witness.check_batch(batch)
        except JournalError as contradiction:
            yield contradiction
        else:
            confirmed.append(witness)
