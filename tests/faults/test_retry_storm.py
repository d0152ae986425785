"""Retries over cut connections: each client_order_id is one order, executed once; each Idempotency-Key one deposit."""

from __future__ import annotations

from tests.faults import retry_storm


def test_an_order_or_a_deposit_sent_five_times_is_one() -> None:
    report = retry_storm.run(200, 3, lambda: None)
    assert report.broken == []
    assert report.counts["sent_again"] > 0
    assert report.counts["unanswered_sends"] > 0
    assert min(report.counts[name] for name in ("orders", "deposits", "deposits_answered_again")) > 0
