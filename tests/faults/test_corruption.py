"""Damaged files: no command reports "good" if a command is lost, and none ends with a traceback."""

from __future__ import annotations

from tests.faults import corruption


def test_every_damage_is_noticed_or_harmless() -> None:
    report = corruption.run(5, 4, lambda: None)
    assert report.broken == []
    assert report.counts["detected"] > 0
