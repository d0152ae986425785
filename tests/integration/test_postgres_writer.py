"""The projector's writer in PostgreSQL: at whatever statement its connection ends, nothing is lost or applied twice."""

from __future__ import annotations

import asyncio
from itertools import count
from pathlib import Path
from random import Random
from typing import Any

import asyncpg
import pytest

from load_tests.servers.postgres import PostgresServer
from matching_engine.records import Side
from services.journal.batch import JournalBatch
from services.journal.sqlite import SqliteJournal
from services.messaging.in_process import InProcessFeed
from services.read_model import projector as projector_module
from services.read_model.errors import ReadDatabaseAway, ReadDatabaseBusy
from services.read_model.postgres.writer import PostgresWriter
from services.read_model.projector import catch_up
from services.read_model.tables import metadata
from services.read_model.write_batch import WriteBatch
from tests.integration.postgres_journal import execute, until
from tests.integration.read_databases import Dump, ReadDatabase
from tests.integration.test_read_database_kinds import flow_of, write_in_parts
from tests.long import some
from tests.patience import PATIENCE_S
from tests.unit.read_model.history import JOURNAL_ID, REFERENCE_TICKS, History, opening, order

pytestmark = pytest.mark.rig


class CutConnection:
    """A connection whose server process is ended just before, or just after, its n-th statement from now on (0: the COMMIT)."""

    def __init__(self, connection: asyncpg.Connection[Any], url: str, at: int | None, *, after: bool) -> None:
        self._connection = connection
        self._url = url
        self._left = -1 if at is None else at or -1
        self._at_commit = at == 0
        self._after = after
        self.is_cut = False

    async def execute(self, *arguments: Any) -> Any:
        return await self._cut(self._connection.execute, *arguments)

    async def copy_records_to_table(self, *arguments: Any, **options: Any) -> Any:
        return await self._cut(self._connection.copy_records_to_table, *arguments, **options)

    def terminate(self) -> None:
        self._connection.terminate()

    async def _cut(self, statement: Any, *arguments: Any, **options: Any) -> Any:
        self._left -= 1
        if self._left and not (self._at_commit and arguments == ("COMMIT",)):
            return await statement(*arguments, **options)
        self.is_cut = True
        if not self._after:
            await self._end_the_server_process()
            return await statement(*arguments, **options)
        await statement(*arguments, **options)
        await self._end_the_server_process()
        raise asyncpg.ConnectionDoesNotExistError("the reply was lost")

    async def _end_the_server_process(self) -> None:
        pid = self._connection.get_server_pid()
        admin = await asyncpg.connect(self._url)
        while not await admin.fetchval("SELECT pg_terminate_backend($1, 5000)", pid):
            continue
        await admin.close()


async def cut_connection(writer: PostgresWriter, url: str, statement: int | None, *, after: bool) -> CutConnection:
    """Puts a CutConnection in place of the writer's connection; None: it is not cut."""
    assert writer._connection is not None
    cut = CutConnection(writer._connection, url, statement, after=after)
    writer._connection = cut  # type: ignore[assignment]
    return cut


@pytest.fixture
async def database(tmp_path: Path, postgres_url: str, anyio_backend: str) -> ReadDatabase:
    made = ReadDatabase(tmp_path, postgres_url)
    await made.make()
    return made


async def expected(folder: Path, batches: list[JournalBatch]) -> Dump:
    """The rows that these batches make."""
    database = ReadDatabase(folder / "expected")
    await database.make()
    await write_in_parts(database.writer(), batches, Random(0))
    return await database.dump()


@pytest.mark.anyio
@pytest.mark.parametrize("after", some([False, True]))
async def test_a_connection_that_ends_at_any_statement_loses_and_repeats_nothing(
    database: ReadDatabase, tmp_path: Path, after: bool
) -> None:
    assert database.url is not None
    batches = flow_of(5, 1_000)
    waiting, chance, cut_at = list(batches), Random(after), set()
    for attempt in count():
        writer = PostgresWriter(database.url)
        position = await writer.start(JOURNAL_ID)
        waiting = [batch for batch in waiting if batch.first_seq > position.seq]
        if not waiting:
            break
        changes = WriteBatch(position)
        for batch in waiting[: chance.randint(1, 3)]:
            changes.add(batch)
        statement = attempt // 2 % 12 if attempt % 2 else None
        connection = await cut_connection(writer, database.url, statement, after=after)
        try:
            await writer.write(changes)
        except ReadDatabaseAway:
            assert connection.is_cut
            cut_at.add(statement)
        else:
            assert not connection.is_cut, "the end of the connection was not reported"
        await writer.close()
    await writer.close()
    assert 0 in cut_at
    assert len(cut_at) > 8
    assert await database.dump() == await expected(tmp_path, batches)


