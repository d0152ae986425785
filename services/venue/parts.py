"""The parts of a running venue: tasks of one task group, each watched for the error that stops it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Coroutine
from typing import Any

AGAIN_S = 5.0
"""Longer than a part needs to end, and within the watchdog's time."""

OnFault = Callable[[BaseException], None]
"""Called at once with the error that stops a part of the venue; the venue then ends by itself."""


def ignore_fault(_error: BaseException) -> None:
    """The default: the error still ends the venue."""


class Parts:
    """Starts tasks in a task group. An error of one is reported to `on_fault` at once and stops all of them."""

    def __init__(self, tasks: asyncio.TaskGroup, on_fault: OnFault) -> None:
        self._tasks = tasks
        self._on_fault = on_fault

    def start(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        """Starts one part."""
        task = self._tasks.create_task(work, name=name)
        task.add_done_callback(self._report_fault)
        return task

    def _report_fault(self, part: asyncio.Task[None]) -> None:
        if not part.cancelled() and (error := part.exception()) is not None:
            self._on_fault(error)


async def cancel(parts: Collection[asyncio.Task[None]]) -> None:
    """Cancels these parts and returns when they have ended. A part that goes on, since an error has covered the cancellation
    (services/simulator/session.py), is canceled again."""
    waiting = set(parts)
    while waiting:
        for part in waiting:
            part.cancel()
        _, waiting = await asyncio.wait(waiting, timeout=AGAIN_S)
