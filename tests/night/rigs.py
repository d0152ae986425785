"""The rigs of a night, a line each: a program with a count and a seed, and its share of the time.

The program is `python` with these arguments; {count} and {seed} are filled in. It ends with status 0 (every promise held), 1
(one was broken) or 2 (this machine lacks something), and prints JSON: an object with `counts` and `broken`, or a list of them.
"""

from __future__ import annotations

from typing import NamedTuple

from tests.faults.__main__ import RIGS as FAULTS


class NightRig(NamedTuple):
    """One program."""

    name: str
    trials: str
    """What its count counts."""
    first: int
    """The count of its first round. Later rounds are as long as fits their time."""
    arguments: str
    share: int = 2
    is_seconds: bool = False
    """Its count is the seconds that it runs: one round takes the whole share."""


SHARES = {"soak": 37, "soak_scaled": 37, "leader": 6, "power_cut": 4, "kill": 4, "network": 4, "hosts": 6}
"""Of the fault rigs whose share is not the usual one. A quarter of eight hours is the soak of two hours in each mode."""

FUZZED = "--requests {count} --frames {count} --seed {seed} --json"

RIGS = (
    *(
        NightRig(
            rig.name,
            rig.trials,
            rig.short,
            f"-m tests.faults {rig.name} --count {{count}} --seed {{seed}} --json",
            SHARES.get(rig.name, 2),
            rig.trials == "seconds",
        )
        for rig in FAULTS.values()
    ),
    NightRig("simulation", "seeds", 200, "-m tests.simulation --seeds {count} --first {seed} --json", 8),
    NightRig("fuzz", "requests", 2_000, f"-m tests.fuzz {FUZZED}", 4),
    NightRig("fuzz_scaled", "requests", 1_000, f"-m tests.fuzz --scaled {FUZZED}"),
    NightRig(
        "engine", "seeds", 200, "-m tests.property.long_run --seeds {count} --start {seed} --commands 500 --json", 6
    ),
    NightRig("builds", "seeds", 20, "-m tests.night.builds --seeds {count} --start {seed} --json"),
    NightRig("years", "trades", 20, "-m tests.property.years_run --years 10 --trades {count} --json"),
)
