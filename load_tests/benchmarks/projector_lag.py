"""How far the read database is behind the journal while orders arrive at a given rate."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Iterable
from pathlib import Path

import uvloop

from load_tests.benchmarks.measurement import Effort, Measurement
from load_tests.benchmarks.projector_rates import journal_batches
from load_tests.replay.latency import Latencies
from load_tests.servers.postgres import PostgresServer
from services.journal.batch import JournalBatch
from services.journal.sqlite import SqliteJournal
from services.messaging.in_process import InProcessFeed
from services.read_model.database import open_read_database
from services.read_model.postgres.database import make_tables
from services.read_model.postgres.writer import PostgresWriter
from services.read_model.projector import Projector, ReadDatabaseWriter
from services.read_model.sqlite_writer import SqliteWriter

COMMANDS_A_SECOND = 10_000
LOOK_S = 0.002
"""Seconds between two looks at the projector's position."""


async def _lag(folder: Path, writer: ReadDatabaseWriter, effort: Effort) -> Latencies:
    """From the time at which each batch was due in the journal to the end of the transaction that projects it."""
    journal, feed = await SqliteJournal.open(folder / "journal.sqlite"), InProcessFeed()
    batches = list(journal_batches(journal.journal_id, journal.epoch, effort))
    projector = Projector(writer, journal, feed)
    running = asyncio.create_task(projector.run())
    try:
        lags, due_s = Latencies(), dict[int, float]()
        appending = asyncio.create_task(_append_on_time(journal, feed, batches, due_s))
        while projector.seq < batches[-1].last_seq:
            if running.done():
                running.result()
            if appending.done():
                appending.result()
            await asyncio.sleep(LOOK_S)
            now_s = asyncio.get_running_loop().time()
            for seq in [seq for seq in due_s if seq <= projector.seq]:
                lags.record(now_s - due_s.pop(seq))
        return lags
    finally:
        running.cancel()
        await asyncio.wait([running])
        await journal.close()


async def _append_on_time(
    journal: SqliteJournal, feed: InProcessFeed, batches: Iterable[JournalBatch], due_s: dict[int, float]
) -> None:
    loop = asyncio.get_running_loop()
    start_s = loop.time()
    for batch in batches:
        due = start_s + batch.last_seq / COMMANDS_A_SECOND
        await asyncio.sleep(max(due - loop.time(), 0))
        due_s[batch.last_seq] = due
        await journal.append(batch)
        await feed.publish(batch)


def projector_lag_measurements(effort: Effort) -> list[Measurement]:
    """The lag at COMMANDS_A_SECOND on both kinds of read database; journal, feed and projector in one process."""
    with tempfile.TemporaryDirectory(prefix="rex-lag-") as name:
        folder = Path(name)
        asyncio.run(open_read_database(folder / "read.sqlite").dispose())
        in_sqlite = uvloop.run(_lag(folder, SqliteWriter(folder / "read.sqlite"), effort))
    with tempfile.TemporaryDirectory(prefix="rex-lag-") as name, PostgresServer(max_wal_size="2GB") as server:
        url = server.create_database("rex")
        asyncio.run(make_tables(url))
        in_postgres = uvloop.run(_lag(Path(name), PostgresWriter(url), effort))
    return [_measurement("SQLite", in_sqlite), _measurement("PostgreSQL", in_postgres)]


def _measurement(kind: str, lags: Latencies) -> Measurement:
    summary = lags.summary_us()
    return Measurement(
        f"projector on {kind}: lag at {COMMANDS_A_SECOND:,} commands/s, p99",
        summary["p99"] / 1e6,
        "s",
        "the promise",
        1.0,
        "at most 100 %",
        note=f"p50 {summary['p50'] / 1e6:.2f} s, highest {summary['max'] / 1e6:.2f} s",
    )
