"""What every fault rig is as a program: a count, a seed, a progress bar, one line or one JSON object, an exit status.

A rig does harm to a venue by seeded choice, counts what it saw, and names every promise that was broken. The same seed makes
the same choices; which moment of the venue's work they meet is the machine's, so counts vary a little from run to run.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from time import monotonic
from typing import Any, NamedTuple

from load_tests import progress

Advance = Callable[[], None]
"""To be called when another trial is done."""


_UNITS = {"s": "s", "ms": "ms", "mb": "MB"}


class CannotRun(Exception):
    """This machine has not what the rig needs; says what."""


@dataclass
class Report:
    """What a rig saw."""

    rig: str
    counts: dict[str, Any] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)
    """Every promise that did not hold, as a sentence."""

    @property
    def holds(self) -> bool:
        return not self.broken

    def add(self, name: str, count: int = 1) -> None:
        """Counts something once more."""
        self.counts[name] = self.counts.get(name, 0) + count

    def highest(self, name: str, value: int) -> None:
        """Keeps the largest of a count."""
        self.counts[name] = max(self.counts.get(name, value), value)

    def line(self) -> str:
        """For people: every count, then the first of the broken promises."""
        counts = ", ".join(_worded(name, value) for name, value in self.counts.items())
        verdict = "every promise held" if self.holds else f"{len(self.broken):,} BROKEN: " + "; ".join(self.broken[:5])
        return f"{self.rig}: {counts}: {verdict}"

    def to_json(self) -> dict[str, Any]:
        return {"rig": self.rig, "holds": self.holds, "counts": self.counts, "broken": self.broken[:100]}


def _worded(name: str, value: Any) -> str:
    """`took_s`, 1200 as "took 1,200 s": the unit ends a name and follows a number."""
    words, _, unit = name.rpartition("_")
    if unit not in _UNITS:
        words = name
    return f"{words.replace('_', ' ')} {value:,} {_UNITS.get(unit, '')}".rstrip()


class Rig(NamedTuple):
    """A rig and how long it is: `run(count, seed, advance)` makes `count` trials of what `trials` names."""

    name: str
    run: Callable[[int, int, Advance], Report]
    trials: str
    short: int
    """What a first try by hand takes: some seconds to a minute."""
    long: int
    """What `make faults` takes."""


def perform(rig: Rig, count: int, seed: int, show: bool = True) -> Report:
    """One run with its bar; the report also says the seed and how long it took. Raises CannotRun."""
    began = monotonic()
    logging.getLogger("asyncio").setLevel(logging.ERROR)  # It warns of each message to a venue that was just killed.
    with progress.shown(show) as stages:
        stages.begin(rig.name, count)
        report = rig.run(count, seed, stages.advance)
    report.counts = {rig.trials: count, "seed": seed, **report.counts, "took_s": round(monotonic() - began)}
    return report


def main(rig: Rig, description: str | None, arguments: Sequence[str] | None = None) -> int:
    """The program: 0 where every promise held, 1 where one was broken, 2 where the machine has not what it needs."""
    parser = argparse.ArgumentParser(
        prog=f"python -m tests.faults.{rig.name}",
        description=description,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="Exit status 1: a promise was broken, and the line says which. 2: this machine lacks what the rig needs.",
    )
    what = f"how many {rig.trials}; `make faults` takes {rig.long}"
    parser.add_argument(f"--{rig.trials}", dest="count", type=int, default=rig.short, metavar="N", help=what)
    parser.add_argument("--seed", type=int, default=1, help="of every choice the rig makes")
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output, for programs")
    options = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # What is mounted is unmounted then, too.
    try:
        report = perform(rig, options.count, options.seed)
    except CannotRun as reason:
        sys.stderr.write(f"{rig.name}: NOT RUN: {reason}\n")
        return 2
    sys.stdout.write((json.dumps(report.to_json()) if options.json else report.line()) + "\n")
    return 0 if report.holds else 1


def scratch() -> str | None:
    """Where folders go that need no real disk: in memory, where syncs cost nothing; None: the usual place."""
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
