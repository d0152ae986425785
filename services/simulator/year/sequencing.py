"""The sequencer of a simulated year: stamps commands with simulated times, numbers and runs them, and makes journal batches.

It asks the schedule of the venue (`services.sequencer.schedule`) and the deadlines of the engine as `Sequencer` does, at
simulated instead of real times: TIME and the schedule's commands run before the commands that come after them, and are the
first of their batch. Unlike in a running venue, a batch holds commands of several times, because nobody waits for its end.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import numpy as np

from matching_engine.records import Command, CommandKind
from services.journal.batch import NO_HASH, JournalBatch
from services.journal.replay import StateMachine
from services.messaging import Submission
from services.sequencer.schedule import Schedule
from services.sequencer.sequencer import assemble

BATCH_COMMANDS = 4_096
"""A batch with this many commands takes no more."""

EPOCH = 1
"""Of every batch: the journal is written once."""

Sink = Callable[[JournalBatch], Awaitable[None]]
"""Takes each batch, in order."""


class SimulatedSequencer:
    """Runs commands on `engine`, which is new, and passes the batches of journal `journal_id` to `sink`.

    `longest_ns`: no auction that a command begins ends sooner than this after it. So many nanoseconds of commands may run
    before the engine's deadlines are read again.
    """

    def __init__(
        self, engine: StateMachine, schedule: Schedule, journal_id: bytes, sink: Sink, *, longest_ns: int
    ) -> None:
        self._engine = engine
        self._schedule = schedule
        self._journal_id = journal_id
        self._sink = sink
        self._longest_ns = longest_ns
        self._next_timer_ns = 0
        self._hash = NO_HASH
        self._commands: list[bytes] = []
        self._events: list[bytes] = []
        self._attachments: tuple[bytes, ...] = ()
        self._first_seq = engine.last_seq + 1

    async def submit(self, submission: Submission, time_ns: int) -> None:
        """Runs one submission with its attachments at one time. It is a batch of its own."""
        await self.pass_to(time_ns)
        await self.flush()
        commands, self._attachments = assemble((), (submission,), self._engine.last_seq + 1, time_ns)
        self._apply(commands)
        await self.flush()

    async def run(self, commands: Any) -> list[bytes]:
        """Runs a COMMAND array whose times ascend, and the timers between them. Returns the commands' packed EVENT records, in
        pieces. Sets `seq` in the array."""
        events: list[bytes] = []
        done = 0
        times = commands["time_ns"]
        while done < len(commands):
            now_ns = int(times[done])
            await self.pass_to(now_ns)
            until_ns = min(self._next_ns(), now_ns + self._longest_ns)
            end = done + int(np.searchsorted(times[done:], until_ns))
            events.append(self._apply(commands[done:end]))
            done = end
            if self._engine.last_seq - self._first_seq >= BATCH_COMMANDS:
                await self.flush()
        return events

    async def pass_to(self, time_ns: int) -> None:
        """Runs the timers up to this time, each at its own."""
        while self._next_timer_ns and self._next_ns() <= time_ns:
            await self._timers(self._next_ns())
        if not self._next_timer_ns:
            await self._timers(time_ns)

    async def be_down_until(self, time_ns: int) -> None:
        """Nothing runs until this time; then the timers that are due run at once, as after a restart of the venue."""
        await self._timers(time_ns)

    async def flush(self) -> None:
        """Passes the commands that wait to the sink, as one batch."""
        if not self._commands:
            return
        batch = JournalBatch(
            journal_id=self._journal_id,
            epoch=EPOCH,
            first_seq=self._first_seq,
            last_seq=self._engine.last_seq,
            inbox_position=0,
            previous_hash=self._hash,
            commands=b"".join(self._commands),
            events=b"".join(self._events),
            attachments=self._attachments,
        )
        self._hash, self._first_seq, self._attachments = batch.hash, batch.last_seq + 1, ()
        self._commands.clear()
        self._events.clear()
        await self._sink(batch)

    def _next_ns(self) -> int:
        """The next time at which a timer is due."""
        deadline_ns = self._engine.next_deadline_ns
        return min(self._next_timer_ns, deadline_ns) if deadline_ns else self._next_timer_ns

    async def _timers(self, time_ns: int) -> None:
        due = [Command(kind=CommandKind.TIME)] if 0 < self._engine.next_deadline_ns <= time_ns else []
        if time_ns >= self._next_timer_ns:
            due += self._schedule.due(self._engine.trading_date, self._engine.venue_phase, time_ns)
            self._next_timer_ns = self._schedule.next_ns(time_ns)
        await self._run_due(due, time_ns)

    async def _run_due(self, due: Sequence[Command], time_ns: int) -> None:
        if due:
            await self.flush()
            self._apply(assemble(due, (), self._engine.last_seq + 1, time_ns)[0])

    def _apply(self, commands: Any) -> bytes:
        first = self._engine.last_seq + 1
        commands["seq"] = np.arange(first, first + len(commands), dtype=np.uint64)
        events: bytes = self._engine.process(commands).tobytes()
        self._commands.append(commands.tobytes())
        self._events.append(events)
        return events
