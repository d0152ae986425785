"""The one writer: its numbers, times, batches, timers and its end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matching_engine import Engine, EngineFault
from matching_engine.records import (
    ALL_INSTRUMENTS,
    COMMAND,
    Command,
    CommandKind,
    EventKind,
    OrderType,
    Phase,
    Reason,
    Side,
    TimeInForce,
    unpack_commands,
)
from services.commands import administrative as admin
from services.data.calendar import TradingCalendar
from services.journal import Journal, JournalError
from services.journal.batch import NO_HASH, JournalBatch
from services.journal.sqlite import SqliteJournal
from services.messaging import Submission
from services.messaging.in_process import InProcessFeed
from services.sequencer.clock import GuardedClock
from services.sequencer.schedule import AlwaysOpen, ExchangeHours
from services.sequencer.sequencer import MAX_BATCH_BYTES, MAX_BATCH_COMMANDS, Sequencer, SequencerStopped, assemble
from tests.model.naive_engine import NaiveEngine
from tests.patience import PATIENCE_S
from tests.unit.read_model.history import REFERENCE_TICKS, opening, order
from tests.unit.sequencer.venue import Clock, Never, Venue, records, running, venue


@given(
    due=st.integers(0, 3),
    shapes=st.lists(st.tuples(st.integers(1, 4), st.integers(0, 4)), max_size=5),
    first_seq=st.integers(1, 2**40),
)
def test_assembling_numbers_every_command_and_keeps_each_with_its_attachment(
    due: int, shapes: list[tuple[int, int]], first_seq: int
) -> None:
    texts = iter(range(1_000))
    submissions = [
        records(count, request_id=number, attachments=[b"text %d" % next(texts) for _ in range(min(count, attached))])
        for number, (count, attached) in enumerate(shapes, start=1)
    ]
    timers = [Command(kind=CommandKind.SET_PHASE, instrument=ALL_INSTRUMENTS)] * due
    array, attachments = assemble(timers, submissions, first_seq, 77)
    commands = list(unpack_commands(array.tobytes()))
    assert [command.seq for command in commands] == list(range(first_seq, first_seq + len(commands)))
    assert {command.time_ns for command in commands} <= {77}
    assert [command.kind for command in commands[:due]] == [CommandKind.SET_PHASE] * due
    expected = [
        (command.request_id, submission.attachments[command.attachment - 1] if command.attachment else None)
        for submission in submissions
        for command in unpack_commands(submission.commands)
    ]
    assert [
        (command.request_id, attachments[command.attachment - 1] if command.attachment else None)
        for command in commands[due:]
    ] == expected


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal"


@pytest.mark.anyio
async def test_a_batch_holds_what_came_in_and_what_the_engine_made_of_it(path: Path) -> None:
    async with venue(path) as one:
        await one.inbox.put(records(2, request_id=5, attachments=[b"a"]))
        await one.inbox.put(records(1, request_id=6, attachments=[b"b"]))
        async with running(one):
            batch = await one.next_batch()
        assert [(c.seq, c.time_ns, c.request_id, c.attachment) for c in batch.command_list] == [
            (1, 1_000, 5, 1),
            (2, 1_000, 5, 0),
            (3, 1_000, 6, 2),
        ]
        assert [(event.seq, event.kind) for event in batch.event_list] == [(n, EventKind.RECORDED) for n in (1, 2, 3)]
        assert batch.attachments == (b"a", b"b")
        assert (batch.journal_id, batch.epoch, batch.previous_hash) == (one.journal.journal_id, 1, NO_HASH)
        assert await one.journaled() == [batch]
        assert one.sequencer.last_seq == one.engine.last_seq == 3


@pytest.mark.anyio
async def test_the_engine_makes_room_at_the_start_and_behind_each_batch(path: Path) -> None:
    class Roomy(NaiveEngine):
        def __init__(self) -> None:
            super().__init__()
            self.made_at: list[int] = []

        def make_room(self) -> None:
            self.made_at.append(self.last_seq)

    engine = Roomy()
    async with venue(path, engine=engine) as one, running(one):
        for _ in range(2):
            await one.inbox.put(records(3))
            await one.next_batch()
    assert engine.made_at == [0, 3, 6]


@pytest.mark.anyio
async def test_what_is_published_is_on_the_device_already(path: Path) -> None:
    class CheckingFeed(InProcessFeed):
        def __init__(self, journal: Journal) -> None:
            super().__init__()
            self.journal = journal
            self.durable: list[bool] = []

        async def publish(self, batch: JournalBatch) -> None:
            self.durable.append(await self.journal.last_batch() == batch)

    async with venue(path) as one:
        feed = CheckingFeed(one.journal)
        one.sequencer = Sequencer(one.engine, one.journal, one.inbox, feed, clock=one.clock, schedule=Never())
        async with running(one):
            await one.inbox.put(records(1))
        assert feed.durable == [True]


@pytest.mark.anyio
async def test_what_waits_becomes_one_batch_and_the_caps_begin_another(path: Path) -> None:
    async with venue(path) as one:
        for _ in range(MAX_BATCH_COMMANDS // 4 + 1):
            await one.inbox.put(records(4))
        await one.inbox.put(records(1, attachments=[bytes(MAX_BATCH_BYTES)]))
        await one.inbox.put(records(1))
        async with running(one):
            pass
        batches = await one.journaled()
        assert [batch.last_seq - batch.first_seq + 1 for batch in batches] == [MAX_BATCH_COMMANDS, 4, 1, 1]


@pytest.mark.anyio
async def test_stamped_time_never_goes_back_not_even_over_a_restart(path: Path) -> None:
    clock = Clock(500)
    async with venue(path, clock=clock) as one, running(one):
        for now_ns in (500, 400, 600):
            clock.now_ns = now_ns
            await one.inbox.put(records())
            await one.next_batch()
    async with venue(path, clock=Clock(100)) as one:
        async with running(one):
            await one.inbox.put(records())
        batches = await one.journaled()
        assert [batch.command_list[0].time_ns for batch in batches] == [500, 500, 600, 600]


@pytest.mark.anyio
async def test_a_restart_continues_numbers_and_chain(path: Path) -> None:
    for _ in range(3):
        async with venue(path) as one, running(one):
            await one.inbox.put(records(2))
    async with venue(path) as one:
        batches = await one.journaled()
    assert [(batch.first_seq, batch.last_seq, batch.epoch) for batch in batches] == [(1, 2, 1), (3, 4, 2), (5, 6, 3)]
    assert [batch.previous_hash for batch in batches[1:]] == [batch.hash for batch in batches[:-1]]


@pytest.mark.anyio
async def test_stop_takes_in_what_waits_then_ends(path: Path) -> None:
    async with venue(path) as one:
        task = asyncio.create_task(one.sequencer.run())
        await one.inbox.put(records())
        await one.next_batch()
        await one.inbox.put(records(MAX_BATCH_COMMANDS))
        await one.inbox.put(records(5))
        await one.sequencer.stop()
        assert task.done()
        await task
        assert one.sequencer.last_seq == MAX_BATCH_COMMANDS + 6


@pytest.mark.anyio
async def test_stop_has_nothing_to_wait_for_where_it_never_ran(path: Path) -> None:
    async with venue(path) as one:
        await asyncio.wait_for(one.sequencer.stop(), PATIENCE_S)
        assert await one.journaled() == []


@pytest.mark.anyio
async def test_results_do_not_depend_on_where_a_batch_ends(path: Path) -> None:
    submissions = [records(n % 3 + 1, request_id=n, attachments=[b"%d" % n]) for n in range(12)]

    async def state(place: Path, one_batch: bool) -> tuple[list[tuple[int, int, bytes]], str]:
        async with venue(place) as one:
            if one_batch:
                for submission in submissions:
                    await one.inbox.put(submission)
            async with running(one):
                for submission in () if one_batch else submissions:
                    await one.inbox.put(submission)
                    await one.next_batch()
            commands = [
                (
                    command.seq,
                    command.request_id,
                    batch.attachments[command.attachment - 1] if command.attachment else b"",
                )
                for batch in await one.journaled()
                for command in batch.command_list
            ]
            return commands, one.engine.state_hash()

    assert await state(path, True) == await state(path.with_name("other"), False)


SECOND = 10**9


def kinds_of(submission: Submission) -> list[int]:
    return [command.kind for command in unpack_commands(submission.commands)]


def joined(*parts: Submission) -> Submission:
    """The commands as one submission, with their attachments numbered."""
    array, attachments = assemble([], parts, 0, 0)
    array["seq"] = 0
    return Submission(array.tobytes(), attachments)


class At(Never):
    """A schedule with one SET_PHASE due from an instant on."""

    def __init__(self, at_ns: int) -> None:
        self.at_ns = at_ns
        self.asked: list[tuple[int, int]] = []

    def due(self, engine_trading_date: int, phase: int, now_ns: int) -> list[Command]:
        self.asked.append((phase, now_ns))
        if now_ns < self.at_ns or phase == Phase.CONTINUOUS:
            return []
        return [Command(kind=CommandKind.SET_PHASE, instrument=ALL_INSTRUMENTS, phase=Phase.CONTINUOUS)]

    def next_ns(self, now_ns: int) -> int:
        return self.at_ns if now_ns < self.at_ns else now_ns + 10**18


@pytest.mark.anyio
async def test_a_clock_that_jumps_stops_the_writer_and_nothing_is_stamped_with_it(path: Path) -> None:
    wall, steady = Clock(1_000 * SECOND), Clock(0)
    async with venue(path) as one:
        guarded = GuardedClock(wall, steady)
        one.sequencer = Sequencer(one.engine, one.journal, one.inbox, one.feed, clock=guarded, schedule=Never())
        stopped = asyncio.create_task(one.sequencer.run())
        await one.inbox.put(records())
        await one.next_batch()
        wall.now_ns += 400 * 86_400 * SECOND
        await one.inbox.put(records())
        with pytest.raises(
            SequencerStopped, match=r"nothing from seq 2 on was published: the clock jumped forward by 400 days"
        ):
            await stopped
        assert [(batch.last_seq, batch.time_ns) for batch in await one.journaled()] == [(1, 1_000 * SECOND)]
        assert one.engine.last_seq == 1


@pytest.mark.anyio
async def test_a_timer_stands_before_the_first_command_at_or_past_its_time(path: Path) -> None:
    schedule = At(2_000)
    clock = Clock(1_000)
    async with venue(path, clock=clock, schedule=schedule) as one:
        async with running(one):
            for now_ns in (1_000, 1_999, 2_000, 2_001):
                clock.now_ns = now_ns
                await one.inbox.put(records())
                batch = await one.next_batch()
                while batch.command_list[-1].kind != CommandKind.RECORD:
                    batch = await one.next_batch()
        commands = [command for batch in await one.journaled() for command in batch.command_list]
        assert [command.kind for command in commands] == [
            CommandKind.RECORD,
            CommandKind.RECORD,
            CommandKind.SET_PHASE,
            CommandKind.RECORD,
            CommandKind.RECORD,
        ]
        assert [command.time_ns for command in commands] == [1_000, 1_999, 2_000, 2_000, 2_001]


@pytest.mark.anyio
async def test_a_timer_fires_with_no_traffic_and_once(path: Path) -> None:
    schedule = At(1_000)
    async with venue(path, clock=Clock(1_000), schedule=schedule) as one:
        async with running(one):
            batch = await one.next_batch()
            assert [(command.kind, command.phase) for command in batch.command_list] == [
                (CommandKind.SET_PHASE, Phase.CONTINUOUS)
            ]
            await one.inbox.put(records())
            assert [command.kind for command in (await one.next_batch()).command_list] == [CommandKind.RECORD]
        assert [phase for phase, _ in schedule.asked] == [Phase.CLOSED]


@pytest.mark.anyio
async def test_a_timer_s_wait_ends_with_its_instant(path: Path) -> None:
    clock = Clock(0)

    class Soon(At):
        def next_ns(self, now_ns: int) -> int:
            clock.now_ns = self.at_ns - 1
            return super().next_ns(now_ns)

    def ticking() -> int:
        clock.now_ns += 1
        return clock.now_ns

    async with venue(path, clock=clock, schedule=Soon(10**15)) as one:
        one.sequencer = Sequencer(one.engine, one.journal, one.inbox, one.feed, clock=ticking, schedule=Soon(10**15))
        async with running(one):
            assert (await one.next_batch()).command_list[0].kind == CommandKind.SET_PHASE


def until(second: int) -> Submission:
    """A buy order that expires at this second."""
    return admin.submission(
        Command(
            kind=CommandKind.NEW_ORDER, account=2, side=Side.BUY, price_ticks=REFERENCE_TICKS - 5, quantity_lots=1,
            order_type=OrderType.LIMIT, time_in_force=TimeInForce.GTD, time_s=second,
        )
    )  # fmt: skip


def kinds(batch: JournalBatch) -> list[int]:
    return [command.kind for command in batch.command_list]


@pytest.mark.anyio
async def test_time_stands_first_where_an_expiry_is_reached(path: Path) -> None:
    clock = Clock(800 * SECOND)
    async with venue(path, clock=clock, schedule=Never()) as one, running(one):
        await one.inbox.put(joined(*opening(), until(1_000), until(1_100)))
        await one.next_batch()
        for now_ns, expected in (
            (900 * SECOND, [CommandKind.RECORD]),
            (1_000 * SECOND, [CommandKind.TIME, CommandKind.RECORD]),
            (1_000 * SECOND + 1, [CommandKind.RECORD]),
            (1_300 * SECOND, [CommandKind.TIME, CommandKind.RECORD]),
            (1_300 * SECOND, [CommandKind.RECORD]),
        ):
            clock.now_ns = now_ns
            await one.inbox.put(records())
            batch = await one.next_batch()
            assert (kinds(batch), batch.command_list[0].time_ns) == (expected, now_ns)
            expired = [event.reason for event in batch.event_list if event.kind == EventKind.EXPIRED]
            assert expired == [Reason.EXPIRY_TIME] * (CommandKind.TIME in expected)


@pytest.mark.anyio
async def test_time_comes_before_what_the_schedule_has_due_at_the_same_instant(path: Path) -> None:
    clock = Clock(900 * SECOND)
    async with venue(path, clock=clock, schedule=At(1_000 * SECOND)) as one, running(one):
        start = [part for part in opening() if kinds_of(part) != [CommandKind.SET_PHASE]]
        await one.inbox.put(joined(*start, admin.set_phase(Command(), Phase.CALL_AUCTION), until(1_000)))
        await one.next_batch()
        clock.now_ns = 1_000 * SECOND
        await one.inbox.put(records())
        assert kinds(await one.next_batch()) == [CommandKind.TIME, CommandKind.SET_PHASE, CommandKind.RECORD]


def leaping(start_ns: int, step_ns: int) -> Callable[[], int]:
    """A clock that leaps each time it is read, so that nothing has to be waited for."""
    instants = count(start_ns, step_ns)
    return lambda: next(instants)


@pytest.mark.anyio
async def test_an_order_expires_and_a_volatility_auction_ends_without_traffic(path: Path) -> None:
    """And a recovery, which has neither this clock nor a schedule, comes to the same state."""
    band = admin.set_volatility_band(Command(), 0, 10_000, auction_s=500)
    first = order(3, Side.SELL, REFERENCE_TICKS, 1), order(2, Side.BUY, REFERENCE_TICKS, 1)
    beyond = order(3, Side.SELL, REFERENCE_TICKS + 20, 1), order(2, Side.BUY, REFERENCE_TICKS + 20, 1)
    async with venue(path) as one:
        clock = leaping(1_000 * SECOND, 200 * SECOND)
        one.sequencer = Sequencer(one.engine, one.journal, one.inbox, one.feed, clock=clock, schedule=Never())
        await one.inbox.put(joined(*opening(), until(1_350), band, *first, *beyond))
        async with asyncio.timeout(PATIENCE_S), running(one):
            batches = [await one.next_batch() for _ in range(3)]
        opened, expiry, end = batches
        assert opened.event_list[-1].kind == EventKind.INDICATIVE
        assert [kinds(expiry), kinds(end)] == [[CommandKind.TIME]] * 2
        assert [event.kind for event in expiry.event_list] == [
            EventKind.TIME_PASSED, EventKind.EXPIRED, EventKind.LEVEL, EventKind.INDICATIVE,
        ]  # fmt: skip
        assert [event.kind for event in end.event_list if event.kind != EventKind.LEVEL] == [
            EventKind.TIME_PASSED, EventKind.PHASE_CHANGED, EventKind.TRADE,
        ]  # fmt: skip
        assert one.engine.next_deadline_ns == 0
        after = one.engine.state_hash()
    async with venue(path) as one:
        assert one.engine.state_hash() == after
        assert [batch.last_seq for batch in await one.journaled()] == [batch.last_seq for batch in batches]


@pytest.mark.anyio
async def test_what_fell_due_in_an_outage_is_done_first_after_it(path: Path) -> None:
    async with venue(path, clock=Clock(900 * SECOND)) as one, running(one):
        await one.inbox.put(joined(*opening(), until(1_000), until(2_000)))
        await one.next_batch()
    async with venue(path, clock=Clock(1_500 * SECOND)) as one, running(one):
        batch = await one.next_batch()
        assert [(command.kind, command.time_ns) for command in batch.command_list] == [
            (CommandKind.TIME, 1_500 * SECOND)
        ]
        assert [event.kind for event in batch.event_list].count(EventKind.EXPIRED) == 1
        assert one.engine.next_deadline_ns == 2_000 * SECOND


SHANGHAI = timezone(timedelta(hours=8))


@pytest.mark.anyio
async def test_a_venue_s_days(path: Path) -> None:
    """Two evenings of schedule `always` with an outage over a trading day and the October holiday between them."""

    def at(*instant: int) -> Clock:
        return Clock(int(datetime(*instant, tzinfo=SHANGHAI).timestamp()) * 10**9)  # type: ignore[misc,arg-type]

    schedule = AlwaysOpen(TradingCalendar.load())
    clock = at(2023, 9, 26, 16, 59)
    async with venue(path, clock=clock, schedule=schedule) as one, running(one):
        await one.next_batch()
        await one.inbox.put(records())
        await one.next_batch()
        clock.now_ns = at(2023, 9, 26, 17, 0).now_ns
        await one.inbox.put(records())
        await one.next_batch()
    async with venue(path, clock=at(2023, 10, 3, 12, 0), schedule=schedule) as one:
        with pytest.raises(SequencerStopped, match=r"skipping 20230928, and never go back\. If the clock is right"):
            await one.sequencer.run()
    vouched_for = AlwaysOpen(TradingCalendar.load(), may_skip_from=20230927)
    async with venue(path, clock=at(2023, 10, 3, 12, 0), schedule=vouched_for) as one:
        async with running(one):
            await one.next_batch()
        commands = [command for batch in await one.journaled() for command in batch.command_list]
        assert [(command.kind, command.date) for command in commands] == [
            (CommandKind.DAY_ROLL, 20230926),
            (CommandKind.SET_PHASE, 0),
            (CommandKind.RECORD, 0),
            (CommandKind.DAY_ROLL, 20230927),
            (CommandKind.RECORD, 0),
            (CommandKind.DAY_ROLL, 20231009),
        ]
        assert one.engine.trading_date == 20231009


@pytest.mark.anyio
async def test_a_day_of_the_exchange_with_its_auctions_and_an_outage_in_the_last(path: Path) -> None:
    def at(day: int, clock: str) -> int:
        return int(datetime.fromisoformat(f"2023-09-{day} {clock}").replace(tzinfo=SHANGHAI).timestamp()) * SECOND

    def crossing(price: int) -> Submission:
        return joined(order(3, Side.SELL, price, 1), order(2, Side.BUY, price + 2, 1))

    start = [part for part in opening() if kinds_of(part)[0] not in (CommandKind.SET_PHASE, CommandKind.DAY_ROLL)]
    schedule, clock = ExchangeHours(TradingCalendar.load()), Clock()
    seen: list[tuple[list[Phase], list[tuple[int, Phase]]]] = []
    settled_lots: list[int] = []

    async def steps(*of_day: tuple[int, str, Submission]) -> None:
        """Runs the commands of each instant as one batch; records the phases set, and price and phase of the trades."""
        clock.now_ns = at(*of_day[0][:2])
        async with venue(path, clock=clock, schedule=schedule) as one, running(one):
            for day, instant, submission in of_day:
                clock.now_ns = at(day, instant)
                await one.inbox.put(submission)
                batches = [await one.next_batch()]
                while batches[-1].last_seq < one.engine.last_seq:
                    batches.append(await one.next_batch())
                phases = [
                    Phase(c.phase) for batch in batches for c in batch.command_list if c.kind == CommandKind.SET_PHASE
                ]
                trades = [event for batch in batches for event in batch.event_list if event.kind == EventKind.TRADE]
                settled = [event for batch in batches for event in batch.event_list if event.kind == EventKind.SETTLED]
                settled_lots.extend(event.quantity_lots for event in settled if event.instrument == 0)
                seen.append((phases, [(trade.price_ticks, Phase(trade.phase)) for trade in trades]))

    await steps(
        (26, "08:56", joined(*start, crossing(REFERENCE_TICKS))),
        (26, "08:59", records()),
        (26, "09:00", crossing(REFERENCE_TICKS + 5)),
        (26, "16:00", crossing(REFERENCE_TICKS + 3)),
    )
    by_hand = admin.set_phase(Command(), Phase.CALL_AUCTION, instrument=0)
    await steps(
        (27, "08:56", crossing(REFERENCE_TICKS)),
        (27, "08:59", records()),
        (27, "16:30", joined(by_hand, crossing(REFERENCE_TICKS))),
        (27, "17:00", records()),
    )
    auction, continuous = Phase.CALL_AUCTION, Phase.CONTINUOUS
    assert seen == [
        ([Phase.CLOSED, Phase.CALL_AUCTION], []),
        ([Phase.AUCTION_MATCHING], [(REFERENCE_TICKS, auction)]),
        ([Phase.CONTINUOUS], [(REFERENCE_TICKS + 5, continuous)]),
        ([Phase.CALL_AUCTION], []),
        # Nobody was there at 16:04: what the closing auction had collected trades before the day is rolled.
        ([Phase.CLOSED, Phase.CALL_AUCTION], [(REFERENCE_TICKS + 3, auction)]),
        ([Phase.AUCTION_MATCHING], [(REFERENCE_TICKS + 2, auction)]),
        # So does what an operator's auction had collected, in a venue that is closed.
        ([Phase.CLOSED, Phase.CALL_AUCTION], []),
        ([Phase.CLOSED], [(REFERENCE_TICKS + 2, auction)]),
    ]
    assert settled_lots == [3, 2]


class Breaking(NaiveEngine):
    """An engine that raises a fault at one command."""

    def __init__(self, at: int) -> None:
        super().__init__()
        self.at = at

    def process(self, commands: Any) -> Any:
        if commands["seq"][-1] >= self.at:
            raise EngineFault(1, self.at)
        return super().process(commands)


async def stopped(one: Venue) -> SequencerStopped:
    with pytest.raises(SequencerStopped) as stop:
        await asyncio.wait_for(one.sequencer.run(), PATIENCE_S)
    await one.sequencer.stop()
    return stop.value


@pytest.mark.anyio
async def test_an_engine_fault_stops_it_before_the_batch_is_written_or_seen(path: Path) -> None:
    async with venue(path, engine=Breaking(4)) as one:
        await one.inbox.put(records(2))
        async with running(one):
            await one.next_batch()
        one.sequencer = Sequencer(one.engine, one.journal, one.inbox, one.feed, clock=one.clock, schedule=Never())
        await one.inbox.put(records(3))
        stop = await stopped(one)
        assert (stop.first_seq, stop.seq) == (3, 4)
        assert "nothing from seq 3 on was published: engine fault 1 (NO_ROOM) at command 4" in str(stop)
        assert [batch.last_seq for batch in await one.journaled()] == [2]
        assert one.sequencer.last_seq == 2


@pytest.mark.anyio
async def test_a_fault_in_the_batch_run_ahead_leaves_the_batch_on_its_way_durable_and_seen(path: Path) -> None:
    async with venue(path, engine=Breaking(MAX_BATCH_COMMANDS + 1)) as one:
        await one.inbox.put(records(MAX_BATCH_COMMANDS))
        await one.inbox.put(records())
        stop = await stopped(one)
        assert stop.first_seq == MAX_BATCH_COMMANDS + 1
        assert (await one.next_batch()).last_seq == MAX_BATCH_COMMANDS
        assert [batch.last_seq for batch in await one.journaled()] == [MAX_BATCH_COMMANDS]
        assert one.sequencer.last_seq == MAX_BATCH_COMMANDS


@pytest.mark.anyio
async def test_batches_run_ahead_are_published_in_order_and_each_once(path: Path) -> None:
    async with venue(path) as one:
        for _ in range(5):
            await one.inbox.put(records(MAX_BATCH_COMMANDS))
        async with running(one):
            seen = [(await one.next_batch()).last_seq for _ in range(5)]
        assert seen == [MAX_BATCH_COMMANDS * batch for batch in range(1, 6)]
        assert [batch.last_seq for batch in await one.journaled()] == seen


@pytest.mark.anyio
async def test_a_journal_that_writes_in_the_event_loop_begins_before_the_next_batch_is_run(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with venue(path) as one:
        begun: list[int] = []
        append = one.journal.append

        async def write(batch: JournalBatch) -> None:
            begun.append(one.engine.last_seq)
            await append(batch)

        monkeypatch.setattr(one.journal, "append", lambda batch: asyncio.create_task(write(batch)))
        for _ in range(3):
            await one.inbox.put(records(MAX_BATCH_COMMANDS))
        async with running(one):
            seen = [(await one.next_batch()).last_seq for _ in range(3)]
        assert begun == seen


@pytest.mark.anyio
async def test_a_failing_journal_stops_it_before_the_batch_is_seen(path: Path) -> None:
    async with venue(path) as one:
        await one.inbox.put(records(2))
        await one.journal.close()
        one.journal = await SqliteJournal.open(path, read_only=True)
        one.sequencer = Sequencer(one.engine, one.journal, one.inbox, one.feed, clock=one.clock, schedule=Never())
        stop = await stopped(one)
        assert (stop.first_seq, stop.seq) == (1, 1)
        assert isinstance(stop.__cause__, JournalError)
        assert one.sequencer.last_seq == 0
        assert await one.journaled() == []
        await one.journal.close()


@pytest.mark.anyio
async def test_an_engine_that_has_not_recovered_is_refused(path: Path) -> None:
    async with venue(path) as one, running(one):
        await one.inbox.put(records(2))
    async with venue(path) as one:
        one.sequencer = Sequencer(Engine(), one.journal, one.inbox, one.feed, clock=one.clock, schedule=Never())
        stop = await stopped(one)
        assert "the engine is at seq 0, the journal at seq 2: recover first" in str(stop)


@pytest.mark.anyio
async def test_a_submission_larger_than_a_batch_s_cap_stands_in_one_batch(path: Path) -> None:
    async with venue(path) as one:
        await one.inbox.put(Submission(bytes(COMMAND.itemsize * (MAX_BATCH_COMMANDS + 1))))
        async with running(one):
            batch = await one.next_batch()
        assert batch.last_seq == MAX_BATCH_COMMANDS + 1
        assert [event.kind for event in batch.event_list] == [EventKind.REJECTED] * batch.last_seq
