"""Power cuts: nothing that was acknowledged is lost, and a venue that acknowledges too early is caught."""

from __future__ import annotations

import pytest

from tests.faults import power_cut
from tests.faults.mutants import unsynced_journal
from tests.faults.rig import CannotRun


def nothing() -> None:
    """Shows no progress."""


def test_no_acknowledged_order_is_lost_when_the_power_is_cut() -> None:
    try:
        report = power_cut.run(2, 7, nothing)
    except CannotRun as reason:
        pytest.skip(f"power cuts: {reason}")
    assert report.broken == []
    assert report.counts["acknowledged"] > 0


def test_the_rig_catches_a_venue_that_acknowledges_before_the_row_is_on_the_device() -> None:
    try:
        report = power_cut.run(8, 1, nothing, mutant=unsynced_journal)
    except CannotRun as reason:
        pytest.skip(f"power cuts: {reason}")
    assert report.broken, "PRAGMA synchronous=OFF went unseen for 8 cuts"
