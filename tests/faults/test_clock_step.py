"""A clock that jumps: nothing is stamped with the jump, and the trading day does not change."""

from __future__ import annotations

from tests.faults import clock_step


def test_a_clock_that_jumps_moves_neither_orders_nor_the_trading_day() -> None:
    report = clock_step.run(3, 1, lambda: None)
    assert report.broken == []
    assert report.counts["stopped_with_a_sentence"] > 0
    assert report.counts["went_on"] > 0
