"""How far a reader is behind the journal, from the looks at its end that the process takes anyway."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

LOOKS = 4_096
"""So many ends are remembered. A reader that is behind them all has at least the age of the oldest one."""


class Lag(NamedTuple):
    """How far a reader was behind the journal at the last look."""

    commands: int
    """Commands in the journal that it has not applied."""
    age_s: float
    """Seconds since the first look from which on all found commands that it has not applied; 0 if it is not behind."""


class Ends:
    """The ends of the journal that were found, oldest first, and when."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._found: deque[tuple[int, float]] = deque(maxlen=LOOKS)
        self._looked_s = clock()

    @property
    def look_age_s(self) -> float:
        """Seconds since the last look, or since the start if there was none."""
        return self._clock() - self._looked_s

    def find(self, last_seq: int) -> None:
        """Takes the seq at which a look found the journal's end. It is lower than before where a failover of PostgreSQL took
        back a row that nobody was answered from."""
        found_s = self._looked_s = self._clock()
        while self._found and self._found[-1][0] > last_seq:
            _, found_s = self._found.pop()
        if not self._found or last_seq > self._found[-1][0]:
            self._found.append((last_seq, found_s))

    def lag(self, applied_seq: int) -> Lag:
        """Of a reader that has applied every command up to `applied_seq`."""
        if not self._found or self._found[-1][0] <= applied_seq:
            return Lag(0, 0.0)  # Mostly, and each answer to a read asks.
        for last_seq, found_s in self._found:
            if last_seq > applied_seq:
                return Lag(self._found[-1][0] - applied_seq, self._clock() - found_s)
        return Lag(0, 0.0)
