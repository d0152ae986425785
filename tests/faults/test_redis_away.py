"""A scaled venue whose Redis goes away: orders go on, the projector keeps up, the health pages say so."""

from __future__ import annotations

import pytest

from tests.faults import redis_away
from tests.faults.mutants import orders_wait_for_redis
from tests.faults.rig import CannotRun, Report
from tests.faults.venue_process import Mutant

PAUSE_S = 0.05
"""A gate needs the faults, not the load."""


def run(faults: int, mutant: Mutant | None = None, orders_s: float = redis_away.ORDERS_S) -> Report:
    mutants = {} if mutant is None else {"sequencer": mutant}
    try:
        return redis_away.run(faults, 1, lambda: None, mutants=mutants, pause_s=PAUSE_S, orders_s=orders_s)
    except CannotRun as reason:
        pytest.skip(f"Redis away: {reason}")


def test_no_order_waits_for_redis_and_readers_keep_up() -> None:
    report = run(5)
    assert report.broken == []
    assert report.counts["acknowledged"] > 0
    assert report.counts["journals_verified"] == 1


@pytest.mark.long
def test_the_rig_catches_a_leader_that_waits_for_redis() -> None:
    broken = run(1, orders_wait_for_redis, orders_s=2).broken
    assert any("no order was acknowledged" in sentence for sentence in broken), broken
