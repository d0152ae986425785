"""The one writer: takes what waits, numbers it, runs the engine, puts the batch on the device, then lets others see it.

Group commit clocks itself: while a batch is on its way to the device, the commands that wait are numbered and run as the next
batch; what comes before the device is free for it still joins it, within the turns of its account. So the engine is at most
one batch ahead of the device. All commands of a batch bear one time, and timers that are due stand before them, so no result
depends on where a batch ends. What comes behind a timer's instant, or much later than the batch's time, is left to the next
batch.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from matching_engine.faults import EngineFault
from matching_engine.records import COMMAND, Command, CommandKind, pack_commands
from services.journal import Journal, JournalError
from services.journal.batch import NO_HASH, JournalBatch
from services.journal.replay import StateMachine
from services.messaging import Feed, Inbox, Submission
from services.sequencer.clock import ClockRefused
from services.sequencer.schedule import Schedule

MAX_BATCH_COMMANDS = 1_024
MAX_BATCH_BYTES = 512 * 1_024
"""Of commands and attachments. A submission larger than either bound still stands in one batch, alone."""

TURN_S = 0.002
"""A batch takes one turn of each account, and one more for each such time the device needs for a batch: a member who is alone
gets on with a slow device, too, and whoever comes waits for the device rather than for the turns of others."""

LATE_NS = 20_000_000
"""How long after its time a batch still takes commands in."""

MEASURED_BATCHES = 32
"""How many batches tell how fast the device is."""

MAX_WAIT_S = 60.0
"""How long at most without looking at the clock: it may be set, or stand still, while nothing arrives."""


class SequencerStopped(Exception):
    """The writer stopped. Nothing from `first_seq` on was published; everything before it is durable and visible.

    `seq` is the command that caused it, as far as the cause says.
    """

    def __init__(self, first_seq: int, cause: EngineFault | JournalError | ClockRefused) -> None:
        super().__init__(f"the sequencer stopped, nothing from seq {first_seq} on was published: {cause}")
        self.first_seq = first_seq
        self.cause = cause
        self.seq = cause.seq or first_seq


class Sequencer:
    """Numbers commands, stamps their time, calls the engine. There is one, and one `run` of it.

    `engine` stands where the journal ends (`recover` brings it there). `clock` gives nanoseconds since 1970 and may go
    back; stamped times don't. It raises ClockRefused where it cannot be right.
    """

    def __init__(
        self,
        engine: StateMachine,
        journal: Journal,
        inbox: Inbox,
        feed: Feed,
        *,
        clock: Callable[[], int],
        schedule: Schedule,
    ) -> None:
        self._engine = engine
        self._journal = journal
        self._inbox = inbox
        self._feed = feed
        self._clock = clock
        self._schedule = schedule
        self._look_at_ns = 0
        self.time_ns = 0
        """What the last command was stamped."""
        self._hash = NO_HASH
        self._stopping = False
        self._wait: asyncio.Timeout | None = None
        self._commit: asyncio.Task[None] | None = None  # of the last batch handed to the device
        self._device_free = asyncio.Event()
        self._device_free.set()
        self._device_s = deque([0.0], maxlen=MEASURED_BATCHES)
        """What the last batches took. The shortest tells of the device; in longer ones the event loop was busy, too."""
        self._ended = asyncio.Event()
        self._ended.set()
        self.last_seq = engine.last_seq
        """The last command that is on the device and was published."""

    async def run(self) -> None:
        """Works until canceled or stopped. Raises SequencerStopped, naming the sequence number, for a fault, a failing
        journal or a clock that jumped; nothing of that batch was published."""
        self._ended.clear()
        try:
            await self._continue_chain()
            self._engine.make_room()
            while True:
                draining = self._stopping
                submissions = await self._take()
                self._raise_what_failed()
                if draining and not submissions:
                    return await self._committed()
                await self._run_batch(submissions)
        except ClockRefused as refusal:
            await self._committed()
            raise SequencerStopped(self._engine.last_seq + 1, refusal) from refusal
        finally:
            if self._commit is not None:
                self._commit.cancel()
            self._ended.set()

    async def stop(self) -> None:
        """Takes in what still waits in the inbox, then ends `run`; returns when it has ended, at once where there is none."""
        self._stopping = True
        self._look_up()
        await self._ended.wait()

    def _look_up(self) -> None:
        """Ends a wait for the inbox: there is something else to see to."""
        if self._wait is not None and not self._wait.expired():
            self._wait.reschedule(asyncio.get_running_loop().time())

    async def _continue_chain(self) -> None:
        last = await self._journal.last_batch()
        if last is not None:
            self._hash = last.hash
            self.time_ns = last.time_ns
        journaled = 0 if last is None else last.last_seq
        if journaled != self.last_seq:
            reason = f"the engine stands at seq {self.last_seq}, the journal at {journaled}: recover first"
            raise SequencerStopped(self.last_seq + 1, JournalError(reason))

    async def _take(self) -> list[Submission]:
        """What waits in the inbox; nothing where a timer is due, or all is done and `stop` was called."""
        try:
            async with asyncio.timeout(self._wait_s()) as self._wait:
                return await self._inbox.take(MAX_BATCH_COMMANDS, MAX_BATCH_BYTES)
        except TimeoutError:
            return []
        finally:
            self._wait = None

    def _wait_s(self) -> float:
        if self._stopping:
            return 0.0
        look_at_ns, deadline_ns = self._look_at_ns, self._engine.next_deadline_ns
        if deadline_ns:
            look_at_ns = min(look_at_ns, deadline_ns)
        return min(max(look_at_ns - self._clock(), 0) / 1e9, MAX_WAIT_S)

    async def _run_batch(self, submissions: list[Submission]) -> None:
        """One batch: numbered, run, and handed on when the batch before it is on the device. No commands, no batch."""
        time_ns = max(self._clock(), self.time_ns)
        due = self._due(time_ns)
        if not due and not submissions:
            return
        batch = await self._extended(self._empty_batch(), due, submissions, time_ns)
        if not self._device_free.is_set():
            batch.encode()  # Done while the device is busy; in vain where late ones come.
            await self._device_free.wait()
        self._raise_what_failed()
        may_join = not self._inbox.depth or self._is_now(time_ns)
        for _ in range(self._turns() if may_join else 0):
            late = self._inbox.take_late(
                MAX_BATCH_COMMANDS - batch.command_count, MAX_BATCH_BYTES - batch.payload_bytes
            )
            if late:
                batch = await self._extended(batch, (), late, time_ns)
        self._hash, self.time_ns = batch.hash, time_ns
        # The device has its next batch before the readers of the last one take their turns.
        self._device_free.clear()
        try:
            appended = self._journal.append(batch)
        except JournalError as error:
            raise SequencerStopped(batch.first_seq, error) from error
        self._commit = asyncio.create_task(self._put_down(batch, appended, self._commit))
        self._commit.add_done_callback(self._wake_if_failed)
        self._engine.make_room()  # While the device is at work, and no member waits for this batch's events.

    def _is_now(self, time_ns: int) -> bool:
        """Whether what comes at this instant may still bear a batch's time: soon after it, and with no timer between the
        two."""
        try:
            now_ns = self._clock()
        except ClockRefused:
            return False  # Said when the next batch is stamped; this one, stamped before, is still put down.
        timers_ns = self._look_at_ns, self._engine.next_deadline_ns or now_ns + 1
        return now_ns < min(timers_ns) and now_ns - time_ns <= LATE_NS

    def _empty_batch(self) -> JournalBatch:
        """The batch behind all that was run, with no commands yet."""
        return JournalBatch(
            journal_id=self._journal.journal_id,
            epoch=self._journal.epoch,
            first_seq=self._engine.last_seq + 1,
            last_seq=self._engine.last_seq,
            inbox_position=0,  # An inbox in memory has no position to come back to.
            previous_hash=self._hash,
            commands=b"",
            events=b"",
        )

    async def _extended(
        self, batch: JournalBatch, due: Sequence[Command], submissions: Sequence[Submission], time_ns: int
    ) -> JournalBatch:
        """The batch with these commands behind its own, and what the engine made of them."""
        commands, attachments = assemble(due, submissions, batch.last_seq + 1, time_ns, len(batch.attachments))
        try:
            events = self._engine.process(commands)
        except EngineFault as fault:
            await self._committed()
            raise SequencerStopped(batch.first_seq, fault) from fault
        return replace(
            batch,
            last_seq=batch.last_seq + len(commands),
            commands=batch.commands + commands.tobytes(),
            events=batch.events + events.tobytes(),
            attachments=batch.attachments + attachments,
        )

    def _turns(self) -> int:
        """How many turns of each account the next batch may hold."""
        return 1 + int(min(self._device_s) / TURN_S)

    async def _put_down(
        self, batch: JournalBatch, appended: Awaitable[None], before: asyncio.Task[None] | None
    ) -> None:
        """The batch on the device, then, after the batch before it, for others to see."""
        began = time.perf_counter()
        try:
            await appended
            self._device_s.append(time.perf_counter() - began)
        except JournalError as error:
            raise SequencerStopped(batch.first_seq, error) from error
        finally:
            self._device_free.set()
        if before is not None:
            await before
        self.last_seq = batch.last_seq
        await self._feed.publish(batch)

    async def _committed(self) -> None:
        """Waits until all that was run is on the device and published, and raises what went wrong."""
        if self._commit is not None:
            await self._commit

    def _raise_what_failed(self) -> None:
        if self._commit is not None and self._commit.done():
            self._commit.result()

    def _wake_if_failed(self, commit: asyncio.Task[None]) -> None:
        if not commit.cancelled() and commit.exception() is not None:
            self._look_up()

    def _due(self, time_ns: int) -> list[Command]:
        """The timers at this instant: TIME where a deadline of the engine is reached (an order's expiry, the end of a
        volatility auction), then the schedule's commands; it is asked again only from the instant it names."""
        due = [Command(kind=CommandKind.TIME)] if 0 < self._engine.next_deadline_ns <= time_ns else []
        if time_ns >= self._look_at_ns:
            due += self._schedule.due(self._engine.trading_date, self._engine.venue_phase, time_ns)
            self._look_at_ns = self._schedule.next_ns(time_ns)
        return due


def assemble(
    due: Sequence[Command], submissions: Sequence[Submission], first_seq: int, time_ns: int, attachments_before: int = 0
) -> tuple[Any, tuple[bytes, ...]]:
    """One writable COMMAND array of a batch, numbered and stamped, and the batch's attachments.

    The commands due stand first. A command's `attachment` counts within its submission and is made to count within the batch.
    """
    parts = [pack_commands(due)] if due else []
    parts += [submission.commands for submission in submissions]
    commands = np.frombuffer(bytearray().join(parts), COMMAND)
    commands["seq"] = np.arange(first_seq, first_seq + len(commands), dtype=np.uint64)
    commands["time_ns"] = time_ns
    attachments: list[bytes] = []
    start = len(due)
    if not any(submission.attachments for submission in submissions):
        return commands, ()
    for submission in submissions:
        end = start + len(submission.commands) // COMMAND.itemsize
        if submission.attachments:
            numbers = commands["attachment"][start:end]
            numbers[numbers != 0] += attachments_before + len(attachments)
        attachments += submission.attachments
        start = end
    return commands, tuple(attachments)
