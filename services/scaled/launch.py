"""Starts processes of REX, each of which prints one JSON line when it is ready, and stops them."""

from __future__ import annotations

import json
import select
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from services.processes.supervised_process import SupervisedProcess

REX = str(Path(sys.executable).with_name("rex"))
STOP_S = 20.0
"""How long a process may take to end after SIGTERM; then it is killed. Its own watchdog takes half of it."""
LOOK_EVERY_S = 0.2
"""Seconds between two looks at which processes run."""


class DidNotStart(OSError):
    """A process ended, or printed anything else, before it was ready. Carries its exit status and its output."""

    def __init__(self, name: str, exit_status: int | None, said: str) -> None:
        super().__init__(f"{name} did not start (exit status {exit_status}): {said.strip()}".removesuffix(": "))
        self.exit_status = exit_status
        self.said = said


def rex_arguments(kind: str, *options: str) -> list[str]:
    """Those of `rex` for a process that says when it is ready; on a free port, unless an option names one."""
    return [kind, "--port", "0", "--json", *options]


def ready_in(line: str | bytes) -> dict[str, Any] | None:
    """What a process says in its first line when it is ready; None where it is no JSON object."""
    try:
        ready = json.loads(line)
    except ValueError:
        return None
    return ready if isinstance(ready, dict) else None


class Launched(SupervisedProcess):
    """A process that prints a JSON line when it is ready, and ends in order on SIGTERM."""

    def __init__(self, name: str, command: Sequence[str], errors: IO[bytes] | None = None, **options: Any) -> None:
        """`errors`: the file that gets its standard error, without which it is ours. `options`: those of `Popen`."""
        super().__init__(command, stdout=subprocess.PIPE, stderr=errors, **options)
        self.name = name
        self._errors = errors
        assert self._process.stdout is not None
        self.out = self._process.stdout
        self.ready: dict[str, Any] | None = None
        """What it said when it was ready."""

    def __str__(self) -> str:
        return f"{self.name} (process {self.pid})"

    @property
    def url(self) -> str:
        """Its address, once it is ready."""
        assert self.ready is not None
        return str(self.ready["url"])

    @property
    def end(self) -> str:
        """How it has ended, in words."""
        status = self.exit_status or 0
        return f"ended with exit status {status}" if status >= 0 else f"been ended by {signal.Signals(-status).name}"

    def wait_ready(self) -> dict[str, Any]:
        """Waits for its line. Raises DidNotStart, after its end."""
        line = self.out.readline()
        ready = ready_in(line)
        if ready is None:
            self.stop()
            if self._errors is not None:
                self._errors.seek(0)
                line += self._errors.read()
            raise DidNotStart(str(self), self.exit_status, line.decode(errors="replace"))
        self.ready = ready
        return ready

    def stop(self, stop_signal: signal.Signals = signal.SIGTERM, within_s: float = STOP_S) -> None:
        """Ends it in order, or kills it after so many seconds."""
        super().stop(stop_signal, within_s)
        self.out.close()


class LaunchedVenue:
    """The processes of one scaled venue, in the order of their start."""

    def __init__(self, environment: Mapping[str, str], errors: IO[bytes] | None = None) -> None:
        self._environment = environment
        self._errors = errors
        self.processes: list[Launched] = []

    def start(self, kind: str, *options: str) -> Launched:
        """Starts `rex KIND`, without a wait until it is ready."""
        command = [REX, *rex_arguments(kind, *options)]
        self.processes.append(Launched(f"rex {kind}", command, self._errors, env=self._environment))
        return self.processes[-1]

    def wait_ready(self) -> None:
        """Waits until all are ready. Raises DidNotStart for the first that has ended before."""
        while starting := {one.out: one for one in self.processes if one.ready is None}:
            for out in select.select(starting, [], [], LOOK_EVERY_S)[0]:
                starting[out].wait_ready()

    def take_ended(self) -> list[Launched]:
        """Those that have ended by themselves since they were last asked for."""
        ended = [one for one in self.processes if not one.running]
        for one in ended:
            self.processes.remove(one)
            one.stop()
        return ended

    def stop(self) -> None:
        """Stops them one by one, the last one first."""
        while self.processes:
            self.processes.pop().stop()
