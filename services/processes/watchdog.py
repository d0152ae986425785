"""Ends the process if it does not end by itself after a fault or a signal, whatever hangs: a device, a thread, a part of the
venue."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable

from services.processes.exit_codes import ExitCode

SECONDS = 10.0
"""How long a process may take to end after a fault, or after it was told to stop."""


def _end(status: int) -> None:
    os._exit(status)  # Without cleanup, which may be what hangs: event loop, threads, atexit handlers.


class Watchdog:
    """Armed by the first fault or signal; then the process has `seconds` to end before `end` is called with an exit status."""

    def __init__(self, seconds: float | None = None, end: Callable[[int], None] = _end) -> None:
        self._seconds = SECONDS if seconds is None else seconds
        self._end = end
        self._timer: threading.Timer | None = None

    def arm(self, sentence: str) -> None:
        """Starts the time with the first reason, a sentence; later calls do nothing."""
        if self._timer is None:
            self._timer = threading.Timer(self._seconds, self._end_process, (sentence,))
            self._timer.daemon = True
            self._timer.start()

    def disarm(self) -> None:
        """Ends the time: everything that can hang is closed. It is not armed again."""
        if self._timer is not None:
            self._timer.cancel()

    def _end_process(self, sentence: str) -> None:
        late = f"the process did not end within {self._seconds:g} seconds after this; its watchdog ended it"
        os.write(2, f"rex: {sentence}\nrex: {late}\n".encode())
        self._end(ExitCode.WATCHDOG)
