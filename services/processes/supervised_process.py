"""A process in a session of its own, so that Ctrl-C reaches only us, who stop it. It ends with us, however we end."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Sequence
from typing import Any

WATCH = """read -r _; kill -s "$1" "$0"; kill -CONT "$0"
for _ in 1 2 3 4 5 6 7 8 9 10; do sleep 1; kill -0 "$0" || exit; done
kill -KILL "$0\""""
"""It reads a pipe that only the starter can write to, and therefore reads the end when the starter has died. The time is
that of a process's own watchdog."""


class SupervisedProcess:
    """The process, and a shell that watches whether we still run."""

    def __init__(self, command: Sequence[str], *, last_signal: signal.Signals = signal.SIGTERM, **options: Any) -> None:
        """`last_signal`: what it gets when we have died; it is killed if that does not end it. `options`: those of `Popen`.
        Raises OSError if it cannot be started."""
        self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True, **options)
        try:
            self._watcher = subprocess.Popen(
                ["sh", "-c", WATCH, str(self._process.pid), last_signal.name.removeprefix("SIG")],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        except OSError:
            self._process.kill()
            self._process.wait()
            raise

    @property
    def pid(self) -> int:
        """Its number."""
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return self.exit_status is None

    @property
    def exit_status(self) -> int | None:
        """How it ended; the negative number of the signal that ended it; None while it runs."""
        return self._process.poll()

    def stop(self, stop_signal: signal.Signals, within_s: float) -> None:
        """Sends the signal and waits for the end; kills a process that has not ended then."""
        if self.running:
            self._process.send_signal(stop_signal)
            try:
                self._process.wait(within_s)
            except subprocess.TimeoutExpired:
                self.kill()
        self._end_watcher()

    def kill(self) -> None:
        """Kills it, if it has not ended."""
        self._process.kill()
        self._process.wait()
        self._end_watcher()

    def _end_watcher(self) -> None:
        self._watcher.kill()
        self._watcher.wait()
        assert self._watcher.stdin is not None
        self._watcher.stdin.close()
