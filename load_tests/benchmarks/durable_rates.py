"""The write path without HTTP (inbox, sequencer, engine, SQLite journal, feed) beside bare SQLite; and recovery."""

from __future__ import annotations

import asyncio
import sqlite3
import tempfile
import time
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from statistics import median
from typing import NamedTuple

import uvloop

from load_tests.benchmarks.measurement import Effort, Measurement, ratio_range
from load_tests.flows.book_flows import Records, standard
from load_tests.flows.engine_flow import engine_records
from matching_engine import Engine
from services.data.calendar import TradingCalendar
from services.journal.connections import make_durable
from services.journal.sqlite import SqliteJournal
from services.messaging import Submission
from services.messaging.in_process import InProcessFeed, InProcessInbox
from services.sequencer.recovery import recover
from services.sequencer.schedule import AlwaysOpen
from services.sequencer.sequencer import MAX_BATCH_COMMANDS, Sequencer

BATCHES = {1: 3_000, 16: 16_000, 256: 200_000}
"""By the number of commands handed over at a time: how many are measured."""

_AT_LEAST = {256: "50 % of bare SQLite"}


class WritePath(NamedTuple):
    """The two ends of a running write path."""

    inbox: InProcessInbox
    feed: InProcessFeed


@asynccontextmanager
async def write_path(path: Path) -> AsyncIterator[WritePath]:
    """A running sequencer on a new journal."""
    journal = await SqliteJournal.open(path)
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
        await journal.close()


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


def bare_batches_per_second(path: Path, batch_bytes: int, batches: int) -> float:
    """Commits a second of bare SQLite: rows of `batch_bytes` bytes, with the journal's pragmas."""
    connection = sqlite3.connect(path, isolation_level=None)
    make_durable(connection, path)
    connection.execute("CREATE TABLE rows (first_seq INTEGER PRIMARY KEY, data BLOB NOT NULL)")
    data = bytes(batch_bytes)
    start = time.perf_counter()
    for number in range(batches):
        connection.execute("INSERT INTO rows VALUES (?, ?)", (number, data))
    seconds = time.perf_counter() - start
    connection.close()
    return batches / seconds


def stored_batches(path: Path, after_seq: int) -> tuple[int, int]:
    """The number of batches in the journal after a sequence number, and their mean size in bytes."""
    connection = sqlite3.connect(path)
    batches, size = connection.execute(
        "SELECT count(*), coalesce(sum(length(data)), 0) FROM rows WHERE first_seq > ?", (after_seq,)
    ).fetchone()
    connection.close()
    return batches, size // max(batches, 1)


async def _one_run(folder: Path, effort: Effort, batch: int) -> tuple[float, float, int]:
    """Commands a second through our write path and through bare SQLite, and the mean bytes of a batch."""
    opening, records = engine_records(standard(effort.messages(BATCHES[batch]), 1, effort.seed), client_ids=True)
    # A cancel names its order by seq. The schedule's own commands come first, so every seq grows by their number.
    path = folder / "journal.sqlite3"
    async with write_path(path) as parts:
        last_seq = await _open_venue(parts, opening)
        records["order_id"][records["order_id"] > 0] += last_seq - len(opening)
        rate = await _commands_per_second(parts, submissions_of(records), batch)
    batches, batch_bytes = stored_batches(path, last_seq)
    bare = bare_batches_per_second(folder / "bare.sqlite3", batch_bytes, batches)
    return rate, bare * len(records) / batches, batch_bytes


def durable_measurements(effort: Effort) -> list[Measurement]:
    """Durable commands a second, handed over by 1, 16 and 256, beside bare SQLite with rows of the same bytes."""
    measurements = []
    for batch in BATCHES:
        ours, bare = [], []
        for _ in range(effort.runs):
            with tempfile.TemporaryDirectory(prefix="rex-durable-") as folder:
                rate, limit, batch_bytes = uvloop.run(_one_run(Path(folder), effort, batch))
            ours.append(rate)
            bare.append(limit)
        measurements.append(
            Measurement(
                f"durable commands, handed over by {batch}",
                median(ours),
                "commands/s",
                "bare SQLite, rows of the same bytes",
                median(bare),
                _AT_LEAST.get(batch, ""),
                note=f"{ratio_range(ours, bare)}; rows of {batch_bytes} bytes",
            )
        )
    return measurements


async def _recovery(folder: Path, effort: Effort) -> tuple[float, int]:
    commands = effort.messages(300_000)
    opening, records = engine_records(standard(commands, 8, effort.seed), client_ids=True)
    path = folder / "journal.sqlite3"
    async with write_path(path) as parts:
        last_seq = await _open_venue(parts, opening)
        records["order_id"][records["order_id"] > 0] += last_seq - len(opening)
        await _commands_per_second(parts, submissions_of(records), 512)
    journal = await SqliteJournal.open(path)
    try:
        recovery = await recover(Engine(), journal)
    finally:
        await journal.close()
    return recovery.seconds / recovery.commands * 1_000_000, recovery.commands


def recovery_measurements(effort: Effort) -> list[Measurement]:
    """Seconds that a start needs for each million commands in the journal."""
    with tempfile.TemporaryDirectory(prefix="rex-recovery-") as folder:
        seconds, commands = asyncio.run(_recovery(Path(folder), effort))
    note = f"measured on {commands:,} commands; reads, checks hashes, re-executes and compares every event"
    return [Measurement("recovery", seconds, "s per million commands", note=note)]
