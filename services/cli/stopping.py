"""The signals that stop a process: the first stops it in order, within the watchdog's time; the second ends it at once."""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import suppress

from services.processes.watchdog import Watchdog

SIGNALS = (signal.SIGINT, signal.SIGTERM)


def say_stopping(what: str) -> None:
    """One line on standard error, at once: a stop takes seconds. Perhaps nobody reads it: Ctrl-C also ends a `tee`."""
    with suppress(OSError):
        os.write(2, f"rex: stopping: {what}\n".encode())


def stop_signal(watchdog: Watchdog) -> asyncio.Event:
    """An event that the first signal sets. From then on the watchdog counts, and a second signal does what it does to a process
    that has no handler: it ends it, also one whose event loop hangs. What was acknowledged is durable by then."""
    loop, stop = asyncio.get_running_loop(), asyncio.Event()

    def first() -> None:
        for number in SIGNALS:
            loop.remove_signal_handler(number)
            signal.signal(number, signal.SIG_DFL)
        watchdog.arm("it was told to stop")
        stop.set()

    for number in SIGNALS:
        loop.add_signal_handler(number, first)
    return stop
