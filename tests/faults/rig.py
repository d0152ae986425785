"""The program of every fault rig: a count, a seed, a progress bar, one line or one JSON object, an exit status.

A rig damages a venue by random choices from a seed, counts what it observes, and reports every broken promise as a sentence.
The same seed makes the same choices; at which moment of the venue's work they occur depends on the machine, so counts vary a
little from run to run.
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
from tests.venue_variables import set_variables

Advance = Callable[[], None]
"""Called after each trial."""


_UNITS = {"s": "s", "ms": "ms", "mb": "MB"}


class CannotRun(Exception):
    """This machine lacks something that the rig needs; the sentence says what."""


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


def main(rig: Rig, description: str | None, arguments: Sequence[str] | None = None) -> int:
    """The program. Exit status 0: every promise held; 1: one was broken; 2: the machine lacks something that the rig needs."""
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
    set_variables()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # Unmounts the rig's disks on the way out.
    try:
        report = perform(rig, options.count, options.seed)
    except CannotRun as reason:
        sys.stderr.write(f"{rig.name}: NOT RUN: {reason}\n")
        return 2
    sys.stdout.write((json.dumps(report.to_json()) if options.json else report.line()) + "\n")
    return 0 if report.holds else 1


def scratch() -> str | None:
    """The folder for data that need no real disk: a file system in memory, where syncs are free; None: the default."""
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
