"""A failed fsync: the next venue builds only on data that are on the device, so a power cut loses nothing acknowledged."""

from __future__ import annotations

import pytest

from tests.faults import failed_sync
from tests.faults.rig import CannotRun


def test_a_failed_sync_a_kill_and_a_power_cut_lose_no_acknowledged_order() -> None:
    try:
        report = failed_sync.run(2, 5, lambda: None)
    except CannotRun as reason:
        pytest.skip(f"failed syncs: {reason}")
    assert (report.counts["syncs_failed"], report.counts["syncs_failed_at_rest"]) == (1, 1)
    assert report.broken == []
