"""FairQueue: how accounts share the journal fairly while more commands wait than fit into a batch.

This is start-time fair queueing in whole rounds. An item joins the end of the current round, unless its account has already
used its part of that round: then it joins the first later round in which the account has room. As long as no account asks for
more than its part, the order is that of arrival. If other accounts flood the queue, a new item waits for at most one part of
each of them.
"""

from __future__ import annotations

from collections import deque
from typing import Generic, TypeVar

T = TypeVar("T")


class FairQueue(Generic[T]):
    """A queue of items in rounds. `part` is the size that one account may use in a round. An item larger than what is left of
    the part still joins, and its account then skips rounds."""

    def __init__(self, part: int) -> None:
        self._part = part
        self._rounds: deque[deque[T]] = deque((deque(),))
        self._begin = 0
        """The start of the current round (the first of `_rounds`) on a scale on which each round is `part` long."""
        self._ends: dict[int, int] = {}
        """By account: the point on that scale at which its next item starts."""

    def add(self, account: int, size: int, item: T) -> None:
        """Adds an item of an account."""
        begin, rounds = self._begin, self._rounds
        start = self._ends.get(account, 0)
        if start < begin:
            start = begin
        self._ends[account] = start + size
        if start - begin < self._part:
            rounds[0].append(item)
            return
        ahead = (start - begin) // self._part
        while len(rounds) <= ahead:
            rounds.append(deque())
        rounds[ahead].append(item)

    def add_now(self, item: T) -> None:
        """Adds an item to the current round, without a limit."""
        self._rounds[0].append(item)

    @property
    def current(self) -> deque[T]:
        """The items left in the current round; take them from the left."""
        return self._rounds[0]

    @property
    def more(self) -> bool:
        """Whether later rounds have items."""
        return len(self._rounds) > 1

    def end(self) -> None:
        """Ends the current round; the next round becomes the current one."""
        self._rounds.popleft()
        self._begin += self._part
        if not self._rounds:
            self._rounds.append(deque())
