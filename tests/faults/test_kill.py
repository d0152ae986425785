"""Kills: nothing that was acknowledged is lost, and the read database equals one rebuilt from the journal.

Whether the rig sees an acknowledgement that comes too early: `by_chance.py`."""

from __future__ import annotations

from tests.faults import kill


def test_a_venue_that_is_killed_again_and_again_loses_nothing() -> None:
    report = kill.run(2, 11, lambda: None)
    assert report.broken == []
    assert report.counts["acknowledged"] > 0
    assert report.counts["rebuilt_row_for_row"] == 2
