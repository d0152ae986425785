"""The write path without HTTP (inbox, sequencer, engine, journal, feed) beside the bare database; and recovery."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from statistics import median
from typing import NamedTuple

import uvloop

from load_tests.benchmarks.journal_kinds import InPostgres, InSqlite, JournalKind
from load_tests.benchmarks.measurement import Effort, Measurement, ratio_range
from load_tests.flows.book_flows import Records, standard
from load_tests.flows.engine_flow import engine_records
from load_tests.servers.postgres import PostgresServer
from matching_engine import Engine
from services.data.calendar import TradingCalendar
from services.journal import Journal
from services.messaging import Submission
from services.messaging.in_process import InProcessFeed, InProcessInbox
from services.sequencer.recovery import recover
from services.sequencer.schedule import AlwaysOpen
from services.sequencer.sequencer import MAX_BATCH_COMMANDS, Sequencer

BATCHES = {1: 3_000, 16: 16_000, 256: 200_000}
"""By the number of commands handed over at a time: how many are measured."""

POSTGRES_BATCH = 256
"""The number of commands handed over at a time to the write path on PostgreSQL."""

RECOVERY_S = 1.5
"""What executing a million commands may take at a start without a snapshot."""

_AT_LEAST = {256: "50 % of bare SQLite"}


class WritePath(NamedTuple):
    """The two ends of a running write path."""

    inbox: InProcessInbox
    feed: InProcessFeed


@asynccontextmanager
async def write_path(journal: Journal) -> AsyncIterator[WritePath]:
    """A running sequencer on a new journal."""
    inbox, feed = InProcessInbox(), InProcessFeed()
    schedule = AlwaysOpen(TradingCalendar.load())
    sequencer = Sequencer(Engine(), journal, inbox, feed, clock=time.time_ns, schedule=schedule)
    running = asyncio.create_task(sequencer.run())
    try:
        yield WritePath(inbox, feed)
        await sequencer.stop()
        await running
    finally:
        running.cancel()


def submissions_of(records: Records) -> list[Submission]:
    """One submission for each command, as the gateway makes them."""
    size, data = records.itemsize, records.tobytes()
    return [Submission(data[start : start + size]) for start in range(0, len(data), size)]


async def _open_venue(parts: WritePath, opening: Records) -> int:
    """Submits the commands that open the venue; returns the last of their sequence numbers."""
    subscription = parts.feed.subscribe()
    for start in range(0, len(opening), MAX_BATCH_COMMANDS):
        await parts.inbox.put(Submission(opening[start : start + MAX_BATCH_COMMANDS].tobytes()))
    left = len(opening)
    while left > 0:
        batch = await subscription.next_batch()
        last_seq = batch.last_seq
        left -= sum(command.request_id != 0 for command in batch.command_list)  # The schedule's own commands have none.
    subscription.close()
    return last_seq


async def _commands_per_second(parts: WritePath, submissions: list[Submission], size: int) -> float:
    """Submits `size` commands at a time, the next ones while those before are being written, as under load.

    Returns commands a second. The caller reads from the journal how many batches this made, and lets bare SQLite write as many
    of the same mean size.
    """
    subscription = parts.feed.subscribe()
    waiting = deque(submissions[first : first + size] for first in range(0, len(submissions), size))
    start = time.perf_counter()
    await _hand_over(parts, waiting)
    await asyncio.sleep(0)  # The sequencer takes the first commands before the second are submitted.
    left = len(submissions)
    while left > 0:
        await _hand_over(parts, waiting)
        batch = await subscription.next_batch()
        left -= batch.last_seq - batch.first_seq + 1
    seconds = time.perf_counter() - start
    subscription.close()
    return len(submissions) / seconds


async def _hand_over(parts: WritePath, batches: deque[list[Submission]]) -> None:
    """Submits the next commands, if there are any."""
    if batches:
        for submission in batches.popleft():
            await parts.inbox.put(submission)


class _Run(NamedTuple):
    """What one run measured."""

    rate: float
    """Commands a second."""
    bare: float
    """The same of the bare database, with as many rows of the same mean size."""
    batch_bytes: int


async def _one_run(kind: JournalKind, effort: Effort, batch: int) -> _Run:
    """Commands a second through our write path and through the bare database."""
    opening, records = engine_records(standard(effort.messages(BATCHES[batch]), 1, effort.seed), client_ids=True)
    # A cancel names its order by seq. The schedule's own commands come first, so every seq grows by their number.
    async with kind.open() as journal, write_path(journal) as parts:
        last_seq = await _open_venue(parts, opening)
        records["order_id"][records["order_id"] > 0] += last_seq - len(opening)
        rate = await _commands_per_second(parts, submissions_of(records), batch)
    stored = await kind.stored(last_seq)
    bare = await kind.bare_batches_per_second(stored)
    return _Run(rate, bare * len(records) / stored.batches, stored.batch_bytes)


def durable_measurements(effort: Effort) -> list[Measurement]:
    """Durable commands a second, handed over by 1, 16 and 256, beside bare SQLite with rows of the same bytes."""
    measurements = []
    for batch in BATCHES:
        runs = []
        for _ in range(effort.runs):
            with tempfile.TemporaryDirectory(prefix="rex-durable-") as folder:
                runs.append(uvloop.run(_one_run(InSqlite(Path(folder)), effort, batch)))
        name = f"durable commands, handed over by {batch}"
        measurements.append(_measurement(name, runs, "bare SQLite", _AT_LEAST.get(batch, "")))
    return measurements


def durable_postgres_measurements(effort: Effort) -> list[Measurement]:
    """Durable commands a second on PostgreSQL, handed over by 256, beside bare asyncpg with rows of the same bytes."""
    runs = []
    with PostgresServer() as server:
        for number in range(effort.runs):
            kind = InPostgres(server.create_database(f"rex_{number}"))
            runs.append(uvloop.run(_one_run(kind, effort, POSTGRES_BATCH)))
    name = f"durable commands on PostgreSQL, handed over by {POSTGRES_BATCH}"
    return [_measurement(name, runs, "bare asyncpg", "60 % of bare asyncpg")]


def _measurement(name: str, runs: list[_Run], bare_name: str, at_least: str) -> Measurement:
    rates, limits = [run.rate for run in runs], [run.bare for run in runs]
    return Measurement(
        name,
        median(rates),
        "commands/s",
        f"{bare_name}, rows of the same bytes",
        median(limits),
        at_least,
        note=f"{ratio_range(rates, limits)}; rows of {runs[-1].batch_bytes} bytes",
    )


async def _recovery(folder: Path, effort: Effort) -> tuple[float, int]:
    commands = effort.messages(300_000)
    opening, records = engine_records(standard(commands, 8, effort.seed), client_ids=True)
    kind = InSqlite(folder)
    async with kind.open() as journal, write_path(journal) as parts:
        last_seq = await _open_venue(parts, opening)
        records["order_id"][records["order_id"] > 0] += last_seq - len(opening)
        await _commands_per_second(parts, submissions_of(records), 512)
    async with kind.open() as journal:
        recovery = await recover(Engine(), journal)
    return recovery.seconds / recovery.commands * 1_000_000, recovery.commands


def recovery_measurements(effort: Effort) -> list[Measurement]:
    """Seconds that a start needs for each million commands in the journal."""
    with tempfile.TemporaryDirectory(prefix="rex-recovery-") as folder:
        seconds, commands = asyncio.run(_recovery(Path(folder), effort))
    note = f"measured on {commands:,} commands; reads, checks hashes, re-executes and compares every event"
    return [
        Measurement("recovery", seconds, "s per million commands", "at most", RECOVERY_S, "100 % at most", note=note)
    ]
