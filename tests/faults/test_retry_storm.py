"""Retries over cut connections: each client_order_id is one order, executed once."""

from __future__ import annotations

from tests.faults import retry_storm


def test_an_order_sent_five_times_is_one_order() -> None:
    report = retry_storm.run(200, 3, lambda: None)
    assert report.broken == []
    assert report.counts["sent_again"] > 0
    assert report.counts["unanswered_sends"] > 0
    assert report.counts["orders"] > 0
