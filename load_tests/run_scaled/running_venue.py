"""The processes of a scaled venue: started in the order of the compose file, replaced when they end, stopped in reverse."""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import NoReturn

from load_tests.run_scaled.compose_file import COMPOSE_FILE, Config, Service, rex_services
from load_tests.run_scaled.this_machine import HOST, ThisMachine
from load_tests.servers.postgres import PostgresServer
from load_tests.servers.redis import ValkeyServer
from load_tests.servers.server_process import ServerFailed, ServerProcess
from services.scaled.launch import REX

DATABASE = "rex"
PORT = "8000"
"""The port of every service that answers HTTP, in the compose file."""
HAPROXY = "haproxy"
WATCH_EVERY_S = 0.2
RESTART_AFTER_S = 1.0


class RunningVenue:
    """A venue of processes. `start` and `stop` are called by `running_venue`."""

    def __init__(
        self, config: Config, machine: ThisMachine, folder: Path, servers: Mapping[str, PostgresServer | ValkeyServer]
    ) -> None:
        self.servers = servers
        self._services = {service.name: service for service in rex_services(config)}
        self._machine = machine
        self._haproxy = shutil.which("haproxy", path=f"{os.environ['PATH']}:/usr/sbin")
        self._folder = folder
        self.keys_file = folder / "keys" / "keys.json"
        """The keys that `rex init` made."""
        self.logs = folder / "logs"
        self.processes: dict[str, ServerProcess] = {}
        """The running processes, by the name of their service."""

    @property
    def database_url(self) -> str:
        """The address of the venue's database, with its password: that of a server which ends with the venue."""
        postgres = self.servers["postgres"]
        assert isinstance(postgres, PostgresServer)
        return postgres.url(DATABASE)

    @property
    def url(self) -> str:
        """The address of the gateways: HAProxy's, or the first gateway's where HAProxy is not installed."""
        return self.url_of("gateway-1" if self._haproxy is None else HAPROXY)

    def url_of(self, name: str, port: str = PORT) -> str:
        """The address of one service here, by its port in the compose file."""
        return f"http://{HOST}:{self._machine.port(name, port)}"

    def pid_of(self, name: str) -> int:
        """The process id of one service."""
        return self.processes[name].pid

    def start(self) -> None:
        """Runs the one-shots, starts everything else, and waits until all are ready. Raises ServerFailed."""
        self.logs.mkdir(parents=True, exist_ok=True)
        for service in self._services.values():
            if service.restarts:
                self._start(service)
            else:
                self._run(service)
        if self._haproxy is not None:
            self._start_haproxy(self._haproxy)
        for name, process in self.processes.items():
            process.wait_until(partial(_answers, f"{self.url_of(name)}/readyz"))
        if self._haproxy is not None:
            self.processes[HAPROXY].wait_until(partial(_answers, f"{self.url}/ui/"))

    def stop(self) -> None:
        """Stops the processes, the last one first."""
        for process in reversed(self.processes.values()):
            process.stop(signal.SIGTERM)

    def watch(self, say: Callable[[str], None]) -> NoReturn:
        """Starts each server and process again that has ended, as the compose file says. Runs until it is interrupted."""
        while True:
            time.sleep(WATCH_EVERY_S)
            self.restart_ended(say)

    def restart_ended(self, say: Callable[[str], None]) -> None:
        """Starts what has ended, and says so. Does not wait until it is ready."""
        for name, server in self.servers.items():
            if not server.running:
                say(f"{name} ended. It starts again.")
                server.stop()
                time.sleep(RESTART_AFTER_S)
                server.start()
        for name, process in self.processes.items():
            if not process.running:
                say(f"{name} (process {process.pid}) ended with status {process.exit_status}.")
                process.stop(signal.SIGTERM)
                time.sleep(RESTART_AFTER_S)
                self._restart(name)
                say(f"{name} starts again as process {self.pid_of(name)}.")

    def _restart(self, name: str) -> None:
        if name == HAPROXY:
            assert self._haproxy is not None
            self._start_haproxy(self._haproxy)
        else:
            self._start(self._services[name])

    def _start(self, service: Service) -> None:
        log = self.logs / f"{service.name}.log"
        environment = self._machine.environment(service)
        self.processes[service.name] = ServerProcess(_command(service), log, environment=environment)

    def _run(self, service: Service) -> None:
        done = subprocess.run(
            _command(service),
            env=self._machine.environment(service),
            cwd=self._folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        (self.logs / f"{service.name}.log").write_text(done.stdout)
        if done.returncode:
            raise ServerFailed(f"{service.name} ended with status {done.returncode}:\n{done.stdout}")

    def _start_haproxy(self, program: str) -> None:
        config = self._folder / "haproxy.cfg"
        config.write_text(self._machine.text(HAPROXY, (COMPOSE_FILE.parent / "deploy/haproxy.cfg").read_text()))
        self.processes[HAPROXY] = ServerProcess([program, "-db", "-f", str(config)], self.logs / "haproxy.log")


class FolderInUse(ServerFailed):
    """Another process runs a venue in the folder."""


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Holds the folder's lock, which ends with this process however it ends. Raises FolderInUse if another process has it."""
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            sentence = f"another `make run-scaled` runs the venue in {folder}: stop it first, or name another FOLDER"
            raise FolderInUse(sentence) from None
        yield


@contextmanager
def running_venue(config: Config, folder: Path) -> Iterator[RunningVenue]:
    """Starts servers and processes in `folder`, which may hold an earlier venue; stops them at the end.

    Raises FolderInUse, ServerMissing and ServerFailed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o711)  # Root's PostgreSQL runs as another user, who must reach its data.
    with ExitStack() as opened:
        opened.enter_context(alone_in(folder))
        postgres = opened.enter_context(PostgresServer(folder / "postgres"))
        redis = opened.enter_context(ValkeyServer())
        machine = ThisMachine(config["services"], folder / "keys", _database(postgres), redis.url())
        venue = RunningVenue(config, machine, folder, {"postgres": postgres, "redis": redis})
        opened.callback(venue.stop)
        venue.start()
        yield venue


def _database(postgres: PostgresServer) -> str:
    if not postgres.query(f"SELECT 1 FROM pg_database WHERE datname = '{DATABASE}'"):
        return postgres.create_database(DATABASE)
    return postgres.url(DATABASE)


def _command(service: Service) -> list[str]:
    return [REX, *service.command[1:]]


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=1):
            return True
    except OSError:
        return False
