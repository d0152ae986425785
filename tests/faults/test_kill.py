"""Kills: nothing that was acknowledged is lost, and the read database equals one rebuilt from the journal.

Whether the rig sees an acknowledgement that comes too early: `by_chance.py`."""

from __future__ import annotations

import pytest

from tests.faults import kill


def test_a_venue_that_is_killed_again_and_again_loses_nothing() -> None:
    report = kill.run(2, 11, lambda: None)
    assert report.broken == []
    assert report.counts["acknowledged"] > 0
    assert report.counts["rebuilt_row_for_row"] == 2


@pytest.mark.long
def test_the_rig_catches_a_venue_that_acknowledges_while_the_row_is_on_its_way() -> None:
    report = kill.run(8, 1, lambda: None, mutant=early_acknowledgement)
    assert report.broken, "rows published too early went unseen for 8 kills"
