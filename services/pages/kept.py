"""What is made for everybody who asks, and kept for a moment: the API's answers of a first paint, the pages."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Hashable
from typing import Any, Generic, TypeVar

FRESH_S = 1.0
"""How long something is kept, from its beginning on."""

Key = TypeVar("Key", bound=Hashable)
Made = TypeVar("Made")


class Kept(Generic[Key, Made]):
    """Makes each thing at most once in its time. Who asks while one is under way gets the same one."""

    def __init__(
        self, most: int, fresh_s: Callable[[Key, asyncio.Task[Made]], float] = lambda _key, _made: FRESH_S
    ) -> None:
        """`most`: so many are kept; the one that was begun first goes first. `fresh_s`: how long one that is made is kept."""
        self._most = most
        self._fresh_s = fresh_s
        self._begun: dict[Key, tuple[float, asyncio.Task[Made]]] = {}

    def task(self, key: Key, make: Callable[[], Coroutine[Any, Any, Made]]) -> asyncio.Task[Made]:
        """The one that is kept or under way; else a new one."""
        now_s = time.monotonic()
        began_s, task = self._begun.get(key, (now_s, None))
        if task is None or (task.done() and now_s - began_s >= self._fresh_s(key, task)):
            task = asyncio.create_task(make())
            self._begun.pop(key, None)
            self._begun[key] = now_s, task
            while len(self._begun) > self._most:
                del self._begun[next(iter(self._begun))]
        return task

    def __len__(self) -> int:
        return len(self._begun)

    async def close(self) -> None:
        """Ends what is under way."""
        tasks = [task for _, task in self._begun.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
