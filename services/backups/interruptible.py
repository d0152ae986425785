"""Long work in a thread, which ends soon after Ctrl-C."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from threading import Event
from typing import TypeVar

T = TypeVar("T")

Check = Callable[[], None]
"""Is called between two pieces of the work; raises once nobody waits for it any more."""


class Interrupted(Exception):
    """Ends the work. Nobody sees it: whoever waited was cancelled."""


async def in_thread(work: Callable[[Check], T]) -> T:
    """Runs the work in a thread. If the task that waits is cancelled, the work ends at its next piece, and then the task does:
    so it may remove what the work has made."""
    cancelled = Event()

    def check() -> None:
        if cancelled.is_set():
            raise Interrupted

    running = asyncio.get_running_loop().run_in_executor(None, work, check)
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        cancelled.set()
        await asyncio.wait([running])
        running.exception()  # Retrieved: otherwise the loop reports it.
        raise
