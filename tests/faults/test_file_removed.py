"""Files of a running venue are removed: it acknowledges nothing more, and ends with a sentence."""

from __future__ import annotations

from tests.faults import file_removed


def test_nothing_is_acknowledged_on_files_that_are_gone() -> None:
    report = file_removed.run(5, 1, lambda: None)
    assert report.broken == []
    assert set(report.counts.values()) == {0}
