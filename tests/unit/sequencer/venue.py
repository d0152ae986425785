"""A venue without gateway: engine, journal, inbox, feed and a sequencer with a clock that the test sets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from matching_engine import Engine
from matching_engine.records import Command, CommandKind, pack_commands
from services.journal import Journal
from services.journal.batch import JournalBatch
from services.journal.replay import StateMachine
from services.journal.sqlite import SqliteJournal
from services.messaging import Submission
from services.messaging.in_process import InProcessFeed, InProcessInbox
from services.sequencer.recovery import recover
from services.sequencer.schedule import Schedule
from services.sequencer.sequencer import Sequencer


class Clock:
    """A clock that a test sets."""

    def __init__(self, now_ns: int = 1_000) -> None:
        self.now_ns = now_ns

    def __call__(self) -> int:
        return self.now_ns


class Never:
    """A schedule without commands."""

    def due(self, engine_trading_date: int, phase: int, now_ns: int) -> list[Command]:
        return []

    def next_ns(self, now_ns: int) -> int:
        return 2**62


class Venue:
    """The parts of a venue, and the published batches."""

    def __init__(self, journal: Journal, engine: StateMachine, clock: Clock, schedule: Schedule) -> None:
        self.journal = journal
        self.engine = engine
        self.clock = clock
        self.inbox = InProcessInbox()
        self.feed = InProcessFeed()
        self.subscription = self.feed.subscribe()
        self.sequencer = Sequencer(engine, journal, self.inbox, self.feed, clock=clock, schedule=schedule)

    async def next_batch(self) -> JournalBatch:
        return await self.subscription.next_batch()

    async def journaled(self) -> list[JournalBatch]:
        return [batch async for batch in self.journal.read(0)]


@asynccontextmanager
async def venue(
    path: Path, *, engine: StateMachine | None = None, clock: Clock | None = None, schedule: Schedule | None = None
) -> AsyncIterator[Venue]:
    """A venue that has recovered from `path`; its sequencer does not run yet."""
    journal = await SqliteJournal.open(path)
    try:
        engine = engine or Engine()
        await recover(engine, journal)
        yield Venue(journal, engine, clock or Clock(), schedule or Never())
    finally:
        await journal.close()


@asynccontextmanager
async def running(one: Venue) -> AsyncIterator[Venue]:
    """The same with a running sequencer, stopped at the end."""
    task = asyncio.create_task(one.sequencer.run())
    await asyncio.sleep(0)  # It begins.
    try:
        yield one
        await one.sequencer.stop()
    finally:
        task.cancel()
        await asyncio.wait([task])
    task.result()


def records(count: int = 1, *, request_id: int = 0, attachments: Sequence[bytes] = ()) -> Submission:
    """RECORD commands, the first of them with these attachments."""
    numbers = [n + 1 if n < len(attachments) else 0 for n in range(count)]
    commands = [Command(kind=CommandKind.RECORD, request_id=request_id, attachment=number) for number in numbers]
    return Submission(pack_commands(commands), tuple(attachments))
