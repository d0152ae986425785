"""Stops under load: each ends in order, with status 0."""

from __future__ import annotations

from tests.faults import stops


def test_every_stop_under_load_ends_in_order() -> None:
    assert stops.run(4, 1, lambda: None).broken == []
