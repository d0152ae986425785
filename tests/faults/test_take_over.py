"""The gate of the rig `take_over`. Whether it catches a gateway that refuses what may be executed: `by_chance.py`; for certain
test_network.py."""

from __future__ import annotations

import pytest

from load_tests.servers.server_process import ServerMissing
from tests.faults import take_over
from tests.faults.rig import CannotRun
from tests.long import some

pytestmark = pytest.mark.slow
PAUSE_S, MOST = 0.05, 100
"""A gate needs the take-overs, not the load."""


@pytest.mark.parametrize("take_overs", some([4, 10]))
def test_whatever_becomes_of_the_leader_no_acknowledged_order_is_lost_or_doubled(take_overs: int) -> None:
    try:
        report = take_over.run(take_overs, 1, lambda: None, pause_s=PAUSE_S, most=MOST)
    except (CannotRun, ServerMissing) as missing:
        pytest.skip(f"NO TAKE-OVER RAN: {missing}")
    assert report.broken == []
    assert report.counts["acknowledged"] > 0
    assert report.counts["journals_verified"] == 1
