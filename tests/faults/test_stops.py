"""Stops under load: each ends in order, with status 0."""

from __future__ import annotations

import pytest

from tests.faults import stops
from tests.long import some


@pytest.mark.parametrize("seed", some([1, 2]))
def test_every_stop_under_load_ends_in_order(seed: int) -> None:
    assert stops.run(2, seed, lambda: None).broken == []
