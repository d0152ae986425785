"""A defect that a rig sees only if its harm hits the right moment. So it is no test, which would have to see it always.

    python -m tests.faults by_chance --count 40 --seed 1

A venue publishes a batch when its write starts, not when it is durable: 16 of 20 kills saw it. Each trial has a venue of its
own. The first one that sees the defect ends the trials; the count says which one it was.
"""

from __future__ import annotations

from tests.faults import embedded
from tests.faults.mutants import early_acknowledgement
from tests.faults.rig import Advance, Report, Rig


def run(trials: int, seed: int, advance: Advance) -> Report:
    """At most `trials` kills."""
    report = Report("by_chance")
    for trial in range(1, trials + 1):
        advance()
        if embedded.run(embedded.KILL, 1, seed + trial, _nothing, mutant=early_acknowledgement).broken:
            report.add("saw_it_in_trial", trial)
            return report
    report.broken.append(f"no kill saw the defect in {trials} trials")
    return report


def _nothing() -> None:
    """Shows no progress: the trials are counted here."""


RIG = Rig("by_chance", run, "trials", short=8, long=40)
