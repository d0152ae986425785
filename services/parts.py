"""The parts of a running venue: tasks of one group, each watched for what stops it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

OnFault = Callable[[BaseException], None]
"""Told at once of whatever stops a part of the venue; the venue then ends by itself."""


class Parts:
    """What stops one of them is told at once, and stops them all."""

    def __init__(self, tasks: asyncio.TaskGroup, on_fault: OnFault) -> None:
        self._tasks = tasks
        self._on_fault = on_fault

    def start(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        """One part."""
        task = self._tasks.create_task(work, name=name)
        task.add_done_callback(self._tell_of_fault)
        return task

    def _tell_of_fault(self, part: asyncio.Task[None]) -> None:
        if not part.cancelled() and (error := part.exception()) is not None:
            self._on_fault(error)


async def end(parts: list[asyncio.Task[None]]) -> None:
    """Ends these, and returns when they have ended."""
    for part in parts:
        part.cancel()
    if parts:
        await asyncio.wait(parts)
