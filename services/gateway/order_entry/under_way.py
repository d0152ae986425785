"""Requests under way: of each key, how many have no reply yet, over all its connections; and whose turn it is to begin one."""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import suppress

from services.gateway.problems import ProblemError

UNDER_WAY = 256
"""How many orders and amends one key may have without a reply, over all its connections; an order of a batch counts as one."""
UNDER_WAY_WITH_CANCELS = UNDER_WAY + UNDER_WAY // 8
"""How many requests, where those beyond UNDER_WAY are cancels: a member that floods can still cancel."""
TURN = 4
"""How many requests of one key begin in one turn of the event loop, over all its connections, before others have theirs."""

_MOST = UNDER_WAY, UNDER_WAY_WITH_CANCELS  # of orders and amends; with cancels


class UnderWay:
    """Counts by key. `begin` and `end` come in pairs, whatever becomes of the request."""

    def __init__(self) -> None:
        self._counts: dict[int, int] = {}
        self._turns: dict[int, int] = {}
        """How many requests of each key began in this turn of the event loop."""
        self._lines: dict[int, _Line] = {}
        """Of the keys whose connections wait."""

    def __getitem__(self, key_id: int) -> int:
        return self._counts.get(key_id, 0)

    @property
    def keys_waiting(self) -> int:
        """How many keys have connections that the venue does not read on from, because they have no room."""
        return sum(self[key_id] >= UNDER_WAY for key_id in self._lines)

    def begin(self, key_id: int, count: int, only_cancels: bool = False) -> None:
        """So many more are under way; raises a 429 problem, having counted none, where they have no room."""
        now = self[key_id] + count
        if now > _MOST[only_cancels]:
            raise too_many_requests(f"{now - count} requests of this key have no reply yet, {UNDER_WAY} may.")
        self._count(key_id, count)

    def begin_again(self, key_id: int) -> None:
        """A request that has just ended goes on: it asks the read database. Never refuses; its room is its own."""
        self._count(key_id, 1)

    def end(self, key_id: int, count: int = 1) -> None:
        """So many are over."""
        left = self._counts[key_id] - count
        if left:
            self._counts[key_id] = left
        else:
            del self._counts[key_id]
        if self._lines and (line := self._lines.get(key_id)) is not None:
            self._call(key_id, line)

    def _count(self, key_id: int, count: int) -> None:
        self._counts[key_id] = self[key_id] + count
        if not self._turns:
            asyncio.get_running_loop().call_soon(self._turns.clear)
        self._turns[key_id] = self._turns.get(key_id, 0) + count

    def may_begin(self, key_id: int, only_cancels: bool = False) -> bool:
        """Whether one more has room, the key's turn is not over, and none of its kind waits longer."""
        if self._turns.get(key_id, 0) >= TURN or self[key_id] >= _MOST[only_cancels]:
            return False
        line = self._lines.get(key_id)
        return line is None or not (line.waiting[only_cancels] or line.let_in)

    async def turn(self, key_id: int, only_cancels: bool = False) -> None:
        """Returns when one more may begin, if it does so at once. Of orders, and of cancels, who waits longest goes first."""
        while True:
            line = self._lines.setdefault(key_id, _Line())
            waiter = asyncio.get_running_loop().create_future()
            line.waiting[only_cancels].append(waiter)
            self._call(key_id, line)
            try:
                await waiter
            finally:
                self._leave(key_id, line, waiter, only_cancels)
            if self[key_id] < _MOST[only_cancels]:
                return

    def _call(self, key_id: int, line: _Line) -> None:
        if not line.called:
            line.called = True
            asyncio.get_running_loop().call_soon(self._let_in, key_id, line)

    def _let_in(self, key_id: int, line: _Line) -> None:
        """Lets the next ones begin, in the next turn of the loop; cancels first."""
        line.called = False
        free = TURN
        for only_cancels in (True, False):
            waiting = line.waiting[only_cancels]
            while waiting and free and self[key_id] + line.let_in < _MOST[only_cancels]:
                waiter = waiting.popleft()
                if not waiter.cancelled():
                    waiter.set_result(None)
                    line.let_in += 1
                    free -= 1
        if not free:
            self._call(key_id, line)

    def _leave(self, key_id: int, line: _Line, waiter: asyncio.Future[None], only_cancels: bool) -> None:
        """A connection begins, or has ended."""
        if waiter.cancelled():
            with suppress(ValueError):  # It was let in in vain already.
                line.waiting[only_cancels].remove(waiter)
        else:
            line.let_in -= 1
        if not (line.let_in or any(line.waiting)):
            del self._lines[key_id]
        else:
            self._call(key_id, line)


class _Line:
    """The connections of one key that wait."""

    def __init__(self) -> None:
        self.waiting: tuple[deque[asyncio.Future[None]], deque[asyncio.Future[None]]] = deque(), deque()
        """With orders and amends; with cancels."""
        self.let_in = 0
        """How many were let in and have not begun yet."""
        self.called = False
        """The next ones are let in in the next turn of the loop."""


def too_many_requests(what: str) -> ProblemError:
    """Of this caller, not of the venue: nobody else is refused for it."""
    return ProblemError(429, "too_many_requests", f"{what} Nothing of this request was taken in.")
