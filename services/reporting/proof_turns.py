"""The turns of a venue's proofs: one runs at a time, and of each year one more may wait. So neither many who ask nor many who
have left make others wait.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from services.reporting.proven import Proven


@dataclass(eq=False)
class _Shared:
    """A proof that waits or runs, and how many wait for its outcome."""

    task: asyncio.Task[Proven]
    askers: int = 0


class ProofTurns:
    """Proofs with turns. Those who ask for a year while a proof of it waits get the outcome of that one."""

    def __init__(self, prove: Callable[[int], Awaitable[Proven]]) -> None:
        """`prove` makes the proof of a year at the command at which it is called."""
        self._prove = prove
        self._turn = asyncio.Lock()
        self._waiting: dict[int, _Shared] = {}

    async def take(self, year: int) -> Proven:
        """The outcome of a proof that begins after this call: a running one proves an earlier command. A proof for which nobody
        waits any more is canceled. Raises what `prove` raises."""
        shared = self._waiting.get(year)
        if shared is None:
            shared = self._waiting[year] = _Shared(asyncio.create_task(self._in_turn(year)))
        shared.askers += 1
        try:
            return await asyncio.shield(shared.task)
        finally:
            shared.askers -= 1
            if not shared.askers:
                await self._end(year, shared)

    async def _in_turn(self, year: int) -> Proven:
        async with self._turn:
            del self._waiting[year]
            return await self._prove(year)

    async def _end(self, year: int, shared: _Shared) -> None:
        """Cancels it, unless it has ended, and waits for its end: then its process has ended, too."""
        if self._waiting.get(year) is shared:
            del self._waiting[year]
        if not shared.task.done():
            shared.task.cancel()
            await asyncio.wait([shared.task])
            if not shared.task.cancelled():
                shared.task.exception()  # marks it as retrieved: whoever asked has left
