"""The sequencer, the only writer: takes commands from the inbox, numbers them, runs the engine, appends the batch to the
journal and publishes it once it is durable.

Group commit without a timer: commands that arrive during an fsync form the next batch. The sequencer numbers and runs them at
once; later commands join the same batch until the fsync ends, up to the time that a batch may take (BATCH_S). So the engine is
at most one batch ahead of the device. All commands of a batch have one timestamp, and the commands of due timers are its first
commands, so no result depends on where a batch ends. Commands that arrive after the next timer's time, or more than LATE_NS
after the batch's timestamp, go into the next batch.
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
from services.journal import Journal, JournalBusy, JournalError
from services.journal.batch import NO_HASH, JournalBatch
from services.journal.replay import StateMachine
from services.messaging import PublishingFeed, SequencerInbox, Submission
from services.sequencer.clock import ClockRefused
from services.sequencer.schedule import Schedule
from services.sequencer.skips import described

MAX_BATCH_COMMANDS = 1_024
MAX_BATCH_BYTES = 512 * 1_024
"""Bound of commands and attachments together. A submission that alone exceeds one of the two bounds is a batch of its own."""

BATCH_S = 0.001
"""A batch has one turn of each account, and more turns while its commands keep the event loop busy for less than this, or than
the device needs to write a batch, if that is more. A new command waits for the batch that is being written and for its own. So
it waits hardly longer beside a flood, and a flood's batches are large enough for what each batch costs."""

COMMAND_S = 40e-6
"""The least time, in seconds, that a command is expected to keep an event loop busy, from its frame to its reply. In the scaled
mode the gateways need most of it, which this process cannot measure."""

LATE_NS = 20_000_000
"""A batch accepts commands until this many nanoseconds after its timestamp."""

MEASURED_BATCHES = 32
"""The number of recent batches from which the device's speed is estimated."""

MAX_WAIT_S = 60.0
"""The longest time, in seconds, between two readings of the clock: it may be set, or stand still, while no command arrives."""


class SequencerStopped(Exception):
    """The sequencer stopped. Nothing from `first_seq` on was published; everything before it is durable and published.

    `seq` is the command that caused the stop, or `first_seq` if `cause` has no `seq`; `command` says what it was.
    """

    def __init__(self, first_seq: int, cause: EngineFault | JournalError | ClockRefused, command: str = "") -> None:
        found = f"{cause}, {command}" if command else f"{cause}"
        super().__init__(f"the sequencer stopped, nothing from seq {first_seq} on was published: {found}")
        self.first_seq = first_seq
        self.cause = cause
        self.seq = cause.seq or first_seq


