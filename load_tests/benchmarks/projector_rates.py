"""The projector on SQLite and on PostgreSQL: a whole journal, and its two largest kinds of row beside bare UPDATE and COPY."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple
from uuid import uuid4

import asyncpg
import numpy as np
import uvloop

from load_tests.benchmarks.measurement import Effort, Measurement, no_garbage_collection, spent_s, with_children
from load_tests.flows.book_flows import standard
from load_tests.flows.engine_flow import engine_records
from load_tests.servers.postgres import PostgresServer
from matching_engine import Engine
from matching_engine.records import CommandKind
from services.commands.attachments import AccountText, InstrumentText
from services.journal.batch import NO_HASH, JournalBatch
from services.journal.sqlite import SqliteJournal
from services.read_model import tables
from services.read_model.database import open_read_database
from services.read_model.postgres.database import make_tables
from services.read_model.postgres.writer import PostgresWriter
from services.read_model.projector import ReadDatabaseWriter, catch_up
from services.read_model.sqlite_writer import SqliteWriter
from services.read_model.write_batch import Position, WriteBatch

COMMANDS = 200_000
BATCH = 256
RUN = 8_192
"""Commands whose changes of orders, and whose trades, are written in one transaction: some 1,500 and 1,300 rows."""

_BY_KEY = """
SET synchronous_commit = local; SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off
"""
_BARE_UPDATE = """
UPDATE orders SET updated_seq = orders.updated_seq + 1 FROM unnest($1::bigint[]) AS one WHERE orders.order_id = one
"""
_WITH_TEXT = [int(CommandKind.OPEN_ACCOUNT), int(CommandKind.LIST_INSTRUMENT)]


def journal_batches(journal_id: bytes, epoch: int, effort: Effort) -> Iterator[JournalBatch]:
    """The standard flow of 8 instruments as batches of 256 commands."""
    parts = engine_records(standard(effort.messages(COMMANDS), 8, effort.seed), client_ids=True)
    engine, last_hash, commands = Engine(), NO_HASH, np.concatenate(parts)
    for start in range(0, len(commands), BATCH):
        some = commands[start : start + BATCH].copy()
        with_text = np.isin(some["kind"], _WITH_TEXT)
        texts = tuple(_text(command) for command in some[with_text])
        some["attachment"][with_text] = np.arange(1, len(texts) + 1)
        events = np.asarray(engine.process(some)).tobytes()
        seqs = int(some["seq"][0]), int(some["seq"][-1])
        batch = JournalBatch(journal_id, epoch, *seqs, 0, last_hash, some.tobytes(), events, texts)
        last_hash = batch.hash
        yield batch


def _text(command: Any) -> bytes:
    if command["kind"] == CommandKind.OPEN_ACCOUNT:
        return AccountText(name="a member").to_bytes()
    symbol = f"I-{command['instrument']}"
    return InstrumentText(
        symbol=symbol, name_en=symbol, name_zh=symbol, category="magnetic_material", family="x", unit="t", lot_size=1,
        tick_size="1", reference_price_source="assumed", spec="", note="",
    ).to_bytes()  # fmt: skip


class Rates(NamedTuple):
    """What one run measured: per second, and microseconds of processor time for each order that changes."""

    commands: float
    orders: float
    trades: float
    projector_us: float
    server_us: float


class Seconds(NamedTuple):
    """By the clock, and of processor time."""

    wall: float
    projector: float
    server: float


class Limits(NamedTuple):
    """What PostgreSQL does with nothing but the statement, per second."""

    orders: float
    trades: float


async def _rates(writer: ReadDatabaseWriter, journal: SqliteJournal, number: int, server: Sequence[int]) -> Rates:
    """Projects the journal; then writes its changes of orders, and its trades, once more and alone.

    `server` is the postmaster's process id, or nothing.
    """
    start = time.perf_counter()
    await catch_up(writer, journal)
    seconds = time.perf_counter() - start
    position = await writer.start(journal.journal_id)
    orders, trades = await _runs(journal)
    updates, inserts = [WriteBatch(position) for _ in orders], [WriteBatch(position) for _ in trades]
    for changes, old in zip(updates, orders, strict=True):
        changes.orders.old = old
    for changes, rows in zip(inserts, trades, strict=True):
        changes.trades = _with_other_ids(rows, number)
    changing, changed = await _write(writer, updates, server), sum(map(len, orders))
    inserting = await _write(writer, inserts, server)
    await writer.close()
    return Rates(
        position.seq / seconds,
        changed / changing.wall,
        sum(map(len, trades)) / inserting.wall,
        1e6 * changing.projector / max(changed, 1),
        1e6 * changing.server / max(changed, 1),
    )


async def _runs(journal: SqliteJournal) -> tuple[list[Any], list[Any]]:
    """The changes of older orders, and the trades, of each RUN commands."""
    changes = WriteBatch(Position(0, 0, 0, NO_HASH, journal.journal_id, 0))
    orders, trades = [], []
    async for batch in journal.read(0):
        changes.add(batch)
        if changes.commands >= RUN:
            orders.append(changes.orders.old)
            trades.append(changes.trades)
            changes = WriteBatch(changes.position)
    return [*orders, changes.orders.old], [*trades, changes.trades]


def _with_other_ids(trades: Sequence[Any], number: int) -> list[Any]:
    return [(trade[0] + (number << 48), *trade[1:]) for trade in trades]


async def _write(writer: ReadDatabaseWriter, transactions: list[WriteBatch], server: Sequence[int]) -> Seconds:
    with no_garbage_collection():
        before = _now(server)
        for changes in transactions:
            await writer.write(changes)
        return Seconds(*(after - then for then, after in zip(before, _now(server), strict=True)))


def _now(server: Sequence[int]) -> Seconds:
    spent = sum(spent_s(*with_children(pid)) for pid in server)
    return Seconds(time.perf_counter(), time.process_time(), spent)


async def _limits(url: str, journal: SqliteJournal) -> Limits:
    """Rows a second by nothing but UPDATE of the same orders, and COPY of the trades, one transaction for each RUN commands."""
    orders, trades = await _runs(journal)
    columns = [column.name for column in tables.trades.columns]
    connection = await asyncpg.connect(url)
    await connection.execute(_BY_KEY)
    changed, copied = [list(old) for old in orders], [_with_other_ids(rows, 2) for rows in trades]
    with no_garbage_collection():
        start = time.perf_counter()
        for order_ids in changed:
            await connection.execute(_BARE_UPDATE, order_ids)
        between = time.perf_counter()
        for rows in copied:
            await connection.copy_records_to_table("trades", records=rows, columns=columns)
        end = time.perf_counter()
    await connection.close()
    return Limits(sum(map(len, orders)) / (between - start), sum(map(len, trades)) / (end - between))


async def _one_run(folder: Path, server: PostgresServer, effort: Effort) -> tuple[Rates, Rates, Limits]:
    journal = await SqliteJournal.open(folder / "journal.sqlite")
    try:
        for batch in journal_batches(journal.journal_id, journal.epoch, effort):
            await journal.append(batch)
        path = folder / "read.sqlite"
        await open_read_database(path).dispose()
        in_sqlite = await _rates(SqliteWriter(path), journal, 1, [])
        name = f"rex_{uuid4().hex}"
        url = server.create_database(name)
        await make_tables(url)
        in_postgres = await _rates(PostgresWriter(url), journal, 1, [server.pid])
        limits = await _limits(url, journal)
        server.drop_database(name)
        return in_sqlite, in_postgres, limits
    finally:
        await journal.close()


def projector_measurements(effort: Effort) -> list[Measurement]:
    """A whole journal, its changes of orders alone, its trades alone; PostgreSQL's beside bare UPDATE and bare COPY."""
    runs = []
    with PostgresServer(shared_buffers="256MB", max_wal_size="2GB") as server:
        for _ in range(effort.runs):
            with tempfile.TemporaryDirectory(prefix="rex-projector-") as folder:
                runs.append(uvloop.run(_one_run(Path(folder), server, effort)))
    in_sqlite, in_postgres, limits = ([run[place] for run in runs] for place in range(3))
    return [
        *_measurements("SQLite", Rates(*_medians(in_sqlite)), None),
        *_measurements("PostgreSQL", Rates(*_medians(in_postgres)), Limits(*_medians(limits))),
    ]


def _medians(runs: Sequence[Any]) -> list[float]:
    return [median(values) for values in zip(*runs, strict=True)]


def _measurements(kind: str, rates: Rates, limits: Limits | None) -> Iterator[Measurement]:
    update, copy = ("bare UPDATE of the same rows", "bare COPY of the same rows") if limits else ("", "")
    of_orders, of_trades = limits or (None, None)
    spent = f"CPU µs an order: projector {rates.projector_us:.1f}"
    if limits:
        spent += f", PostgreSQL {rates.server_us:.1f}"
    name = f"projector on {kind}"
    yield Measurement(f"{name}: a journal", rates.commands, "commands/s", note="reading included")
    yield Measurement(
        f"{name}: changes of orders", rates.orders, "orders/s", update, of_orders, "40,000 orders/s", note=spent
    )
    yield Measurement(f"{name}: trades", rates.trades, "trades/s", copy, of_trades, "50,000 trades/s")
