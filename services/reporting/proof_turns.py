"""The turns of a venue's proofs: one runs at a time, and of each year one more may wait, and one with its breakdown. So neither
many who ask nor many who have left make others wait.
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
    """Proofs with turns. Those who ask for the same while it waits get the outcome of that one."""

    def __init__(self, prove: Callable[[int, bool], Awaitable[Proven]]) -> None:
        """`prove` makes the proof of a year, with its breakdown or without, at the command at which it is called or a later
        one."""
        self._prove = prove
        self._turn = asyncio.Lock()
        self._waiting: dict[tuple[int, bool], _Shared] = {}

    async def take(self, year: int, breakdown: bool) -> Proven:
        """The outcome of a proof that begins after this call: a running one proves an earlier command. A proof for which nobody
        waits any more is canceled. Raises what `prove` raises."""
        asked = year, breakdown
        shared = self._waiting.get(asked)
        if shared is None:
            shared = self._waiting[asked] = _Shared(asyncio.create_task(self._in_turn(asked)))
        shared.askers += 1
        try:
            return await asyncio.shield(shared.task)
        finally:
            shared.askers -= 1
            if not shared.askers:
                await self._end(asked, shared)

    async def _in_turn(self, asked: tuple[int, bool]) -> Proven:
        async with self._turn:
            del self._waiting[asked]
            return await self._prove(*asked)

    async def _end(self, asked: tuple[int, bool], shared: _Shared) -> None:
        """Cancels it, unless it has ended, and waits for its end: then its process has ended, too."""
        if self._waiting.get(asked) is shared:
            del self._waiting[asked]
        if not shared.task.done():
            shared.task.cancel()
            await asyncio.wait([shared.task])
            if not shared.task.cancelled():
                shared.task.exception()  # marks it as retrieved: whoever asked has left
