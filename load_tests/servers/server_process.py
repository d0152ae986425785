"""One server process: its log, its signals, and its end when this process dies."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pwd
import random
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypedDict

from services.processes.supervised_process import SupervisedProcess

PATIENCE_S = 300
"""How long a start and an end may take: no busy machine reaches it."""
POLL_S = 0.02
LOG_TAIL_BYTES = 4_000
LAST_SIGNAL = signal.SIGQUIT
"""When the starter has died. A server that a shell started in the background ignores it. PostgreSQL kills paused children five
seconds after it; after SIGKILL of its first process the others end by themselves."""
PORTS = range(10_000, 32_000)
"""Below the ports that Linux gives to outgoing connections: one of those could take the port while its server is down."""
_LAST_GIVEN = Path(tempfile.gettempdir(), f"rex-port-{os.getuid()}")
"""The port that was given last. Processes with one folder for temporary files lock it while they choose one."""


class ServerMissing(Exception):
    """This machine has no such server. The message says how to install one."""


class ServerFailed(Exception):
    """The server ended, or did not answer in time. The message holds the end of its log."""


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nobody listens on. No process that shares `_LAST_GIVEN` gets it again before all others
    were given: who has it may listen later, or stop and listen again."""
    with _LAST_GIVEN.open("a+", encoding="ascii") as last_given:
        fcntl.flock(last_given, fcntl.LOCK_EX)
        last_given.seek(0)
        first = int(last_given.read() or random.choice(PORTS)) + 1 - PORTS.start
        for number in range(len(PORTS)):
            port = PORTS[(first + number) % len(PORTS)]
            with socket.socket() as probe, contextlib.suppress(OSError):
                probe.bind(("127.0.0.1", port))
                last_given.truncate(0)
                last_given.write(str(port))
                return port
    raise ServerFailed(f"no free port between {PORTS.start} and {PORTS.stop}")


class ServerProcess(SupervisedProcess):
    """A started server, and its log."""

    def __init__(
        self,
        command: Sequence[str],
        log: Path,
        user: str | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._log = log
        self._name = Path(command[0]).name
        with log.open("ab") as output:
            self._log_start = output.tell()
            super().__init__(
                command,
                last_signal=LAST_SIGNAL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=log.parent,
                env=environment,
                **as_user(user),
            )

    def wait_until(self, ready: Callable[[], bool]) -> None:
        """Returns when the server is ready. Raises ServerFailed when it has ended or does not become ready in time."""
        deadline = time.monotonic() + PATIENCE_S
        while not ready():
            if not self.running or time.monotonic() > deadline:
                status = self.exit_status
                self.kill()
                reason = "did not become ready" if status is None else f"ended with status {status}"
                raise ServerFailed(f"{self._name} {reason}:\n{self.log_tail()}")
            time.sleep(POLL_S)

    def log_tail(self) -> str:
        """The end of what the server has written to its log since this start."""
        return self._log.read_bytes()[self._log_start :][-LOG_TAIL_BYTES:].decode(errors="replace")

    def stop(self, stop_signal: signal.Signals, within_s: float = PATIENCE_S) -> None:
        """Sends the signal, also to a paused server, and waits for the end; kills a server that does not end."""
        if self.running:
            self.resume()
        super().stop(stop_signal, within_s)

    def kill(self) -> None:
        """SIGKILL to the first process and to its children, which would otherwise end by themselves a little later."""
        self._signal(self.pid, signal.SIGSTOP)  # It starts no more children.
        children = self._children()
        for pid in children:
            self._signal(pid, signal.SIGKILL)
        super().kill()
        deadline = time.monotonic() + PATIENCE_S
        while not all(map(ended, children)):
            assert time.monotonic() < deadline, f"{self._name} left a process after SIGKILL"
            time.sleep(POLL_S)

    def pause(self) -> None:
        """SIGSTOP: sockets stay open, and nothing is answered."""
        for pid in (self.pid, *self._children()):
            self._signal(pid, signal.SIGSTOP)

    def resume(self) -> None:
        """Undoes `pause`."""
        for pid in (*self._children(), self.pid):
            self._signal(pid, signal.SIGCONT)

    def _children(self) -> list[int]:
        """Every PostgreSQL backend has a session of its own, so no process group holds them. Empty where there is no /proc."""
        with contextlib.suppress(OSError):
            return [int(pid) for pid in Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()]
        return []

    def _signal(self, pid: int, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            if pid != self.pid or self.running:
                os.kill(pid, number)


def ended(pid: int) -> bool:
    """Also a process that has ended and that its parent has not waited for."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in "ZX"
    except OSError:
        return True


class UserArguments(TypedDict, total=False):
    """Arguments of `subprocess` that run a command as another user."""

    user: str
    group: int
    extra_groups: list[int]


def as_user(user: str | None) -> UserArguments:
    """Empty for None: this process's own user."""
    return {} if user is None else {"user": user, "group": pwd.getpwnam(user).pw_gid, "extra_groups": []}
