"""The gate of the rig `take_over`. Whether it catches a gateway that refuses what may be executed: `by_chance.py`; for certain
test_network.py."""

from __future__ import annotations

import pytest

from load_tests.servers.server_process import ServerMissing
from tests.faults import take_over
from tests.faults.rig import CannotRun, Report
from tests.faults.scaled_mutants import refusal_of_unknown_outcomes
from tests.faults.venue_process import Mutant
from tests.long import some

pytestmark = pytest.mark.slow
PAUSE_S, MOST = 0.05, 100
"""A gate needs the take-overs, not the load."""


def run(take_overs: int, mutants: dict[str, Mutant], pause_s: float, seed: int = 1) -> Report:
    try:
        return take_over.run(take_overs, seed, lambda: None, mutants=mutants, pause_s=pause_s, most=MOST)
    except (CannotRun, ServerMissing) as missing:
        pytest.skip(f"NO TAKE-OVER RAN: {missing}")


@pytest.mark.parametrize("take_overs", some([4, 10]))
def test_whatever_becomes_of_the_leader_no_acknowledged_order_is_lost_or_doubled(take_overs: int) -> None:
    report = run(take_overs, {}, PAUSE_S)
    assert report.broken == []
    assert report.counts["acknowledged"] > 0
    assert report.counts["journals_verified"] == 1


@pytest.mark.long
def test_the_rig_catches_a_gateway_that_refuses_what_may_be_executed() -> None:
    """Under full load, so that most kills find orders on their way; the first one found ends the search."""

    def is_caught(seed: int) -> bool:
        report = run(6, {"gateway": refusal_of_unknown_outcomes}, 0.0, seed)
        return any("was refused and is there" in fault for fault in report.broken)

    assert any(map(is_caught, range(1, 6)))
