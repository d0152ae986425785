"""The gate of the rig `take_over`, and that it catches a gateway that refuses what may still be executed."""

from __future__ import annotations

import pytest

from load_tests.servers.server_process import ServerMissing
from tests.faults import take_over
from tests.faults.rig import CannotRun, Report
from tests.faults.scaled_mutants import refusal_of_unknown_outcomes
from tests.faults.venue_process import Mutant

pytestmark = pytest.mark.slow
PAUSE_S, MOST = 0.05, 100
"""A gate needs the take-overs, not the load."""


def run(take_overs: int, mutants: dict[str, Mutant], pause_s: float) -> Report:
    try:
        return take_over.run(take_overs, 1, lambda: None, mutants=mutants, pause_s=pause_s, most=MOST)
    except (CannotRun, ServerMissing) as missing:
        pytest.skip(f"NO TAKE-OVER RAN: {missing}")


def test_whatever_becomes_of_the_leader_no_acknowledged_order_is_lost_or_doubled() -> None:
    report = run(10, {}, PAUSE_S)
    assert report.broken == []
    assert report.counts["acknowledged"] > 0
    assert report.counts["journals_verified"] == 1


def test_the_rig_catches_a_gateway_that_refuses_what_may_be_executed() -> None:
    """Under full load, so that every kill finds orders on their way."""
    report = run(3, {"gateway": refusal_of_unknown_outcomes}, 0.0)
    assert any("was refused and is there" in fault for fault in report.broken)
