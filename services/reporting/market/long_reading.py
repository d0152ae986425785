"""Readings of the journal that may take longer than a request waits: one at a time, and what was read is kept for the next."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from services.read_database.errors import ReadDatabaseSilent

ANSWER_S = 30.0
"""How long a request waits for a reading of the journal."""

Made = TypeVar("Made")


class LongReading:
    """One reading at a time."""

    def __init__(self) -> None:
        self._turns = asyncio.Semaphore(1)
        self._begun: set[asyncio.Task[Any]] = set()
        """A loop holds its tasks weakly only."""

    async def end_of(self, work: Callable[[], Coroutine[Any, Any, Made]], what: str) -> Made:
        """What the work makes when it has its turn. Raises ReadDatabaseSilent after ANSWER_S; work that has begun then goes on
        and keeps its turn, since a thread cannot be stopped and what it has read is remembered."""
        try:
            async with asyncio.timeout(ANSWER_S):
                await self._turns.acquire()
                task = asyncio.create_task(work())
                self._begun.add(task)
                task.add_done_callback(self._end_turn)
                return await asyncio.shield(task)
        except TimeoutError as error:
            raise ReadDatabaseSilent(f"{what} was not computed within {ANSWER_S:g} s", ANSWER_S) from error

    def _end_turn(self, task: asyncio.Task[Any]) -> None:
        self._turns.release()
        self._begun.discard(task)
        if not task.cancelled():
            task.exception()  # nobody may wait for it any more: then it is not reported as lost
