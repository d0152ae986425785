"""A read database of each kind, for the tests that hold for both; a venue for each test, one for all refusals of a file; and
the rule that every message and answer of a venue is as documented."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Generator, Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from load_tests.servers.postgres import PostgresServer
from services.read_model.postgres.database import make_tables
from tests.integration import documented
from tests.integration.ccxt_market import CcxtMarket, running_market
from tests.integration.read_databases import ReadDatabase
from tests.integration.venue import RunningVenue, running_venue

documented.watch_websockets()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call() -> Generator[None, object, object]:
    """A test fails whose client was told what the documents do not say, whatever became of the exception."""
    try:
        return (yield)
    finally:
        if found := list(documented.taken()):
            raise documented.Undocumented(found[0])


@pytest.fixture(scope="session")
def empty_tables(shared_postgres: PostgresServer) -> str:
    """The name of a PostgreSQL database with the tables of a read database: a copy takes half the time of making them."""
    name = "rex_empty_tables"
    asyncio.run(make_tables(shared_postgres.create_database(name)))
    return name


@pytest.fixture(params=["sqlite", "postgres"])
def read_database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ReadDatabase]:
    """A read database with tables and without rows."""
    if request.param == "sqlite":
        asyncio.run(ReadDatabase(tmp_path).make())
        yield ReadDatabase(tmp_path)
        return
    server: PostgresServer = request.getfixturevalue("shared_postgres")
    name = f"rex_{uuid4().hex}"
    yield ReadDatabase(tmp_path, server.create_database(name, request.getfixturevalue("empty_tables")))
    server.drop_database(name)


@pytest.fixture
async def venue(tmp_path: Path) -> AsyncIterator[RunningVenue]:
    """A venue of the test's own."""
    async with running_venue(tmp_path) as running:
        yield running


@pytest.fixture(scope="module")
async def refusing_venue(tmp_path_factory: pytest.TempPathFactory, anyio_backend: str) -> AsyncIterator[RunningVenue]:
    """A venue for those tests of a file whose requests are refused, or only read: nothing changes it."""
    async with running_venue(tmp_path_factory.mktemp("refusing")) as running:
        yield running


@pytest.fixture(scope="module")
async def ccxt_market(tmp_path_factory: pytest.TempPathFactory, anyio_backend: str) -> AsyncIterator[CcxtMarket]:
    """A market for the tests of a file that trade through the ccxt adapter."""
    async with running_market(tmp_path_factory.mktemp("ccxt")) as market:
        yield market
