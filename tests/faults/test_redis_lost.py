"""Redis away, stopped, flushed, empty, or with another key: readers get every batch once, and health says what is wrong."""

from __future__ import annotations

import pytest

from services.messaging.tail import tail
from tests.faults import redis_lost
from tests.faults.rig import CannotRun, Report
from tests.integration.streamed_journal import Follow


def run(faults: int, follow: Follow) -> Report:
    try:
        return redis_lost.run(faults, 4, lambda: None, follow=follow)
    except CannotRun as reason:
        pytest.skip(f"lost Redis: {reason}")


def test_readers_get_every_batch_once_whatever_becomes_of_redis() -> None:
    report = run(5, tail)
    assert report.broken == []
    assert {name: report.counts[name] for name in ("kills", "stops", "flushes", "restarts_empty", "wrong_types")} == {
        "kills": 1,
        "stops": 1,
        "flushes": 1,
        "restarts_empty": 1,
        "wrong_types": 1,
    }
    assert report.counts["through_the_stream"] > 0


@pytest.mark.long
def test_the_rig_catches_a_reader_that_ignores_gaps() -> None:
    assert run(5, redis_lost.careless_follow).broken, "batches that a reader missed went unseen"
