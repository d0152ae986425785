"""The line that a rig prints for people."""

from __future__ import annotations

from tests.faults.rig import Report


def test_a_count_is_said_as_words_number_and_unit() -> None:
    counts = {"kills": 1, "seed": 1, "acknowledged": 1_234, "rss_grew_mb": 3, "others_slowest_ms": 20, "took_s": 10}
    line = "kill: kills 1, seed 1, acknowledged 1,234, rss grew 3 MB, others slowest 20 ms, took 10 s"
    assert Report("kill", counts).line() == f"{line}: every promise held"
    broken = Report("kill", {"kills": 2}, ["an order is gone"])
    assert broken.line() == "kill: kills 2: 1 BROKEN: an order is gone"
