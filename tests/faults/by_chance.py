"""Defects that a rig sees only if its harm hits the right moment. So they are no tests, which would have to see them always.

    python -m tests.faults by_chance --count 40 --seed 1

kill       a venue publishes a batch when its write starts, not when it is durable: 16 of 20 kills saw it
leader     gateways refuse what may be executed: 5 of 8 harms saw it; of those that hand over none does

Each trial has a venue of its own. The first one that sees the defect ends the trials; the count says which one it was.
"""

from __future__ import annotations

from collections.abc import Callable

from tests.faults import embedded, scaled
from tests.faults.mutants import early_acknowledgement
from tests.faults.rig import Advance, Report, Rig
from tests.faults.scaled_mutants import refusal_of_unknown_outcomes
from tests.faults.stage import Pace


def run(trials: int, seed: int, advance: Advance) -> Report:
    """At most `trials` trials of each rig. Raises CannotRun."""
    report = Report("by_chance")
    for name, sees in _RIGS.items():
        for trial in range(1, trials + 1):
            advance()
            if sees(seed + trial):
                report.add(f"{name}_saw_it_in_trial", trial)
                break
        else:
            report.broken.append(f"{name} did not see its defect in {trials} trials")
    return report


def _kill(seed: int) -> bool:
    return bool(embedded.run(embedded.KILL, 1, seed, _nothing, mutant=early_acknowledgement).broken)


def _leader(seed: int) -> bool:
    """Under full load: a harm sees only orders that are on their way."""
    pace, mutants = Pace(pause_s=0.0, most=400), {"gateway": refusal_of_unknown_outcomes}
    broken = scaled.run(scaled.LEADER, 1, seed, _nothing, mutants=mutants, pace=pace).broken
    return any("was refused and is there" in sentence for sentence in broken)


def _nothing() -> None:
    """Shows no progress: the trials are counted here."""


_RIGS: dict[str, Callable[[int], bool]] = {"kill": _kill, "leader": _leader}

RIG = Rig("by_chance", run, "trials", short=8, long=40)
