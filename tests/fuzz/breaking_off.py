"""Ends a run before its count, and still reports it: at SIGINT, at SIGTERM, or when its time is over."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

from tests.faults.rig import Report

EXIT_STATUS = 3
REASONS = {signal.SIGINT: "SIGINT", signal.SIGTERM: "SIGTERM", signal.SIGALRM: "the time limit"}


class BreakOff:
    """Whether the runs must end at their next request, and why."""

    def __init__(self) -> None:
        self.reason = ""
        """Empty: they go on."""
        self.wake: Callable[[], None] = lambda: None
        """Tells a run that does not look at `reason` by itself."""

    def ask(self, reason: str) -> None:
        """Called in a signal handler."""
        self.reason = self.reason or reason
        self.wake()


@dataclass
class FuzzReport(Report):
    """A report that says whether its run was broken off."""

    break_off: BreakOff = field(default_factory=BreakOff)

    @property
    def ends(self) -> bool:
        """Whether the run has nothing more to do: it is broken off, or has found a broken promise."""
        return bool(self.break_off.reason or self.broken)

    @property
    def verdict(self) -> str:
        if not self.break_off.reason:
            return super().verdict
        found = super().verdict if self.broken else "no promise broken so far"
        return f"BROKEN OFF by {self.break_off.reason}, without the checks at the end: {found}"

    def to_json(self) -> dict[str, Any]:
        return {**super().to_json(), "broken_off": self.break_off.reason or None}


@contextmanager
def at_signals(minutes: int) -> Iterator[BreakOff]:
    """While the block runs, the first signal breaks off, and so does the time; the second signal ends the program at once."""
    break_off = BreakOff()

    def caught(number: int, _frame: FrameType | None) -> None:
        if break_off.reason and number != signal.SIGALRM:
            sys.exit(EXIT_STATUS)
        break_off.ask(REASONS[signal.Signals(number)])

    before = {number: signal.signal(number, caught) for number in REASONS}
    signal.alarm(60 * minutes)
    try:
        yield break_off
    finally:
        signal.alarm(0)
        for number, handler in before.items():
            signal.signal(number, handler)
