"""Verification for an auditor: walks the whole chain and reports up to which batch it is good.

The chain itself shows every changed and every missing batch within it. Batches missing after its end show only in comparison
with a hash known from elsewhere (witness.py): each report prints the last sequence number and hash it was made from.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from services.journal import Journal
from services.journal.batch import JournalBatch
from services.journal.chain import EMPTY, ChainEnd
from services.journal.errors import JournalError
from services.journal.replay import StateMachine, re_execute
from services.journal.witness import Witness


@dataclass(frozen=True)
class Verification:
    """How far a journal is good. `error` is None if all of it is."""

    journal_id: bytes
    batches: int
    commands: int
    last_seq: int
    last_hash: bytes
    state_hash: str | None
    """The hash of the state after last_seq, if the commands were re-executed."""
    error_seq: int | None
    """The sequence number of the first error."""
    error: str | None
    """The first error, as a sentence."""
    operator_sentence: str | None
    """The first error as a sentence for the operator: with the file, and what to do."""
    confirmed: tuple[Witness, ...]
    """The witnesses that the journal agrees with."""

    @property
    def good(self) -> bool:
        """Whether there was no error."""
        return self.error is None


async def verify(
    journal: Journal,
    *,
    after: ChainEnd = EMPTY,
    engine: StateMachine | None = None,
    witnesses: Iterable[Witness] = (),
    on_progress: Callable[[int], None] | None = None,
    on_batch: Callable[[JournalBatch], None] | None = None,
) -> Verification:
    """Reads every batch after the end `after` of one of them and checks hash, CRC and chain. If an `engine` is given (a
    new one, a snapshot's), it re-executes each command after the engine's last one.

    The journal must agree with each witness, which is of a batch after `after`. `on_batch` is called with each good batch,
    `on_progress` with its last sequence number. Stops at the first bad batch. The result has the first error; a witness's error
    does not stop the walk and comes first.
    """
    batches = 0
    last_seq, last_hash = after
    errors: list[JournalError] = []
    waiting = sorted(witnesses)
    confirmed: list[Witness] = []
    try:
        async for batch in journal.read(after.last_seq):
            if engine is not None and batch.first_seq > engine.last_seq:
                re_execute(engine, batch)
            errors += _confirm(waiting, batch, confirmed)
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
        error_seq=None if error is None else error.seq or last_seq + 1,
        error=None if error is None else str(error),
        operator_sentence=None if error is None else error.operator_sentence,
        confirmed=tuple(confirmed),
    )


def _confirm(waiting: list[Witness], batch: JournalBatch, confirmed: list[Witness]) -> Iterator[JournalError]:
    """Compares the witnesses of this batch with it: removes them from `waiting`, adds those that agree to `confirmed`, and
    yields the errors of the others."""
    while waiting and waiting[0].seq <= batch.last_seq:
        witness = waiting.pop(0)
        try:
            witness.check_batch(batch)
        except JournalError as contradiction:
            yield contradiction
        else:
            confirmed.append(witness)
