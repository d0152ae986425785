"""What every test may use, and the rule that a CI run skips nothing."""

from __future__ import annotations

import gc
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Generator, Iterator
from pathlib import Path
from tempfile import mkdtemp
from typing import TypeVar
from uuid import uuid4

import pytest
from hypothesis import settings
from rex_client import RexClient

from load_tests.servers.postgres import PostgresServer
from load_tests.servers.redis import ValkeyServer
from load_tests.servers.server_process import ServerMissing
from services.processes.log import log_to_standard_error
from tests.left_behind import STATUS as HAS_LEFT_PROCESSES
from tests.left_behind import left_behind, mark_children
from tests.long import IS_LONG, examples
from tests.patience import PATIENCE_S
from tests.venue_variables import set_variables

MEMORY = Path("/dev/shm")
MEMORY_BYTES = 6 * 2**30
"""What the files of all tests at once need, several times over."""

RIG_FOLDERS = ("browser", "e2e", "faults", "fuzz", "night")

COLLECTION = (50_000, 10, 10)
"""When the garbage collector walks: with Python's 700 objects it took a seventh of the tests with a venue."""

REMOVER = pytest.StashKey["subprocess.Popen[bytes]"]()

set_variables()

# What a script starts with `&` ignores both, and so would every process that a test starts and ends with Ctrl-C.
for number, handler in ((signal.SIGINT, signal.default_int_handler), (signal.SIGQUIT, signal.SIG_DFL)):
    if signal.getsignal(number) is signal.SIG_IGN:
        signal.signal(number, handler)

# Speed is judged in load_tests/, not by a busy machine's clock. A stage of CI draws the same examples each time: it judges the
# change, and not a draw. `make test-long` draws new ones.
settings.register_profile("rex", deadline=None, max_examples=examples(100), derandomize=not IS_LONG)
settings.load_profile("rex")

RexClient.timeout_s = PATIENCE_S

log_to_standard_error()  # As every process of REX: a venue within a test logs like one of its own.


def pytest_configure(config: pytest.Config) -> None:
    """Temporary files are in memory, where a sync is free and tests do not wait for each other's; in a long run on the disk.
    Rigs that cut the power or fill a disk mount one of their own."""
    if hasattr(config, "workerinput"):  # It inherits the mark and TMPDIR.
        return
    mark_children()
    if IS_LONG or not _has_memory():
        return
    folder = mkdtemp(prefix="rex-tests-", dir=MEMORY)
    os.chmod(folder, 0o711)  # PostgreSQL runs as another user than root.
    os.environ["TMPDIR"], tempfile.tempdir = folder, None
    # It reads a pipe that only this process can write to, and therefore reads the end when this process has ended.
    remove = ["sh", "-c", 'read -r _; rm -rf "$0"', folder]
    config.stash[REMOVER] = subprocess.Popen(remove, stdin=subprocess.PIPE, start_new_session=True)


def pytest_itemcollected(item: pytest.Item) -> None:
    """Marks what starts whole venues: `make rigs` runs it, and of it only what is marked `smoke` belongs to the gate."""
    if item.path.relative_to(Path(__file__).parent).parts[0] in RIG_FOLDERS and not item.get_closest_marker("smoke"):
        item.add_marker("rig")


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """A run that leaves a process behind is red. Its workers have ended when this is called."""
    if hasattr(session.config, "workerinput") or not (found := left_behind()):
        return
    session.exitstatus = HAS_LEFT_PROCESSES
    sys.stderr.write("\n  ".join(["\nTHE TESTS HAVE LEFT PROCESSES BEHIND:", *found]) + "\n")


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection() -> Generator[None, object, object]:
    """What is imported stays to the end. The garbage collector walks over what the tests make, not over that, which would be a
    quarter of the collection of the tests."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.collect()
        gc.freeze()
        gc.set_threshold(*COLLECTION)
        gc.enable()


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown() -> None:
    """Lets go of the test's venue. FastAPI's caches know every application's functions, and so keep the venues of all tests
    alive: the garbage collector would walk over a growing heap, a quarter of the processor time of the tests with a venue."""
    models = sys.modules.get("fastapi.dependencies.models")
    for function in vars(models).values() if models else ():
        if hasattr(function, "cache_clear"):
            function.cache_clear()


@pytest.fixture(scope="module", autouse=True)
def _collected() -> Iterator[None]:
    """What the tests of a file have left open is found with the last of them, not with a test of another file. Only what is
    young is walked over: all of it would be a sixth of the time of the unit tests."""
    yield
    gc.collect(1)


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Async tests and fixtures of any scope run on asyncio, as the venue does."""
    return "asyncio"


@pytest.fixture(scope="session")
def shared_postgres() -> Iterator[PostgresServer]:
    """The PostgreSQL server of this test process. Tests use `postgres_url`."""
    with _postgres() as server:
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


def _has_memory() -> bool:
    """Whether there is a file system in memory with room enough, from which programs run (the PostgreSQL of the wheel)."""
    if not MEMORY.exists() or os.statvfs(MEMORY).f_flag & os.ST_NOEXEC:
        return False
    return shutil.disk_usage(MEMORY).free >= MEMORY_BYTES


def _postgres() -> PostgresServer:
    try:
        return PostgresServer()
    except ServerMissing as missing:
        pytest.skip(f"NO TEST WITH POSTGRESQL RAN: {missing}")


def _valkey() -> ValkeyServer:
    try:
        return ValkeyServer()
    except ServerMissing as missing:
        pytest.skip(f"NO TEST WITH VALKEY RAN: {missing}")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """With REX_REQUIRE_EVERYTHING=1, as in CI, a test that is skipped for lack of a part is a failure."""
    return _not_skipped((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """So is a file that is skipped as a whole."""
    return _not_skipped((yield))


Report = TypeVar("Report", pytest.TestReport, pytest.CollectReport)


def _not_skipped(report: Report) -> Report:
    if report.skipped and os.environ.get("REX_REQUIRE_EVERYTHING") == "1":
        report.outcome = "failed"
        report.longrepr = f"{report.nodeid} was skipped where nothing may be: {report.longrepr}"
    return report
