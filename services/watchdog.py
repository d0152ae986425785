"""Ends the process when it does not end by itself after a fault, whatever hangs: a device, a thread, a part of the venue."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable

from services.exit_codes import ExitCode

SECONDS = 10.0
"""How long a process may take to end after a fault."""


def _end(status: int) -> None:
    os._exit(status)  # Nothing is asked any more: not the event loop, not the threads.


class Watchdog:
    """Armed by the first fault; from then on the process has `seconds` to end. `end` ends it with an exit status."""

    def __init__(self, seconds: float | None = None, end: Callable[[int], None] = _end) -> None:
        self._seconds = SECONDS if seconds is None else seconds
        self._end = end
        self._timer: threading.Timer | None = None

    def arm(self, sentence: str) -> None:
        """A fault, as a sentence; later ones change nothing."""
        if self._timer is None:
            self._timer = threading.Timer(self._seconds, self._bite, (sentence,))
            self._timer.daemon = True
            self._timer.start()

    def _bite(self, sentence: str) -> None:
        late = f"the process did not end within {self._seconds:g} seconds after this; its watchdog ended it"
        os.write(2, f"rex: {sentence}\nrex: {late}\n".encode())
        self._end(ExitCode.WATCHDOG)
