"""The one writer: takes what waits, numbers it, runs the engine, puts the row on the device, then lets others see it.

Group commit clocks itself: while a row is on its way to the device, the commands that wait are numbered and run as the next
row; what comes before the device is free for it still joins it, within the turns of its account. So the engine is at most one
row ahead of the device.
All commands of a row bear one time, and timers that are due stand before them, so no result depends on where a row ends. What
comes behind a timer's instant, or much later than the row's time, is left to the next row.
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
from services.journal.replay import StateMachine
from services.journal.row import NO_HASH, Row
from services.messaging import Feed, Inbox, Submission
from services.sequencer.clock import ClockRefused
from services.sequencer.schedule import Schedule

MAX_ROW_COMMANDS = 1_024
MAX_ROW_BYTES = 512 * 1_024
"""Of commands and attachments. A submission larger than either bound still stands in one row, alone."""

TURN_S = 0.002
"""A row takes one turn of each account, and one more for each such time the device needs for a row: a member who is alone gets
on with a slow device, too, and whoever comes waits for the device rather than for the turns of others."""

LATE_NS = 20_000_000
"""How long after its time a row still takes commands in."""

MEASURED_ROWS = 32
"""How many rows tell how fast the device is."""

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
        self._commit: asyncio.Task[None] | None = None  # of the last row handed to the device
        self._device_free = asyncio.Event()
        self._device_free.set()
        self._device_s = deque([0.0], maxlen=MEASURED_ROWS)
        """What the last rows took. The shortest tells of the device; in longer ones the event loop was busy, too."""
        self._ended = asyncio.Event()
        self._ended.set()
        self.last_seq = engine.last_seq
        """The last command that is on the device and was published."""

    async def run(self) -> None:
        """Works until canceled or stopped. Raises SequencerStopped, naming the sequence number, for a fault, a failing
        journal or a clock that jumped; nothing of that row was published."""
        self._ended.clear()
        try:
            await self._continue_chain()
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
        last = await self._journal.last_row()
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
                return await self._inbox.take(MAX_ROW_COMMANDS, MAX_ROW_BYTES)
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
        """One row: numbered, run, and handed on when the row before it is on the device. No commands, no row."""
        time_ns = max(self._clock(), self.time_ns)
        due = self._due(time_ns)
        if not due and not submissions:
            return
        row = await self._extended(self._empty_row(), due, submissions, time_ns)
        if not self._device_free.is_set():
            row.encode()  # Done while the device is busy; in vain where late ones come.
            await self._device_free.wait()
        self._raise_what_failed()
        may_join = not self._inbox.depth or self._is_now(time_ns)
        for _ in range(self._turns() if may_join else 0):
            late = self._inbox.take_late(MAX_ROW_COMMANDS - row.command_count, MAX_ROW_BYTES - row.payload_bytes)
            if late:
                row = await self._extended(row, (), late, time_ns)
        self._hash, self.time_ns = row.hash, time_ns
        # The device has its next row before the readers of the last one take their turns.
        self._device_free.clear()
        try:
            appended = self._journal.append(row)
        except JournalError as error:
            raise SequencerStopped(row.first_seq, error) from error
        self._commit = asyncio.create_task(self._put_down(row, appended, self._commit))
        self._commit.add_done_callback(self._wake_if_failed)

    def _is_now(self, time_ns: int) -> bool:
        """Whether what comes at this instant may still bear a row's time: soon after it, and with no timer between the two."""
        try:
            now_ns = self._clock()
        except ClockRefused:
            return False  # Said when the next row is stamped; this one, stamped before, is still put down.
        timers_ns = self._look_at_ns, self._engine.next_deadline_ns or now_ns + 1
        return now_ns < min(timers_ns) and now_ns - time_ns <= LATE_NS

    def _empty_row(self) -> Row:
        """The row behind all that was run, with no commands yet."""
        return Row(
            journal_id=self._journal.journal_id,
            epoch=self._journal.epoch,
            first_seq=self._engine.last_seq + 1,
            last_seq=self._engine.last_seq,
            inbox_position=0,  # An inbox in memory has no position to come back to.
            previous_hash=self._hash,
            commands=b"",
            events=b"",
        )

    async def _extended(self, row: Row, due: Sequence[Command], submissions: Sequence[Submission], time_ns: int) -> Row:
        """The row with these commands behind its own, and what the engine made of them."""
        commands, attachments = assemble(due, submissions, row.last_seq + 1, time_ns, len(row.attachments))
        try:
            events = self._engine.process(commands)
        except EngineFault as fault:
            await self._committed()
            raise SequencerStopped(row.first_seq, fault) from fault
        return replace(
            row,
            last_seq=row.last_seq + len(commands),
            commands=row.commands + commands.tobytes(),
            events=row.events + events.tobytes(),
            attachments=row.attachments + attachments,
        )

    def _turns(self) -> int:
        """How many turns of each account the next row may hold."""
        return 1 + int(min(self._device_s) / TURN_S)

    async def _put_down(self, row: Row, appended: Awaitable[None], before: asyncio.Task[None] | None) -> None:
        """The row on the device, then, after the row before it, for others to see."""
        began = time.perf_counter()
        try:
            await appended
            self._device_s.append(time.perf_counter() - began)
        except JournalError as error:
            raise SequencerStopped(row.first_seq, error) from error
        finally:
            self._device_free.set()
        if before is not None:
            await before
        self.last_seq = row.last_seq
        await self._feed.publish(row)

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
    """One writable COMMAND array of a row, numbered and stamped, and the row's attachments.

    The commands due stand first. A command's `attachment` counts within its submission and is made to count within the row.
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
