"""A thread that works for the event loop, one piece of work after another.

An executor of the standard library makes two futures and a lock for each piece of work: 25 µs more for each journal batch.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue
from typing import Any, TypeVar

Result = TypeVar("Result")

_Work = tuple[asyncio.AbstractEventLoop, asyncio.Future[Any], Callable[..., Any], tuple[Any, ...]]


class WorkThread:
    """It starts with its first work. As a daemon it does not hold up the end of the process: what it writes then, nobody was
    told of."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._queue: SimpleQueue[_Work | None] = SimpleQueue()
        self._thread: threading.Thread | None = None

    def do(self, work: Callable[..., Result], *arguments: object) -> asyncio.Future[Result]:
        """Does the work after all that was given before. Where the future is canceled, it is done all the same."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
            self._thread.start()
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Result] = loop.create_future()
        self._queue.put((loop, future, work, arguments))
        return future

    def end(self) -> None:
        """Waits until all work is done, then ends the thread. No work may follow."""
        if self._thread is not None:
            self._queue.put(None)
            self._thread.join()

    def _run(self) -> None:
        while self._do_next():
            pass

    def _do_next(self) -> bool:
        """False: the end. A function of its own, so that nothing of the last work is kept while the thread waits."""
        given = self._queue.get()
        if given is None:
            return False
        loop, future, work, arguments = given
        try:
            result, error = work(*arguments), None
        except BaseException as raised:  # The waiting coroutine gets it, whatever it is.
            result, error = None, raised
        with suppress(RuntimeError):  # The loop is closed, and nobody waits.
            loop.call_soon_threadsafe(_complete, future, result, error)
        return True


def _complete(future: asyncio.Future[Any], result: Any, error: BaseException | None) -> None:
    if future.cancelled():
        return
    if error is None:
        future.set_result(result)
    else:
        future.set_exception(error)
