"""Requests under way: of each key, how many have no reply yet, over all its connections."""

from __future__ import annotations

import asyncio

from services.gateway.problems import ProblemError

UNDER_WAY = 256
"""How many orders and amends one key may have without a reply, over all its connections; an order of a batch counts as one."""
UNDER_WAY_WITH_CANCELS = UNDER_WAY + UNDER_WAY // 8
"""How many requests, where those beyond UNDER_WAY are cancels: a member that floods can still cancel."""


class UnderWay:
    """Counts by key. `begin` and `end` come in pairs, whatever becomes of the request."""

    def __init__(self) -> None:
        self._counts: dict[int, int] = {}
        self._ended: dict[int, asyncio.Event] = {}  # of the keys whose connections wait for room

    def __getitem__(self, key_id: int) -> int:
        return self._counts.get(key_id, 0)

    @property
    def total(self) -> int:
        """Of all keys."""
        return sum(self._counts.values())

    @property
    def keys_waiting(self) -> int:
        """How many keys have connections that the venue does not read on from, because they have no room."""
        return len(self._ended)

    def begin(self, key_id: int, count: int, only_cancels: bool = False) -> None:
        """So many more are under way; raises a 429 problem, having counted none, where they have no room."""
        now = self._counts.get(key_id, 0) + count
        if now > UNDER_WAY and not (only_cancels and now <= UNDER_WAY_WITH_CANCELS):
            raise too_many_requests(f"{now - count} requests of this key have no reply yet, {UNDER_WAY} may.")
        self._counts[key_id] = now

    def end(self, key_id: int, count: int = 1) -> None:
        """So many are over."""
        left = self._counts[key_id] - count
        if left:
            self._counts[key_id] = left
        else:
            del self._counts[key_id]
        if self._ended and key_id in self._ended:
            self._ended.pop(key_id).set()

    def has_room(self, key_id: int, only_cancels: bool = False) -> bool:
        """Whether one more may begin."""
        return self._counts.get(key_id, 0) < (UNDER_WAY_WITH_CANCELS if only_cancels else UNDER_WAY)

    async def room(self, key_id: int, only_cancels: bool = False) -> None:
        """Returns when one more may begin, if it does so at once."""
        while not self.has_room(key_id, only_cancels):
            await self._ended.setdefault(key_id, asyncio.Event()).wait()


def too_many_requests(what: str) -> ProblemError:
    """Of this caller, not of the venue: nobody else is refused for it."""
    return ProblemError(429, "too_many_requests", f"{what} Nothing of this request was taken in.")
