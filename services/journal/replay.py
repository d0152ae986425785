"""Re-execution: runs the commands of a batch through an engine and compares its events with the journaled ones."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np

from matching_engine.faults import EngineFault
from matching_engine.records import COMMAND, EVENT
from services.journal.batch import JournalBatch
from services.journal.errors import JournalCorrupt, JournalDiffers


class StateMachine(Protocol):
    """The part of an engine that the services use. Implemented by `matching_engine.Engine` and by the tests' naive engine."""

    @property
    def last_seq(self) -> int:
        """The last command's sequence number; 0 before the first command."""

    @property
    def trading_date(self) -> int:
        """The trading day as yyyymmdd; 0 before the first DAY_ROLL."""

    @property
    def venue_phase(self) -> int:
        """The phase last set for all instruments."""

    @property
    def next_deadline_ns(self) -> int:
        """The earliest time at which a TIME command would have an effect, nanoseconds since 1970; 0: none."""

    def process(self, commands: Any) -> Any:
        """Runs a COMMAND array and returns its events as an EVENT array. Raises EngineFault."""

    def make_room(self) -> None:
        """Grows tables ahead of need, between batches. It changes no result and raises nothing."""

    def state_hash(self) -> str:
        """The hash of the whole state, in hex."""


def re_execute(engine: StateMachine, batch: JournalBatch) -> None:
    """Runs the batch's commands and compares the events byte for byte.

    Raises JournalDiffers with the first sequence number whose events differ, or at which the engine raises EngineFault;
    JournalCorrupt for commands that are misnumbered or do not continue the engine's.
    """
    commands = np.frombuffer(batch.commands, COMMAND)
    numbers = np.arange(batch.first_seq, batch.last_seq + 1, dtype=np.uint64)
    if not np.array_equal(commands["seq"], numbers):
        raise JournalCorrupt(f"the commands of the row from seq {batch.first_seq} are misnumbered", batch.first_seq)
    if engine.last_seq + 1 != batch.first_seq:
        raise JournalCorrupt(
            f"seq {batch.first_seq} cannot be re-executed after seq {engine.last_seq}", batch.first_seq
        )
    try:
        events = engine.process(commands).tobytes()
    except EngineFault as fault:
        raise JournalDiffers(f"re-executed, seq {fault.seq} stops the engine: {fault}", fault.seq) from fault
    if events != batch.events:
        seq = _first_difference(events, batch)
        raise JournalDiffers(f"re-executed, seq {seq} makes other events than the journal holds for it", seq)


def _first_difference(events: bytes, batch: JournalBatch) -> int:
    size = EVENT.itemsize
    for start in range(0, max(len(events), len(batch.events)), size):
        ours, theirs = events[start : start + size], batch.events[start : start + size]
        if ours != theirs:
            numbers = [int.from_bytes(event[:8], "little") for event in (ours, theirs) if event]
            return min(numbers)
    return batch.first_seq
