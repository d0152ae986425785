"""Requests under way: how many each key has without a reply, over all its connections, and which connection begins next."""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import suppress
from functools import cached_property

from services.gateway.problems import ProblemError

UNDER_WAY = 512
"""Bound on the orders and amends of one key without a reply, over all its connections. Each request of a batch counts as one;
a batch has at most 500."""
UNDER_WAY_WITH_CANCELS = UNDER_WAY + UNDER_WAY // 8
"""Bound on all requests of one key without a reply. Beyond UNDER_WAY only cancels fit: a flooding member can cancel."""
TURN = 8
"""How many requests of one key begin in one turn of the event loop, over all its connections; other keys begin in between. New
orders that one connection has read together begin together."""

_MOST = UNDER_WAY, UNDER_WAY_WITH_CANCELS  # indexed by only_cancels


class InFlight:
    """Counts requests by key. Each `begin` or `begin_again` has its `end`, whatever the outcome of the request."""

    def __init__(self) -> None:
        self._counts: dict[int, int] = {}
        self._turns: dict[int, int] = {}
        """How many requests of each key began in this turn of the event loop."""
        self._lines: dict[int, _Line] = {}
        """The keys with waiting connections, and those connections."""
        self._rooms: dict[int, list[asyncio.Future[None]]] = {}
        """By key: the batches that wait for room, woken by each `end`."""

    def __getitem__(self, key_id: int) -> int:
        return self._counts.get(key_id, 0)

    @cached_property
    def _loop(self) -> asyncio.AbstractEventLoop:
        return asyncio.get_running_loop()  # Before Python 3.12 each call asks the system for the number of the process.

    @property
    def keys_waiting(self) -> int:
        """How many keys have connections that the venue does not read, because the key is at its bound."""
        return sum(self[key_id] >= UNDER_WAY for key_id in self._lines)

    def begin(self, key_id: int, count: int, only_cancels: bool = False) -> None:
        """Counts `count` more requests; raises a 429 problem, and counts none, where they would exceed the bound."""
        now = self[key_id] + count
        if now > _MOST[only_cancels]:
            raise too_many_requests(f"{now - count} requests of this key have no reply yet, {UNDER_WAY} may.")
        self._count(key_id, count)

    def begin_again(self, key_id: int) -> None:
        """Counts a request again that has just ended and now asks the read database. Never refuses: it was within the bound."""
        self._count(key_id, 1)

    def end(self, key_id: int, count: int = 1) -> None:
        """Ends `count` requests."""
        left = self._counts[key_id] - count
        if left:
            self._counts[key_id] = left
        else:
            del self._counts[key_id]
        if self._rooms:
            for waiter in self._rooms.pop(key_id, ()):
                if not waiter.done():
                    waiter.set_result(None)
        if self._lines and (line := self._lines.get(key_id)) is not None:
            self._call(key_id, line)

    def _count(self, key_id: int, count: int) -> None:
        self._counts[key_id] = self[key_id] + count
        if not self._turns:
            self._loop.call_soon(self._turns.clear)
        self._turns[key_id] = self._turns.get(key_id, 0) + count

    def may_begin(self, key_id: int, only_cancels: bool = False) -> bool:
        """Whether one more request may begin: within the bound, within TURN, and behind no waiting request of its kind."""
        if self._turns.get(key_id, 0) >= TURN or self[key_id] >= _MOST[only_cancels]:
            return False
        line = self._lines.get(key_id)
        return line is None or not (line.waiting[only_cancels] or line.let_in)

    async def turn(self, key_id: int, only_cancels: bool = False) -> None:
        """Returns when one more request may begin; the caller does so at once. Orders wait in one line, cancels in another."""
        while True:
            line = self._lines.setdefault(key_id, _Line())
            waiter = self._loop.create_future()
            line.waiting[only_cancels].append(waiter)
            self._call(key_id, line)
            try:
                await waiter
            finally:
                self._leave(key_id, line, waiter, only_cancels)
            if self[key_id] < _MOST[only_cancels]:
                return

    async def room(self, key_id: int, count: int, only_cancels: bool = False) -> None:
        """Returns when `count` more requests would be within the bound, which holds for the caller's next step only. Meanwhile
        its connection is not read; other connections of the key may take the room first."""
        while self[key_id] + count > _MOST[only_cancels] and self[key_id]:
            waiter = self._loop.create_future()
            self._rooms.setdefault(key_id, []).append(waiter)
            await waiter

    def _call(self, key_id: int, line: _Line) -> None:
        if not line.called:
            line.called = True
            self._loop.call_soon(self._let_in, key_id, line)

    def _let_in(self, key_id: int, line: _Line) -> None:
        """Lets up to TURN waiting requests of the key begin, cancels first; the others wait for the next turn of the loop."""
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
        """Takes a connection out of the line: it begins its request, or it has ended."""
        if waiter.cancelled():
            with suppress(ValueError):  # `_let_in` took it out already.
                line.waiting[only_cancels].remove(waiter)
        else:
            line.let_in -= 1
        if not (line.let_in or any(line.waiting)):
            del self._lines[key_id]
        else:
            self._call(key_id, line)


class _Line:
    """The waiting connections of one key."""

    def __init__(self) -> None:
        self.waiting: tuple[deque[asyncio.Future[None]], deque[asyncio.Future[None]]] = deque(), deque()
        """Indexed by only_cancels: connections with orders and amends, connections with cancels."""
        self.let_in = 0
        """How many connections were let in and have not begun their request yet."""
        self.called = False
        """Whether `_let_in` is scheduled for the next turn of the loop."""


def too_many_requests(what: str) -> ProblemError:
    """429 `too_many_requests`: the caller is at its own bound; other callers are not affected."""
    return ProblemError(429, "too_many_requests", f"{what} Nothing of this request was taken in.")
