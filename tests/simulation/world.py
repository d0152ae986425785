"""What every part of a simulation shares: the seed, the loop, the trace, the first broken promise."""

from __future__ import annotations

from collections import deque
from hashlib import blake2b
from random import Random
from typing import Any

from tests.simulation.process import Process
from tests.simulation.virtual_loop import START_S, VirtualLoop

KEPT = 40
"""So many of the last events are shown with a failure."""


class Trace:
    """Every event of a run in order, as a hash; the last ones as text."""

    def __init__(self, keep: int | None = KEPT) -> None:
        self._hash = blake2b(digest_size=16)
        self.count = 0
        self.last: deque[str] = deque(maxlen=keep)

    def add(self, line: str) -> None:
        """Adds the next event."""
        self.count += 1
        self._hash.update(line.encode())
        self.last.append(line)

    @property
    def hash(self) -> str:
        """Of all events so far."""
        return self._hash.hexdigest()


class World:
    """A run of one seed."""

    def __init__(self, seed: int, *, keep: int | None = KEPT) -> None:
        self.seed = seed
        shape = self.random("shape")
        self.loop = VirtualLoop(self.random("loop"), shuffles=shape.random() < 0.5)
        self.trace = Trace(keep)
        self.failure = ""
        """The first broken promise, with the step at which it broke; empty: none."""
        self.counts: dict[str, int] = {}
        self.loop.set_exception_handler(self._unhandled)
        self.processes: dict[str, Process] = {}
        """By name, those that run now."""
        self._connections = 0

    def _unhandled(self, _loop: object, context: dict[str, Any]) -> None:
        """An error that nobody waits for: of a killed process, or a bug."""
        if "callback" in context["message"]:
            self.broken(f"{context['message']}: {context.get('exception')!r}")

    def random(self, name: str) -> Random:
        """A source of chance of its own, so that what others draw does not change it."""
        return Random(f"{self.seed}/{name}")

    def connection_chance(self, name: str) -> Random:
        """As `random`, for the next connection between two processes."""
        self._connections += 1
        return Random(f"{self.seed}/{name}/{self._connections}")

    @property
    def now_s(self) -> float:
        """Virtual seconds since the beginning."""
        return self.loop.time() - START_S

    def note(self, event: str) -> None:
        """Adds an event to the trace."""
        self.trace.add(f"{self.trace.count} {self.now_s:.6f} {event}\n")

    def count(self, name: str, by: int = 1) -> None:
        """Adds to a count."""
        self.counts[name] = self.counts.get(name, 0) + by

    def broken(self, promise: str) -> None:
        """A promise is broken: the run ends. Only the first one counts."""
        if not self.failure:
            self.note(f"BROKEN {promise}")
            self.failure = f"at step {self.trace.count} ({self.now_s:.3f} s): {promise}"
            self.loop.stop()
