"""Callers that wait until the read database has reached a sequence number."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


class ProjectorStopped(Exception):
    """The projector has stopped, so the read database will not reach the seq that a caller waits for."""


class SeqWaiters:
    """The position of a read database, and who waits for it. Calls `on_wait` with each seq that a caller begins to wait for."""

    def __init__(self, on_wait: Callable[[int], None]) -> None:
        self.seq = 0
        """Sequence number of the last command in the read database."""
        self._on_wait = on_wait
        self._waiting: list[tuple[int, asyncio.Future[None]]] = []
        self._stopped: BaseException | None = None

    @property
    def waiting(self) -> int:
        """Number of callers that wait in `reached`."""
        return len(self._waiting)

    async def reached(self, seq: int) -> None:
        """Waits until the read database holds all commands up to seq; raises ProjectorStopped if it never will."""
        if self.seq >= seq:
            return
        if self._stopped is not None:
            raise ProjectorStopped(f"The read database stands at seq {self.seq}.") from self._stopped
        waiter = asyncio.get_running_loop().create_future()
        self._waiting.append((seq, waiter))
        self._on_wait(seq)
        await waiter

    def has_reached(self, seq: int) -> None:
        """The read database now holds all commands up to seq."""
        self.seq = seq
        # A waiter is done if its caller was canceled.
        waiting = [(wanted, waiter) for wanted, waiter in self._waiting if not waiter.done()]
        for wanted, waiter in waiting:
            if wanted <= seq:
                waiter.set_result(None)
        self._waiting = [(wanted, waiter) for wanted, waiter in waiting if wanted > seq]

    def stop(self, error: BaseException) -> None:
        """The read database goes no further, because of this error."""
        self._stopped = error
        for _, waiter in self._waiting:
            if not waiter.done():
                stopped = ProjectorStopped(f"The read database stands at seq {self.seq}.")
                stopped.__cause__ = error
                waiter.set_exception(stopped)
        self._waiting.clear()
