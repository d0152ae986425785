"""PostgreSQL fails over to a standby: a synchronous one loses nothing; after an asynchronous one the venue stops."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from load_tests.servers.postgres import PostgresServer
from load_tests.servers.server_process import ServerMissing
from load_tests.servers.standby import PostgresStandby
from services.journal import JournalLost, JournalUnclaimed
from services.journal.postgres.journal import PostgresJournal
from tests.integration.journal_contract import fill, read_all
from tests.integration.postgres_journal import execute, lead, until
from tests.patience import PATIENCE_S
from tests.unit.journal.chains import next_batch

pytestmark = [pytest.mark.anyio, pytest.mark.slow, pytest.mark.rig]


@pytest.fixture
def pair() -> Iterator[tuple[PostgresServer, PostgresStandby]]:
    try:
        with PostgresServer() as primary, PostgresStandby(primary) as standby:
            yield primary, standby
    except ServerMissing as missing:
        pytest.skip(f"NO TEST WITH POSTGRESQL RAN: {missing}")


def url_of(*servers: PostgresServer) -> str:
    """The address of a cluster: the primary is found among the hosts."""
    hosts = ",".join(f"127.0.0.1:{server.port}" for server in servers)
    return f"postgresql://postgres:{servers[0].password}@{hosts}/postgres"


async def test_after_a_failover_to_the_synchronous_standby_nothing_is_lost(
    pair: tuple[PostgresServer, PostgresStandby],
) -> None:
    primary, standby = pair
    await asyncio.to_thread(standby.make_synchronous)
    leader = await lead(url_of(primary, standby))
    batches = await fill(leader, [2, 1])
    watching = asyncio.create_task(leader.watch())
    await until(lambda: leader.is_replicated)
    reader = await PostgresJournal.open(url_of(primary, standby))
    await asyncio.to_thread(standby.kill)

    # The row is committed on the primary only. The writer loses its connection: the row is visible, and on no standby.
    batch = next_batch(batches[-1], journal_id=leader.journal_id)
    append = asyncio.ensure_future(leader.append(batch))
    sql = "SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
    await until(lambda: execute(primary.url(), sql))
    await execute(primary.url(), "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'")
    await until(lambda: execute(primary.url(), "SELECT FROM journal WHERE first_seq = $1", batch.first_seq))
    await until(lambda: execute(primary.url(), sql))  # the barrier of the writer waits
    assert not append.done()
    assert await read_all(reader) == [*batches, batch]

    await asyncio.to_thread(primary.kill)
    await asyncio.to_thread(standby.start)
    await asyncio.to_thread(standby.promote)
    async with asyncio.timeout(PATIENCE_S):
        await append
    assert await read_all(leader) == await read_all(reader) == [*batches, batch]
    assert leader.failed is None
    batches += [batch, *await fill(leader, [1])]
    assert await read_all(reader, batch.last_seq) == batches[-1:]
    await reader.close()
    await until(lambda: leader.is_replicated is False)
    watching.cancel()
    await leader.close()
    reader = await PostgresJournal.open(standby.url())
    assert await read_all(reader) == batches
    await reader.close()


async def test_a_claim_does_not_end_a_session_that_waits_for_the_synchronous_standby(
    pair: tuple[PostgresServer, PostgresStandby],
) -> None:
    """Its commit would become visible, and be gone after a failover; the claim would wait as well."""
    primary, standby = pair
    await asyncio.to_thread(standby.make_synchronous)
    leader = await lead(primary.url())
    batches = await fill(leader, [2])
    rival = await PostgresJournal.open(primary.url())
    seen = await rival.look()
    await asyncio.to_thread(standby.kill)
    append = asyncio.ensure_future(leader.append(next_batch(batches[-1], journal_id=leader.journal_id)))
    await until(lambda: execute(primary.url(), "SELECT FROM pg_stat_activity WHERE wait_event = 'SyncRep'"))
    async with asyncio.timeout(PATIENCE_S):
        with pytest.raises(JournalUnclaimed, match="another session locks the writer row"):
            await rival.claim(seen, "ws://rival")
    assert await rival.look() == seen
    await asyncio.to_thread(standby.start)
    async with asyncio.timeout(PATIENCE_S):
        await append
    await fill(leader, [1])
    await leader.close()
    await rival.close()


async def test_an_asynchronous_standby_that_lacks_rows_stops_writer_and_readers(
    pair: tuple[PostgresServer, PostgresStandby],
) -> None:
    primary, standby = pair
    leader = await lead(url_of(primary, standby))
    batches = await fill(leader, [2, 1])
    await until(
        lambda: execute(primary.url(), "SELECT pg_current_wal_lsn() = replay_lsn FROM pg_stat_replication"), is_true
    )
    reader = await PostgresJournal.open(url_of(primary, standby))
    await asyncio.to_thread(standby.kill)
    batches += await fill(leader, [3, 1])
    assert await read_all(reader) == batches

    await asyncio.to_thread(primary.kill)
    await asyncio.to_thread(standby.start)
    await asyncio.to_thread(standby.promote)
    async with asyncio.timeout(PATIENCE_S):
        with pytest.raises(JournalLost, match="lost commands from seq 4 on"):
            await leader.append(next_batch(batches[-1], journal_id=leader.journal_id))
        with pytest.raises(JournalLost, match="lost commands from seq 4 on"):
            await reader.look()
    assert isinstance(leader.failed, JournalLost)
    await leader.close()
    await reader.close()


def is_true(rows: list[tuple[bool]]) -> bool:
    return bool(rows) and rows[0][0]