class Sequencer:
    """Numbers commands, stamps their time, runs the engine. A venue has one sequencer, and `run` is called once.

    `engine` must be at the end of the journal (`recover` brings it there). `clock` returns nanoseconds since 1970 or raises
    ClockRefused if it jumped. The clock may go back; timestamps never do.
    """

    def __init__(
        self,
        engine: StateMachine,
        journal: Journal,
        inbox: SequencerInbox,
        feed: PublishingFeed,
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
        self._next_timer_ns = 0
        self.time_ns = 0
        """The timestamp of the last command, nanoseconds since 1970."""
        self._hash = NO_HASH
        self._stopping = False
        self._wait: asyncio.Timeout | None = None  # set while `run` waits for the inbox
        self._commit: asyncio.Task[None] | None = None  # commits the last batch that the journal got
        self._device_free = asyncio.Event()
        self._device_free.set()
        self._device_s = deque([0.0], maxlen=MEASURED_BATCHES)
        """Seconds until each of the last batches was durable. The shortest is the device's time; the others include work of the
        event loop."""
        self._command_s = COMMAND_S
        """How long a command keeps the event loop busy, an average of the last batches."""
        self._measured: tuple[int, float] | None = None
        """The engine's last command, and the processor time of this thread, when the last batch was taken."""
        self._ended = asyncio.Event()
        self._ended.set()
        self.last_seq = engine.last_seq
        """The last command whose batch is durable and published."""
        self._moved: asyncio.Event | None = None  # set when last_seq moves; None while nobody waits for that

    async def run(self) -> None:
        """Runs until it is canceled or `stop` is called. Raises SequencerStopped for an engine fault, a failing journal or a
        clock that jumped; nothing from its `first_seq` on was published."""
        self._ended.clear()
        try:
            await self._continue_chain()
            self._engine.make_room()
            while True:
                draining = self._stopping
                submissions = await self._take()
                self._raise_if_failed()
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
        """Lets `run` publish the commands that wait in the inbox, then end. Returns when `run` has ended; returns at once if
        `run` is not running."""
        self._stopping = True
        self._wake()
        await self._ended.wait()

    async def journaled(self, seq: int) -> None:
        """Returns when the command seq, which the engine may have run already, is durable. Never, if `run` ends before."""
        while self.last_seq < seq:
            self._moved = self._moved or asyncio.Event()
            await self._moved.wait()

    def _wake(self) -> None:
        """Wakes the run loop so that it re-checks `stop` and failed commits."""
        if self._wait is not None and not self._wait.expired():
            self._wait.reschedule(asyncio.get_running_loop().time())

    async def _continue_chain(self) -> None:
        last = await self._journal.last_batch()
        if last is not None:
            self._hash = last.hash
            self.time_ns = last.time_ns
        journaled = 0 if last is None else last.last_seq
        if last is not None and last.epoch > self._journal.epoch:
            busy = f"another process has claimed the journal: it is at epoch {last.epoch}, this one at {self._journal.epoch}"
            raise SequencerStopped(self.last_seq + 1, JournalBusy(busy))
        if journaled != self.last_seq:
            reason = f"the engine is at seq {self.last_seq}, the journal at seq {journaled}: recover first"
            raise SequencerStopped(self.last_seq + 1, JournalError(reason))

    async def _take(self) -> list[Submission]:
        """The submissions that wait in the inbox; empty if a timer is due first, or if the inbox is empty and `stop` was
        called."""
        if self._inbox.depth:
            self._measure()
        try:
            async with asyncio.timeout(self._wait_s()) as self._wait:
                return await self._inbox.take(MAX_BATCH_COMMANDS, MAX_BATCH_BYTES, self._enough() // 2)
        except TimeoutError:
            return []
        finally:
            self._wait = None
            self._measured = self._engine.last_seq, time.thread_time()

    def _wait_s(self) -> float:
        if self._stopping:
            return 0.0
        wake_at_ns, deadline_ns = self._next_timer_ns, self._engine.next_deadline_ns
        if deadline_ns:
            wake_at_ns = min(wake_at_ns, deadline_ns)
        return min(max(wake_at_ns - self._clock(), 0) / 1e9, MAX_WAIT_S)

    async def _run_batch(self, submissions: list[Submission]) -> None:
        """Numbers and runs one batch, waits until the previous batch is durable, then starts to write this batch. Does nothing
        if there are no commands."""
        time_ns = max(self._clock(), self.time_ns)
        due = self._due(time_ns)
        if not due and not submissions:
            return
        batch = await self._extended(self._empty_batch(), due, submissions, time_ns)
        if not self._device_free.is_set():
            batch.encode()  # Uses the time while the device is busy; repeated if late commands join.
            await self._device_free.wait()
        self._raise_if_failed()
        if not self._inbox.depth or self._accepts_late(time_ns):
            most, count = MAX_BATCH_COMMANDS - batch.command_count, self._enough() - batch.command_count
            late = self._inbox.take_late(most, MAX_BATCH_BYTES - batch.payload_bytes, count)
            if late:
                batch = await self._extended(batch, (), late, time_ns)
        self._hash, self.time_ns = batch.hash, time_ns
        # Starts this write before the previous batch is published, so that readers do not delay the device.
        self._device_free.clear()
        try:
            appended = self._journal.append(batch)
        except JournalError as error:
            raise SequencerStopped(batch.first_seq, error) from error
        self._commit = asyncio.create_task(self._commit_batch(batch, appended, self._commit))
        self._commit.add_done_callback(self._wake_if_failed)
        if self._inbox.depth:  # Otherwise `_take` waits. A journal on the network sends in the event loop.
            await asyncio.sleep(0)
        self._engine.make_room()  # Grows its tables while the device writes.

    def _accepts_late(self, time_ns: int) -> bool:
        """Whether commands that arrive now may still be stamped time_ns: at most LATE_NS have passed since time_ns, and no
        timer has become due."""
        try:
            now_ns = self._clock()
        except ClockRefused:
            return False  # This batch is already stamped and is committed; the next batch raises the error.
        timers_ns = self._next_timer_ns, self._engine.next_deadline_ns or now_ns + 1
        return now_ns < min(timers_ns) and now_ns - time_ns <= LATE_NS

    def _empty_batch(self) -> JournalBatch:
        """The batch after the engine's last command, without commands."""
        return JournalBatch(
            journal_id=self._journal.journal_id,
            epoch=self._journal.epoch,
            first_seq=self._engine.last_seq + 1,
            last_seq=self._engine.last_seq,
            inbox_position=0,  # An inbox in memory has no position.
            previous_hash=self._hash,
            commands=b"",
            events=b"",
        )

    async def _extended(
        self, batch: JournalBatch, due: Sequence[Command], submissions: Sequence[Submission], time_ns: int
    ) -> JournalBatch:
        """Runs `due`, then `submissions`; returns `batch` with these commands and their events appended."""
        commands, attachments = assemble(due, submissions, batch.last_seq + 1, time_ns, len(batch.attachments))
        try:
            events = self._engine.process(commands)
        except EngineFault as fault:
            await self._committed()
            command = described(len(due), submissions, fault.seq - batch.last_seq - 1)
            raise SequencerStopped(batch.first_seq, fault, command) from fault
        return replace(
            batch,
            last_seq=batch.last_seq + len(commands),
            commands=batch.commands + commands.tobytes(),
            events=batch.events + events.tobytes(),
            attachments=batch.attachments + attachments,
        )

    def _enough(self) -> int:
        """After how many commands a batch takes no further turn. The first half of them is taken while the device is busy, the
        other half when it is free: so a command that comes meanwhile is in this batch, whatever waits beside it."""
        return int(max(BATCH_S, min(self._device_s)) / self._command_s)

    def _measure(self) -> None:
        """Measures how long a command keeps the event loop busy, by the last batch, if the next one waits already. What else
        the loop does counts too, so one measurement is at most twice the average."""
        if self._measured is None:
            return
        last_seq, began_s = self._measured
        a_command_s = (time.thread_time() - began_s) / max(self._engine.last_seq - last_seq, 1)
        a_command_s = min(a_command_s, 2 * self._command_s)
        self._command_s = max(self._command_s + (a_command_s - self._command_s) / 8, COMMAND_S)

    async def _commit_batch(
        self, batch: JournalBatch, appended: Awaitable[None], before: asyncio.Task[None] | None
    ) -> None:
        """Waits until the batch is durable, then publishes it, in batch order."""
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
        if self._moved is not None:
            self._moved.set()
            self._moved = None
        await self._feed.publish(batch)

    async def _committed(self) -> None:
        """Waits until every batch is durable and published. Raises the error of a commit that failed."""
        if self._commit is not None:
            await self._commit

    def _raise_if_failed(self) -> None:
        if self._commit is not None and self._commit.done():
            self._commit.result()

    def _wake_if_failed(self, commit: asyncio.Task[None]) -> None:
        if not commit.cancelled() and commit.exception() is not None:
            self._wake()

    def _due(self, time_ns: int) -> list[Command]:
        """The commands of the timers due at time_ns: TIME if a deadline of the engine has been reached (an order's expiry, the
        end of a volatility auction), then the schedule's commands. The schedule is asked again only at its `next_ns`."""
        due = [Command(kind=CommandKind.TIME)] if 0 < self._engine.next_deadline_ns <= time_ns else []
        if time_ns >= self._next_timer_ns:
            due += self._schedule.due(self._engine.trading_date, self._engine.venue_phase, time_ns)
            self._next_timer_ns = self._schedule.next_ns(time_ns)
        return due


def assemble(
    due: Sequence[Command], submissions: Sequence[Submission], first_seq: int, time_ns: int, attachments_before: int = 0
) -> tuple[Any, tuple[bytes, ...]]:
    """One writable COMMAND array, numbered from first_seq and stamped with time_ns, and the attachments of its commands.

    The commands in `due` come first. A command's `attachment` is an index into its submission's attachments; here it becomes an
    index into the batch's attachments, of which there are `attachments_before` already.
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
