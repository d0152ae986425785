"""Commands that arrive while a batch has been run and waits for the device."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from math import ceil
from pathlib import Path

import pytest

from matching_engine.records import Command, CommandKind
from services.journal.batch import JournalBatch
from services.journal.replay import StateMachine
from services.journal.sqlite import SqliteJournal
from services.messaging.in_process import ROUND_COMMANDS as TURN
from services.sequencer import sequencer
from services.sequencer.clock import ClockRefused
from services.sequencer.schedule import Schedule
from services.sequencer.sequencer import (
    BATCH_S,
    COMMAND_S,
    LATE_NS,
    MAX_BATCH_COMMANDS,
    MEASURED_BATCHES,
    Sequencer,
)
from tests.unit.sequencer.test_sequencer import Breaking, stopped
from tests.unit.sequencer.venue import Never, Venue, records, running, venue


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal"


class BusyDevice(SqliteJournal):
    """A device that is busy until it is released."""

    free: asyncio.Event

    def append(self, batch: JournalBatch) -> Awaitable[None]:
        return self._when_free(batch)

    async def _when_free(self, batch: JournalBatch) -> None:
        await self.free.wait()
        await super().append(batch)


@asynccontextmanager
async def with_a_busy_device(
    path: Path, engine: StateMachine | None = None, schedule: Schedule | None = None
) -> AsyncIterator[tuple[Venue, BusyDevice]]:
    """A venue whose batches wait for the device until `free` is set."""
    async with venue(path, engine=engine) as one:
        await one.journal.close()
        journal = await BusyDevice.open(path)
        assert isinstance(journal, BusyDevice)
        journal.free = asyncio.Event()
        one.journal = journal
        one.sequencer = Sequencer(
            one.engine, journal, one.inbox, one.feed, clock=one.clock, schedule=schedule or Never()
        )
        try:
            yield one, journal
        finally:
            await journal.close()


async def run_by_the_engine(one: Venue, seq: int) -> None:
    while one.engine.last_seq < seq:  # noqa: ASYNC110  (nobody is told)
        await asyncio.sleep(0)


@pytest.mark.anyio
async def test_what_comes_while_a_batch_waits_for_the_device_is_still_in_it(path: Path) -> None:
    async with with_a_busy_device(path) as (one, device), running(one):
        for seq in (1, 2):
            await one.inbox.put(records(attachments=[b"%d" % seq]))
            await run_by_the_engine(one, seq)
        await one.inbox.put(records(2, attachments=[b"3", b"4"]))
        await one.inbox.put(records(attachments=[b"5"]))
        device.free.set()
        batches = [await one.next_batch(), await one.next_batch()]
        assert [(batch.first_seq, batch.last_seq, batch.attachments) for batch in batches] == [
            (1, 1, (b"1",)),
            (2, 5, (b"2", b"3", b"4", b"5")),
        ]
        assert [(c.seq, c.attachment) for c in batches[1].command_list] == [(2, 1), (3, 2), (4, 3), (5, 4)]
        assert [event.seq for event in batches[1].event_list] == [2, 3, 4, 5]
        assert await one.journaled() == batches
        state = one.engine.state_hash()
    async with venue(path) as again:
        assert again.engine.state_hash() == state


@pytest.mark.anyio
async def test_who_waits_for_a_command_waits_until_it_is_journaled(path: Path) -> None:
    """A proof reads the journal: what the engine alone has run is not there yet."""
    async with with_a_busy_device(path) as (one, device), running(one):
        await one.inbox.put(records(2))
        await run_by_the_engine(one, 2)
        waiting = [asyncio.create_task(one.sequencer.journaled(seq)) for seq in (1, 2, 3)]
        await one.sequencer.journaled(0)
        for _ in range(5):
            await asyncio.sleep(0)
        assert not any(task.done() for task in waiting)
        device.free.set()
        await asyncio.gather(*waiting[:2])
        assert [batch.last_seq for batch in await one.journaled()] == [2]
        assert not waiting[2].done()
        await one.inbox.put(records())
        await waiting[2]
        assert [batch.last_seq for batch in await one.journaled()] == [2, 3]


@pytest.mark.anyio
async def test_a_batch_that_waits_for_the_device_keeps_its_cap(path: Path) -> None:
    async with with_a_busy_device(path) as (one, device), running(one):
        await one.inbox.put(records())
        await run_by_the_engine(one, 1)
        await one.inbox.put(records(MAX_BATCH_COMMANDS - 1))
        await run_by_the_engine(one, MAX_BATCH_COMMANDS)
        for _ in range(3):
            await one.inbox.put(records())
        device.free.set()
        assert [(await one.next_batch()).last_seq for _ in range(3)] == [
            1,
            MAX_BATCH_COMMANDS + 1,
            MAX_BATCH_COMMANDS + 3,
        ]


@pytest.mark.anyio
async def test_a_fault_of_one_that_came_late_stops_it_before_its_batch_is_written(path: Path) -> None:
    async with with_a_busy_device(path, Breaking(3)) as (one, device):
        stop = asyncio.create_task(stopped(one))
        for seq in (1, 2):
            await one.inbox.put(records())
            await run_by_the_engine(one, seq)
        await one.inbox.put(records())
        device.free.set()
        assert ((await stop).first_seq, (await stop).seq) == (2, 3)
        assert [batch.last_seq for batch in await one.journaled()] == [1]


class Closes(Never):
    """A schedule with one command due, once, at an instant."""

    def __init__(self, at_ns: int) -> None:
        self.at_ns = at_ns

    def due(self, engine_trading_date: int, phase: int, now_ns: int) -> list[Command]:
        if now_ns < self.at_ns:
            return []
        self.at_ns = 2**62
        return [Command(kind=CommandKind.RECORD, request_id=999)]

    def next_ns(self, now_ns: int) -> int:
        return self.at_ns


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("closes_ns", "comes_ns", "batches"),
    [
        (2**62, 1_000 + LATE_NS, [[(1, 1_000)], [(2, 1_000), (3, 1_000)]]),
        (2**62, 1_001 + LATE_NS, [[(1, 1_000)], [(2, 1_000)], [(3, 1_001 + LATE_NS)]]),
        (2_001, 2_000, [[(1, 1_000)], [(2, 1_000), (3, 1_000)]]),
        (2_000, 2_000, [[(1, 1_000)], [(2, 1_000)], [(999, 2_000), (3, 2_000)]]),
    ],
    ids=["in time", "too late", "before a timer", "at a timer"],
)
async def test_what_comes_late_is_not_run_before_a_timer_nor_stamped_long_before_it_came(
    path: Path, closes_ns: int, comes_ns: int, batches: list[list[tuple[int, int]]]
) -> None:
    async with with_a_busy_device(path, schedule=Closes(closes_ns)) as (one, device), running(one):
        for seq in (1, 2):
            await one.inbox.put(records(request_id=seq))
            await run_by_the_engine(one, seq)
        one.clock.now_ns = comes_ns
        await one.inbox.put(records(request_id=3))
        device.free.set()
        seen = [await one.next_batch() for _ in batches]
        assert [[(command.request_id, command.time_ns) for command in batch.command_list] for batch in seen] == batches


@pytest.mark.anyio
async def test_a_clock_that_jumps_while_a_batch_waits_stops_the_writer_behind_it(path: Path) -> None:
    async with with_a_busy_device(path) as (one, device):
        jumped = False

        def clock() -> int:
            if jumped:
                raise ClockRefused("it jumped")
            return 1_000

        one.sequencer = Sequencer(one.engine, one.journal, one.inbox, one.feed, clock=clock, schedule=Never())
        stop = asyncio.create_task(stopped(one))
        for seq in (1, 2):
            await one.inbox.put(records())
            await run_by_the_engine(one, seq)
        jumped = True
        await one.inbox.put(records())
        device.free.set()
        assert (await stop).first_seq == 3
        assert [batch.last_seq for batch in await one.journaled()] == [1, 2]


class Times:
    """The clocks of a thread that each command keeps busy for `command_s`, and of a device that needs `device_s`."""

    def __init__(self, one: Venue, command_s: float, device_s: float) -> None:
        self._engine = one.engine
        self._command_s = command_s
        self._device_s = device_s
        self._now_s = 0.0

    def thread_time(self) -> float:
        return self._engine.last_seq * self._command_s

    def perf_counter(self) -> float:
        self._now_s += self._device_s
        return self._now_s


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("command_s", "device_s", "sizes"),
    [
        (BATCH_S / 3, 0.0, [1, TURN, TURN, TURN]),
        (BATCH_S / TURN / 1.5, 0.0, [1, 2 * TURN, 2 * TURN]),
        (BATCH_S / TURN / 1.5, BATCH_S * 3, [1, 5 * TURN, TURN]),
        (0.0, 0.0, [1, ceil(BATCH_S / COMMAND_S / TURN) * TURN, 1]),
    ],
    ids=["slow commands", "a batch's time", "a slow device", "quick commands"],
)
async def test_a_batch_has_more_turns_of_a_member_alone_while_they_take_less_than_a_batch_may(
    path: Path, monkeypatch: pytest.MonkeyPatch, command_s: float, device_s: float, sizes: list[int]
) -> None:
    async with with_a_busy_device(path) as (one, device), running(one):
        monkeypatch.setattr(sequencer, "time", Times(one, command_s, device_s))
        device.free.set()
        for _ in range(MEASURED_BATCHES * 5 * TURN):  # A flood: a batch waits behind each other.
            await one.inbox.put(records()._replace(account=1))
        await one.sequencer.journaled(MEASURED_BATCHES * 5 * TURN)
        one.subscription.close()
        one.subscription = one.feed.subscribe()
        device.free.clear()
        for _ in range(sum(sizes)):
            await one.inbox.put(records()._replace(account=1))
            await asyncio.sleep(0)  # The first is on its way, the next ones run, before the others come.
        device.free.set()
        batches = [await one.next_batch() for _ in sizes]
        assert [batch.command_count for batch in batches] == sizes
