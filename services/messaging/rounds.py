"""Turns: how accounts share the one way into the journal while more waits than a batch takes.

Start-time fair queueing in whole rounds. An item joins the current round, behind all that came before it, unless its account
has its part of that round already: then it joins the first round where the account has room. While nobody asks for more than
a part, the order is that of arrival; whoever comes while others flood has one part of each of them before him at most.
"""

from __future__ import annotations

from collections import deque
from typing import Generic, TypeVar

T = TypeVar("T")


class Rounds(Generic[T]):
    """Items in line. `part` is how much of one account a round takes; an item larger than what is left of it still joins,
    and the account misses rounds for it."""

    def __init__(self, part: int) -> None:
        self._part = part
        self._rounds: deque[deque[T]] = deque((deque(),))
        self._begin = 0
        """Where the current round, the first of `_rounds`, begins: items are counted on from round to round."""
        self._ends: dict[int, int] = {}
        """By account: where its next item stands."""

    def add(self, account: int, size: int, item: T) -> None:
        """Puts an item of an account in line."""
        begin, rounds = self._begin, self._rounds
        place = self._ends.get(account, 0)
        if place < begin:
            place = begin
        self._ends[account] = place + size
        if place - begin < self._part:
            rounds[0].append(item)
            return
        ahead = (place - begin) // self._part
        while len(rounds) <= ahead:
            rounds.append(deque())
        rounds[ahead].append(item)

    def add_now(self, item: T) -> None:
        """Puts an item into the current round, whatever its account has there."""
        self._rounds[0].append(item)

    @property
    def current(self) -> deque[T]:
        """What is left of the current round, to be taken from the left."""
        return self._rounds[0]

    @property
    def more(self) -> bool:
        """Whether something waits for a later round."""
        return len(self._rounds) > 1

    def end(self) -> None:
        """The current round is over: the next one is current, and what comes now joins it at the earliest."""
        self._rounds.popleft()
        self._begin += self._part
        if not self._rounds:
            self._rounds.append(deque())
