"""The turns of a venue's reports: one is made at a time, and a fresh one is given to all who ask for the same, so that twenty
readers leave the order path the interpreter."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

from services.reporting.in_time import QUERIES_S, turn_in_time

FRESH_S = 1.0
"""How old a report may be that is answered a second time. Each names the sequence number at which it is exact."""

Elsewhere = Callable[[str, int], Awaitable[tuple[Any, int]]]
"""It has another process make the report with this path and query, which must hold a sequence number; it returns the answer and
a sequence number that it holds. It raises what the report's route raises."""


class _Made(NamedTuple):
    answer: Any
    reached_seq: int
    """The report holds it: the read database had reached it when the report was begun."""


@dataclass(eq=False)
class _Shared:
    """A report that waits or is made, and how many wait for it."""

    task: asyncio.Task[Any]
    askers: int = 0


class ReportTurns:
    """Makes one report at a time. Those who ask for the same one while it waits for its turn get the same answer, and so do
    those who ask within `fresh_s` after it was begun.

    A venue makes its reports `elsewhere`. Without that they are made here, one at a time as well.
    """

    def __init__(
        self, elsewhere: Elsewhere | None = None, *, wait_s: float = QUERIES_S, fresh_s: float = FRESH_S
    ) -> None:
        self._elsewhere = elsewhere
        self._turn = asyncio.Semaphore(1)
        self._wait_s, self._fresh_s = wait_s, fresh_s
        self._waiting: dict[str, _Shared] = {}
        self._fresh: dict[str, _Made] = {}
        self._wanted_seq: dict[str, int] = {}
        """The highest `at_least_seq` of those who wait for the report at an address."""

    async def take(self, address: str, make: Callable[[], Awaitable[Any]], at_least_seq: int = 0) -> Any:
        """The answer that `elsewhere`, or `make()` where that is missing, gives or raises. It was begun at most `fresh_s` ago,
        and when the read database had reached `at_least_seq`: the caller has waited for that. A report for which nobody waits
        any more is not begun; one that has begun is made: to cancel it would end its process, and the next report, or a long
        reading of the journal, begin anew. Raises ReadDatabaseSilent where others are answered first for `wait_s` seconds."""
        fresh = self._fresh.get(address)
        if fresh is not None and fresh.reached_seq >= at_least_seq:
            return fresh.answer
        self._wanted_seq[address] = max(self._wanted_seq.get(address, 0), at_least_seq)
        shared = self._waiting.get(address)
        if shared is None:
            shared = self._waiting[address] = _Shared(asyncio.create_task(self._make(address, make)))
            shared.task.add_done_callback(partial(self._end, address))
        shared.askers += 1
        try:
            return await asyncio.shield(shared.task)
        finally:
            shared.askers -= 1
            if not shared.askers and self._waiting.get(address) is shared:
                del self._waiting[address], self._wanted_seq[address]
                shared.task.cancel()

    async def _make(self, address: str, make: Callable[[], Awaitable[Any]]) -> Any:
        loop = asyncio.get_running_loop()
        async with turn_in_time(self._turn, self._wait_s):
            del self._waiting[address]
            began_s, reached_seq = loop.time(), self._wanted_seq.pop(address)
            if self._elsewhere is None:
                answer = await make()
            else:
                answer, reached_seq = await self._elsewhere(address, reached_seq)
        made = self._fresh[address] = _Made(answer, reached_seq)
        loop.call_at(began_s + self._fresh_s, self._forget, address, made)
        return answer

    def _forget(self, address: str, made: _Made) -> None:
        if self._fresh.get(address) is made:
            del self._fresh[address]

    def _end(self, address: str, ended: asyncio.Task[Any]) -> None:
        """Removes a report that got no turn. Its error was told to those who asked; where all have left, to nobody."""
        shared = self._waiting.get(address)
        if shared is not None and shared.task is ended:
            del self._waiting[address], self._wanted_seq[address]
        if not ended.cancelled():
            ended.exception()
