"""What every test may use, and the rule that a CI run skips nothing."""

from __future__ import annotations

import gc
import os
import shutil
import sys
from collections.abc import Generator, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

import pytest
from hypothesis import settings

from load_tests.servers.postgres import PostgresServer
from load_tests.servers.redis import ValkeyServer
from load_tests.servers.server_process import ServerMissing
from tests.venue_variables import set_variables

MEMORY = Path("/dev/shm")
MEMORY_BYTES = 2**30
"""What the shared server may need, many times over: 128 MB of log, and one database of 8 MB or more at a time."""

RIG_FOLDERS = ("browser", "e2e", "faults")

set_variables()
settings.register_profile("rex", deadline=None)  # Speed is judged in load_tests/, not by a busy machine's clock.
settings.load_profile("rex")


def pytest_itemcollected(item: pytest.Item) -> None:
    """Marks what starts whole venues: `make rigs` runs it, and of it only what is marked `smoke` belongs to the gate."""
    if item.path.relative_to(Path(__file__).parent).parts[0] in RIG_FOLDERS and not item.get_closest_marker("smoke"):
        item.add_marker("rig")


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    """What was imported stays to the end: from here on the garbage collector walks over what the tests make, not over that."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown() -> None:
    """Lets go of the test's venue. FastAPI's caches know every application's functions, and so keep the venues of all tests
    alive: the garbage collector would walk over a growing heap, a quarter of the processor time of the tests with a venue."""
    models = sys.modules.get("fastapi.dependencies.models")
    for function in vars(models).values() if models else ():
        if hasattr(function, "cache_clear"):
            function.cache_clear()


@pytest.fixture
def anyio_backend() -> str:
    """Async tests run on asyncio, as the venue does."""
    return "asyncio"


@pytest.fixture(scope="session")
def shared_postgres() -> Iterator[PostgresServer]:
    """The PostgreSQL server of this test process, in memory where there is room. Tests use `postgres_url`."""
    with TemporaryDirectory(prefix="rex-postgres-", dir=_memory()) as folder, _postgres(Path(folder)) as server:
        yield server


@pytest.fixture
def postgres_url(shared_postgres: PostgresServer) -> Iterator[str]:
    """The address of a fresh empty PostgreSQL database, removed after the test."""
    name = f"rex_{uuid4().hex}"
    yield shared_postgres.create_database(name)
    shared_postgres.drop_database(name)


@pytest.fixture
def postgres_server() -> Iterator[PostgresServer]:
    """A PostgreSQL server of the test's own, to pause, kill and start again."""
    with _postgres() as server:
        yield server


@pytest.fixture(scope="session")
def shared_valkey() -> Iterator[ValkeyServer]:
    """The Valkey server of this test process. Tests use `redis_url`."""
    with _valkey() as server:
        yield server


@pytest.fixture
def redis_url(shared_valkey: ValkeyServer) -> str:
    """The address of a Valkey server without keys."""
    shared_valkey.flush()
    return shared_valkey.url()


@pytest.fixture
def valkey_server() -> Iterator[ValkeyServer]:
    """A Valkey server of the test's own, to pause, kill and start again."""
    with _valkey() as server:
        yield server


def _memory() -> Path | None:
    """A folder in memory, or None for that of temporary files. To make and drop a database costs five times as much on a disk.
    What a test does to a server's process or disk, it does to a server of its own, on a disk (`postgres_server`)."""
    # The wheel's binaries may be copied to the folder.
    if not MEMORY.exists() or os.statvfs(MEMORY).f_flag & os.ST_NOEXEC:
        return None
    return MEMORY if shutil.disk_usage(MEMORY).free >= MEMORY_BYTES else None


def _postgres(folder: Path | None = None) -> PostgresServer:
    try:
        return PostgresServer(folder)
    except ServerMissing as missing:
        pytest.skip(f"NO TEST WITH POSTGRESQL RAN: {missing}")


def _valkey() -> ValkeyServer:
    try:
        return ValkeyServer()
    except ServerMissing as missing:
        pytest.skip(f"NO TEST WITH VALKEY RAN: {missing}")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """With REX_REQUIRE_EVERYTHING=1, as in CI, a test that is skipped for lack of a part is a failure."""
    report = yield
    if report.skipped and os.environ.get("REX_REQUIRE_EVERYTHING") == "1":
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} was skipped where nothing may be: {report.longrepr}"
    return report