@pytest.mark.anyio
async def test_orders_that_do_not_change_are_not_read(database: ReadDatabase) -> None:
    """PostgreSQL finds the orders that change by their keys, from the first transaction on and without statistics."""
    assert database.url is not None
    writer = PostgresWriter(database.url)
    position, changed = await writer.start(JOURNAL_ID), 0
    for batch in flow_of(5, 1_000):
        changes = WriteBatch(position)
        changes.add(batch)
        await writer.write(changes)
        position = changes.position
        changed += len(changes.orders.old)
    assert writer._connection is not None
    await writer._connection.execute("SELECT pg_stat_force_next_flush()")
    admin = await asyncpg.connect(database.url)
    found = await admin.fetchrow("""
        SELECT n_tup_upd, seq_tup_read, idx_tup_fetch FROM pg_stat_user_tables WHERE relname = 'orders'
    """)
    await admin.close()
    await writer.close()
    assert changed > 100
    assert tuple(found) == (changed, 0, changed)


@pytest.mark.anyio
async def test_a_projector_goes_on_whatever_its_server_does(postgres_server: PostgresServer, tmp_path: Path) -> None:
    """It waits for the server instead of ending, and carries on from the position in the database."""
    database = ReadDatabase(tmp_path, postgres_server.create_database("rex"))
    await database.make()
    journal, feed = await SqliteJournal.open(tmp_path / "journal.db"), InProcessFeed()
    history = History(journal_id=journal.journal_id, epoch=journal.epoch)
    faults = (
        (postgres_server.kill, postgres_server.start),
        (postgres_server.pause, postgres_server.resume),
        (postgres_server.stop, postgres_server.start),
        (postgres_server.restart_immediately, lambda: None),
    )
    batches = [history.batch(opening())]
    await journal.append(batches[0])
    async with database.projecting(journal, feed) as projector:
        await projector.reached(batches[0].last_seq)
        for fault, end in faults:
            await asyncio.to_thread(fault)
            batches.append(
                history.batch([order(2, Side.SELL, REFERENCE_TICKS, 3), order(3, Side.BUY, REFERENCE_TICKS, 2)])
            )
            await journal.append(batches[-1])
            await feed.publish(batches[-1])
            await asyncio.to_thread(end)
            async with asyncio.timeout(PATIENCE_S):
                await projector.reached(batches[-1].last_seq)
    expected = ReadDatabase(tmp_path / "expected")
    await expected.make()
    await catch_up(expected.writer(), journal)
    assert await database.dump() == await expected.dump()
    await journal.close()


@pytest.mark.anyio
async def test_an_idle_projector_notices_a_failover_that_lost_its_last_transactions(
    database: ReadDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The position moves back while no connection ends: the projector goes on from there."""
    assert database.url is not None
    monkeypatch.setattr(projector_module, "_CHECK_S", 0.05)
    journal, feed = await SqliteJournal.open(tmp_path / "journal.db"), InProcessFeed()
    history = History(journal_id=journal.journal_id, epoch=journal.epoch)
    batches = [history.batch(opening()), history.batch([order(2, Side.SELL, REFERENCE_TICKS, 3)])]
    for batch in batches:
        await journal.append(batch)
    async with database.projecting(journal, feed) as projector:
        await projector.reached(batches[-1].last_seq)
        before = await database.dump()
        await execute(database.url, f"TRUNCATE {', '.join(metadata.tables)}")
        await until(database.dump, lambda dump: dump == before)
    await journal.close()


@pytest.mark.anyio
async def test_a_position_that_another_projector_has_moved_is_refused_while_idle(database: ReadDatabase) -> None:
    assert database.url is not None
    writer = PostgresWriter(database.url)
    position = await writer.start(JOURNAL_ID)
    await writer.check(position)
    await execute(database.url, "UPDATE position SET seq = seq + 1")
    with pytest.raises(ReadDatabaseBusy, match="another projector writes it"):
        await writer.check(position)
    await writer.close()
