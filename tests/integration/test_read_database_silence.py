"""Queries in PostgreSQL over a connection that answers nothing: they end in time, and the next ones get another connection."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncEngine

from load_tests.servers.postgres import PostgresServer
from services.journal.postgres import connections
from services.read_model.errors import ReadDatabaseAway, ReadDatabaseSilent
from services.read_model.postgres import answering, database
from services.read_model.postgres.answering import bound_queries
from services.read_model.postgres.database import make_tables, open_read_database
from services.read_model.tables import position
from tests.faults.tcp_proxy import DIRECTIONS, TcpProxy
from tests.integration.postgres_journal import execute, until
from tests.patience import PATIENCE_S

pytestmark = [pytest.mark.anyio, pytest.mark.rig]

BOUND_S = 0.5
BOUNDS = ((answering, "ANSWER_S"), (database, "ANSWER_S"), (answering, "ALIVE_S"), (connections, "CONNECT_S"))
POSITION = select(position.c.seq)


@pytest.fixture
async def proxy(shared_postgres: PostgresServer) -> AsyncIterator[TcpProxy]:
    """Stands before the server."""
    async with TcpProxy(("127.0.0.1", shared_postgres.port)).running() as one:
        yield one


@pytest.fixture
async def queries(
    proxy: TcpProxy, postgres_url: str, shared_postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[AsyncEngine]:
    """What a gateway queries, through the proxy; its bounds are long, but within `hasty`."""
    for module, name in BOUNDS:
        monkeypatch.setattr(module, name, PATIENCE_S)
    await make_tables(postgres_url)
    engine = await open_read_database(postgres_url.replace(f":{shared_postgres.port}/", f":{proxy.port}/"))
    bound_queries(engine)
    yield engine
    await engine.dispose()


@contextmanager
def hasty(*names: str) -> Iterator[None]:
    """The bounds of these names are short: what must end by them happens within."""
    with pytest.MonkeyPatch.context() as patch:
        for module, name in BOUNDS:
            if name in names:
                patch.setattr(module, name, BOUND_S)
        yield


async def ask(engine: AsyncEngine) -> object:
    async with asyncio.timeout(PATIENCE_S), engine.connect() as connection:
        return await connection.scalar(POSITION)


async def test_a_connection_from_the_pool_that_answers_nothing_is_replaced(
    proxy: TcpProxy, queries: AsyncEngine
) -> None:
    assert await ask(queries) is None
    await proxy.black_hole(*DIRECTIONS)
    sentence = r"cannot be reached: no answer of a PostgreSQL server within 0\.5 s"
    with hasty("ALIVE_S", "CONNECT_S"), pytest.raises(ReadDatabaseAway, match=sentence):
        await ask(queries)
    await proxy.cut()
    await proxy.heal()
    assert await ask(queries) is None


async def test_a_query_without_an_answer_ends_with_a_sentence_and_leaves_the_pool_usable(
    postgres_url: str, queries: AsyncEngine
) -> None:
    sentence = r"PostgreSQL at .* has not answered a query within 0\.5 s"
    async with asyncio.timeout(PATIENCE_S):
        with hasty("ANSWER_S"), pytest.raises(ReadDatabaseSilent, match=sentence) as silent:
            async with queries.connect() as connection:
                await connection.execute(text("SELECT pg_sleep(600)"))
    assert silent.value.waited_s == BOUND_S
    assert await ask(queries) is None
    running = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE '%sleep(600)'"
    await until(lambda: execute(postgres_url, running), lambda rows: rows[0][0] == 0)


async def ask_and_fall_silent(engine: AsyncEngine, proxy: TcpProxy, answered: int) -> None:
    """Asks in one transaction; after so many answers none arrives."""
    async with asyncio.timeout(PATIENCE_S), engine.connect() as connection:
        for _ in range(answered):
            await connection.scalar(POSITION)
        await proxy.black_hole("to_client")
        await connection.scalar(POSITION)


@pytest.mark.parametrize("answered", [0, 1])
async def test_a_black_hole_in_the_middle_of_a_transaction_ends_it(
    proxy: TcpProxy, queries: AsyncEngine, answered: int
) -> None:
    with hasty("ANSWER_S"), pytest.raises(ReadDatabaseSilent):
        await ask_and_fall_silent(queries, proxy, answered)
    await proxy.cut()
    await proxy.heal()
    assert await ask(queries) is None


async def test_more_queries_than_connections_all_end(proxy: TcpProxy, queries: AsyncEngine) -> None:
    await proxy.black_hole(*DIRECTIONS)
    with hasty("ALIVE_S", "CONNECT_S"):
        ended = await asyncio.gather(*(ask(queries) for _ in range(25)), return_exceptions=True)
    assert {type(one) for one in ended} == {ReadDatabaseAway}


async def test_connections_that_the_server_has_ended_are_replaced_unseen(
    postgres_url: str, queries: AsyncEngine
) -> None:
    async with queries.connect() as one, queries.connect() as other:
        await one.scalar(POSITION)
        await other.scalar(POSITION)
    ending = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
    await execute(postgres_url, f"{ending} AND pid <> pg_backend_pid()")
    assert await ask(queries) is await ask(queries) is None
