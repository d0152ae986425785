"""Work that the cancellation of its caller does not reach."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

Result = TypeVar("Result")


def shielded(work: Coroutine[Any, Any, Result]) -> tuple[asyncio.Task[Result], asyncio.Future[Result]]:
    """Runs `work` in a task of its own; the future is the caller's.

    After `asyncio.shield` an error that comes when the caller was canceled is logged as a traceback. Here it is dropped:
    whoever starts the work keeps its errors otherwise.
    """
    waiter: asyncio.Future[Result] = asyncio.get_running_loop().create_future()

    def pass_on(done: asyncio.Task[Result]) -> None:
        error = None if done.cancelled() else done.exception()
        if waiter.done():
            return
        if done.cancelled():
            waiter.cancel()
        elif error is not None:
            waiter.set_exception(error)
        else:
            waiter.set_result(done.result())

    task = asyncio.create_task(work)
    task.add_done_callback(pass_on)
    return task, waiter
