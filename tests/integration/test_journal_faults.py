"""PostgreSQL fails while a journal appends: what was acknowledged is there once; what is unknown is found out by a write."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from uuid import uuid4

import pytest

from load_tests.servers.postgres import PostgresServer
from load_tests.servers.server_process import ServerMissing
from services.journal import JournalError, JournalRefused
from services.journal.batch import JournalBatch
from services.journal.postgres.connections import Database
from services.journal.postgres.journal import PostgresJournal
from tests.integration.journal_contract import fill, read_all
from tests.integration.postgres_journal import execute, lead, until
from tests.patience import PATIENCE_S
from tests.unit.journal.chains import next_batch

pytestmark = [pytest.mark.anyio, pytest.mark.slow]


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    """Ended, paused and set by these tests only. Every test leaves it running and as it was."""
    try:
        with PostgresServer() as one:
            yield one
    except ServerMissing as missing:
        pytest.skip(f"NO TEST WITH POSTGRESQL RAN: {missing}")


@pytest.fixture
def url(server: PostgresServer) -> Iterator[str]:
    name = f"rex_{uuid4().hex}"
    yield server.create_database(name)
    server.drop_database(name)


@pytest.fixture
async def leader(url: str) -> AsyncIterator[PostgresJournal]:
    journal = await lead(url)
    yield journal
    await journal.close()


@asynccontextmanager
async def stopped(server: PostgresServer) -> AsyncIterator[None]:
    await asyncio.to_thread(server.stop)
    try:
        yield
    finally:
        await asyncio.to_thread(server.start)


@asynccontextmanager
async def setting(server: PostgresServer, name: str, value: str) -> AsyncIterator[None]:
    """A server setting that needs no restart."""

    async def apply(sql: str, reached: Callable[[str], bool]) -> None:
        await execute(server.url(), sql)
        await execute(server.url(), "SELECT pg_reload_conf()")
        await until(
            lambda: execute(server.url(), f"SELECT current_setting('{name}')"), lambda rows: reached(rows[0][0])
        )
        await execute(server.url(), "CHECKPOINT")  # the checkpointer has read the settings when it has answered

    (before,) = (await execute(server.url(), f"SELECT current_setting('{name}')"))[0]
    await apply(f"ALTER SYSTEM SET {name} = '{value}'", lambda found: found == value)
    try:
        yield
    finally:
        await apply(f"ALTER SYSTEM RESET {name}", lambda found: found == before)


async def backend_of(url: str) -> int:
    return int((await execute(url, "SELECT backend FROM journal_writer"))[0][0])


async def is_visible(url: str, batch: JournalBatch) -> bool:
    return bool(await execute(url, "SELECT FROM journal WHERE first_seq = $1", batch.first_seq))


def waits_for_standby(url: str, pid: int) -> Callable[[], object]:
    sql = "SELECT FROM pg_stat_activity WHERE pid = $1 AND wait_event = 'SyncRep'"
    return lambda: execute(url, sql, pid)


async def test_a_commit_whose_reply_is_lost_is_acknowledged_only_when_a_write_has_confirmed_it(
    server: PostgresServer, url: str, leader: PostgresJournal
) -> None:
    batches = await fill(leader, [2])
    pid = await backend_of(url)
    batch = next_batch(batches[-1], journal_id=leader.journal_id)
    async with setting(server, "synchronous_standby_names", "nobody"):
        append = asyncio.ensure_future(leader.append(batch))
        await until(waits_for_standby(url, pid))
        assert not await is_visible(url, batch)
        await execute(server.url(), "SELECT pg_terminate_backend($1)", pid)
        # Committed, visible, on no standby: a read-back would acknowledge it.
        await until(lambda: is_visible(url, batch))
        sql = "SELECT FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND query LIKE '%pg_backend_pid%'"
        await until(lambda: execute(server.url(), sql))
        assert not append.done()
        await until(lambda: leader.waiting_for)
        assert leader.failed is None
    async with asyncio.timeout(PATIENCE_S):
        await append
    assert leader.waiting_for is None
    assert await read_all(leader) == [*batches, batch]
    await fill(leader, [1])


async def test_a_canceled_wait_for_the_standby_is_no_acknowledgement(
    server: PostgresServer, url: str, leader: PostgresJournal
) -> None:
    pid = await backend_of(url)
    batch = next_batch(None, journal_id=leader.journal_id)
    async with setting(server, "synchronous_standby_names", "nobody"):
        append = asyncio.ensure_future(leader.append(batch))
        await until(waits_for_standby(url, pid))
        await execute(server.url(), "SELECT pg_cancel_backend($1)", pid)  # the server answers that it has committed
        await until(lambda: is_visible(url, batch))
        await until(lambda: "canceling wait" in (leader.waiting_for or ""))
        assert not append.done()
    async with asyncio.timeout(PATIENCE_S):
        await append
    assert await read_all(leader) == [batch]


async def append_all(
    leader: PostgresJournal, acknowledged: list[JournalBatch], count: int, faults_ended: asyncio.Event
) -> None:
    while len(acknowledged) < count or not faults_ended.is_set():
        batch = next_batch(acknowledged[-1] if acknowledged else None, journal_id=leader.journal_id)
        await leader.append(batch)
        acknowledged.append(batch)


@asynccontextmanager
async def appending(
    leader: PostgresJournal, count: int
) -> AsyncIterator[tuple[list[JournalBatch], asyncio.Task[None]]]:
    """Appends `count` batches, and more while faults still happen; then every acknowledged batch is in the journal once."""
    acknowledged: list[JournalBatch] = []
    faults_ended = asyncio.Event()
    task = asyncio.create_task(append_all(leader, acknowledged, count, faults_ended))
    yield acknowledged, task
    faults_ended.set()
    async with asyncio.timeout(PATIENCE_S):
        await task
    assert len(acknowledged) >= count
    assert await read_all(leader) == acknowledged
    assert leader.failed is None


async def test_a_terminated_backend_loses_and_doubles_nothing(
    server: PostgresServer, url: str, leader: PostgresJournal
) -> None:
    kills = 0
    async with appending(leader, 200) as (acknowledged, task):
        while kills < 20:
            before = len(acknowledged)
            rows = await execute(url, "SELECT pg_terminate_backend(backend) FROM journal_writer")
            kills += bool(rows[0][0])
            await until(lambda: task.done() or len(acknowledged) > before + 2)  # noqa: B023
            assert not task.done()


async def test_immediate_restarts_of_the_server_lose_and_double_nothing(
    server: PostgresServer, leader: PostgresJournal
) -> None:
    async with appending(leader, 200) as (acknowledged, task):
        for restart in range(1, 4):
            await until(lambda: len(acknowledged) >= 40 * restart)  # noqa: B023
            assert not task.done()
            await asyncio.to_thread(server.restart_immediately)


async def test_a_hanging_server_is_reported_and_waited_for(server: PostgresServer, leader: PostgresJournal) -> None:
    async with appending(leader, 1_000) as (acknowledged, task):
        await until(lambda: len(acknowledged) >= 10)
        server.pause()
        try:
            await until(lambda: leader.waiting_for)
            assert "has not answered a statement for" in (leader.waiting_for or "")
            assert not task.done()
        finally:
            server.resume()


async def test_while_the_server_is_away_appends_and_reads_wait_and_say_so(
    server: PostgresServer, url: str, leader: PostgresJournal
) -> None:
    reader = await PostgresJournal.open(url)
    async with stopped(server):
        append = asyncio.ensure_future(leader.append(next_batch(None, journal_id=leader.journal_id)))
        look = asyncio.create_task(reader.look())
        await until(lambda: leader.waiting_for and reader.waiting_for)
        for journal in (leader, reader):
            assert f"127.0.0.1:{server.port}/" in (journal.waiting_for or "")
            assert server.password not in (journal.waiting_for or "")
        assert not append.done()
        assert not look.done()
        assert leader.failed is None
    async with asyncio.timeout(PATIENCE_S):
        await append
        await look
    assert leader.waiting_for is reader.waiting_for is None
    assert len(await read_all(reader)) == 1
    await reader.close()


async def test_a_journal_closes_while_the_server_is_away(server: PostgresServer, leader: PostgresJournal) -> None:
    async with stopped(server):
        append = asyncio.ensure_future(leader.append(next_batch(None, journal_id=leader.journal_id)))
        await until(lambda: leader.waiting_for)
        async with asyncio.timeout(PATIENCE_S):
            await leader.close()
        with pytest.raises(JournalError, match="closed"):
            await append


async def test_a_hand_over_while_the_server_is_away_ends_and_appends_nothing_afterwards(
    server: PostgresServer, url: str, leader: PostgresJournal
) -> None:
    before = await leader.look()
    async with stopped(server):
        async with asyncio.timeout(PATIENCE_S):
            assert await leader.hand_over() is None
        with pytest.raises(JournalRefused):
            await leader.append(next_batch(None, journal_id=leader.journal_id))
    assert leader.failed is None
    assert await leader.claim(before, "ws://again") is not None
    await fill(leader, [1])


@pytest.mark.parametrize("name", ["fsync", "full_page_writes", "synchronous_commit"])
async def test_a_server_that_would_lose_commits_is_refused(
    server: PostgresServer, url: str, leader: PostgresJournal, name: str
) -> None:
    standby = await PostgresJournal.open(url)
    before = await standby.look()
    async with setting(server, name, "off"):
        with pytest.raises(JournalRefused, match=f"has {name} = off"):
            await standby.claim(before, "ws://standby")
    assert await standby.look() == before
    assert await standby.claim(before, "ws://standby") is not None
    await standby.close()


@pytest.mark.parametrize("commit", ["local", "remote_write", "on", "remote_apply"])
async def test_with_a_synchronous_standby_a_commit_must_wait_until_it_has_flushed(
    server: PostgresServer, url: str, leader: PostgresJournal, commit: str
) -> None:
    await leader.close()
    standby = await PostgresJournal.open(url)
    before = await standby.look()
    async with setting(server, "synchronous_commit", commit):
        async with setting(server, "synchronous_standby_names", "standby1"):  # which is away: a commit would wait
            if commit in ("on", "remote_apply"):
                connection = await Database(url).connect()
                await Database(url).check_durable(connection)
                await connection.close()
            else:
                with pytest.raises(JournalRefused, match=f"has synchronous_commit = {commit}.*names a standby"):
                    async with asyncio.timeout(PATIENCE_S):
                        await standby.claim(before, "ws://standby")
        assert await standby.look() == before
        assert await standby.claim(before, "ws://standby") is not None
    await standby.close()


async def test_a_leader_stops_when_its_server_is_set_to_lose_commits(
    server: PostgresServer, leader: PostgresJournal
) -> None:
    watching = asyncio.create_task(leader.watch())
    await until(lambda: leader.is_replicated is False)
    async with setting(server, "synchronous_commit", "off"), asyncio.timeout(PATIENCE_S):
        with pytest.raises(JournalRefused, match="has synchronous_commit = off"):
            await watching
