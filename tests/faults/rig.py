"""What every fault rig has: a count, a seed, a progress bar, and a report of one line or one JSON object.

A rig damages a venue by random choices from a seed, counts what it observes, and reports every broken promise as a sentence.
The same seed makes the same choices; at which moment of the venue's work they occur depends on the machine, so counts vary a
little from run to run.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from time import monotonic, sleep
from typing import Any, NamedTuple

from load_tests import progress
from tests.patience import PATIENCE_S

Advance = Callable[[], None]
"""Called after each trial."""


_UNITS = {"s": "s", "ms": "ms", "mb": "MB"}


class CannotRun(Exception):
    """This machine lacks something that the rig needs; the sentence says what."""


class TooLate(Exception):
    """A condition did not hold in PATIENCE_S; the sentence says which."""


@dataclass
class Report:
    """The counts and the broken promises of a rig."""

    rig: str
    counts: dict[str, Any] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)
    """Each broken promise, as a sentence."""

    @property
    def holds(self) -> bool:
        return not self.broken

    def add(self, name: str, count: int = 1) -> None:
        """Adds to a count."""
        self.counts[name] = self.counts.get(name, 0) + count

    def highest(self, name: str, value: int) -> None:
        """Keeps the largest value."""
        self.counts[name] = max(self.counts.get(name, value), value)

    def line(self) -> str:
        """One line for people: every count, then the first broken promises."""
        counts = ", ".join(_worded(name, value) for name, value in self.counts.items())
        return f"{self.rig}: {counts}: {self.verdict}"

    @property
    def verdict(self) -> str:
        """Whether every promise held; else the first broken ones."""
        return "every promise held" if self.holds else f"{len(self.broken):,} BROKEN: " + "; ".join(self.broken[:5])

    def to_json(self) -> dict[str, Any]:
        return {"rig": self.rig, "holds": self.holds, "counts": self.counts, "broken": self.broken[:100]}


def _worded(name: str, value: Any) -> str:
    """`took_s`, 1200 as "took 1,200 s": the unit ends a name and follows a number."""
    words, _, unit = name.rpartition("_")
    if unit not in _UNITS:
        words = name
    return f"{words.replace('_', ' ')} {value:,} {_UNITS.get(unit, '')}".rstrip()


class Rig(NamedTuple):
    """A rig and its lengths: `run(count, seed, advance)` runs `count` trials; `trials` names them."""

    name: str
    run: Callable[[int, int, Advance], Report]
    trials: str
    short: int
    """The count for a first try by hand: some seconds to a minute."""
    long: int
    """The count for `make faults`."""


def perform(rig: Rig, count: int, seed: int, show: bool = True) -> Report:
    """One run, with a progress bar. The report also has the seed and the duration. Raises CannotRun."""
    began = monotonic()
    # asyncio warns of each message to a venue that was just killed.
    logging.getLogger("asyncio").setLevel(logging.ERROR)
    with progress.shown(show) as stages:
        stages.begin(rig.name, count)
        report = rig.run(count, seed, stages.advance)
    report.counts = {rig.trials: count, "seed": seed, **report.counts, "took_s": round(monotonic() - began)}
    return report


def scratch() -> str | None:
    """The folder for data that need no real disk: a file system in memory, where syncs are free; None: the default."""
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


def until(condition: Callable[[], Any], otherwise: str) -> Any:
    """What the condition returns once it holds. Raises TooLate, which says otherwise."""
    deadline = monotonic() + PATIENCE_S
    while monotonic() < deadline:
        found = condition()
        if found:
            return found
        sleep(0.05)
    raise TooLate(otherwise)
