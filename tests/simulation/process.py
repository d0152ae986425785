"""A simulated process: the tasks that belong to it, and what ends or stops them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextvars import Context, ContextVar, copy_context
from typing import Any

PROCESS: ContextVar[Process | None] = ContextVar("process", default=None)
"""The process that the running callback belongs to; None: the simulation itself."""


class Process:
    """Every task that is made in its context belongs to it.

    A killed process does nothing more that another one could notice: its connections are dead before its tasks unwind. A
    stopped one (SIGSTOP) keeps its connections; what is due for it waits until it goes on.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.alive = True
        self.stopped = False
        self.waiting: list[asyncio.Handle] = []
        """What was due while it was stopped, oldest first."""
        self.tasks: dict[int, asyncio.Task[Any]] = {}
        self.on_end: list[Callable[[], None]] = []
        """The system's part of its end: what closes its connections and listeners."""
        self.context: Context = copy_context()
        self.context.run(PROCESS.set, self)

    def end(self) -> None:
        """It is gone. Its tasks still have to unwind: `unwind`."""
        self.alive = False
        for close in self.on_end:
            close()
        self.on_end.clear()

    async def unwind(self) -> None:
        """Cancels its tasks until none is left. What has not begun begins first: Python warns of a coroutine that never did."""
        await asyncio.sleep(0)
        while self.tasks:
            tasks = list(self.tasks.values())
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks, timeout=60)
