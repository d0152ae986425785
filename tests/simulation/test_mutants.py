"""The simulation finds planted defects. The counts are in docs/durability.md."""

from __future__ import annotations

import json
import re

import pytest

from tests.simulation.__main__ import main
from tests.simulation.mutants import MUTANTS, planted
from tests.simulation.run import run

FOUND_AT = {
    "the fence left out of the append": 24,
    "a read-back without a barrier": 18,
    "an acknowledgement before the append returns": 1,
    "a commit without an answer believed": 1,
    "the requests that came before forgotten": 2,
    "503 for what was sent": 2,
    "a standby that leads too early": 2,
    "what was executed sent again after a take-over": 6,
    "answers from rows that only the primary has": 18,
}
"""The first seed that finds each, from seed 1 on. A change of the simulation makes other runs of all seeds, and other numbers:
`python -m tests.simulation --mutant NAME` finds them."""


def test_every_planted_defect_has_a_seed() -> None:
    assert FOUND_AT.keys() == MUTANTS.keys()
    assert max(FOUND_AT.values()) <= 50


@pytest.mark.parametrize("name", FOUND_AT)
def test_a_planted_defect_is_found_and_can_be_run_again(name: str) -> None:
    seed = FOUND_AT[name]
    with planted(MUTANTS[name]):
        found, again = run(seed), run(seed)
    assert found.failure, f"seed {seed} does not find it any more: look for another one"
    assert (again.failure, again.trace_hash) == (found.failure, found.trace_hash)
    assert not run(seed).failure, "the defect stayed in the product"


def test_a_failure_names_its_seed_and_step_and_shows_the_last_events(capsys: pytest.CaptureFixture[str]) -> None:
    name = "an acknowledgement before the append returns"
    assert main(["--seeds", "20", "--mutant", name, "--json"]) == 1
    shown = capsys.readouterr()
    report = json.loads(shown.out)
    (broken,) = report["broken"]
    assert re.match(r"at step \d+ \(\d+\.\d+ s\): .* which a failover would take back", broken["failure"])
    assert f"seed {broken['seed']}: BROKEN at step" in shown.err
    assert main(["--seed", str(broken["seed"]), "--mutant", name]) == 1
    one = capsys.readouterr().out
    assert broken["failure"] in one
    assert broken["hash"] in one
