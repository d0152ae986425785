"""The PostgreSQL standby that fault tests use: synchronous, asynchronous, promoted."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import asyncpg
import pytest

from load_tests.servers.postgres import PostgresServer
from load_tests.servers.standby import PostgresStandby
from tests.patience import PATIENCE_S

pytestmark = [pytest.mark.anyio, pytest.mark.slow, pytest.mark.rig]
SOON_S = 0.5
ROWS = "SELECT string_agg(n::text, ' ' ORDER BY n) FROM kept"


@pytest.fixture
def standby(postgres_server: PostgresServer) -> Iterator[PostgresStandby]:
    postgres_server.query("CREATE TABLE kept (n int)")
    with PostgresStandby(postgres_server) as standby:
        yield standby


async def test_a_commit_waits_for_the_synchronous_standby(
    postgres_server: PostgresServer, standby: PostgresStandby
) -> None:
    standby.make_synchronous()
    connection = await asyncpg.connect(postgres_server.url())
    await asyncio.wait_for(connection.execute("INSERT INTO kept VALUES (1)"), PATIENCE_S)

    standby.kill()
    commit = asyncio.create_task(connection.execute("INSERT INTO kept VALUES (2)"))
    done, _ = await asyncio.wait({commit}, timeout=SOON_S)
    assert not done, "the commit returned without the standby"
    assert postgres_server.query(ROWS) == "1"

    standby.start()
    await asyncio.wait_for(commit, PATIENCE_S)
    await connection.close()
    postgres_server.kill()
    standby.promote()
    assert standby.query(ROWS) == "1 2"
    standby.query("INSERT INTO kept VALUES (3)")  # It has no standby, and waits for none.


async def test_an_asynchronous_standby_lacks_what_it_has_not_received(
    postgres_server: PostgresServer, standby: PostgresStandby
) -> None:
    standby.wait_until_attached("async")
    standby.kill()
    postgres_server.query("INSERT INTO kept VALUES (1)")
    postgres_server.kill()
    standby.start()
    assert standby.query("SELECT pg_is_in_recovery()") == "t"
    standby.promote()
    assert standby.query("SELECT count(*) FROM kept") == "0"
