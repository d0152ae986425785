"""The header of a read that may be old: it names the command that the answer surely shows, and the time."""

from __future__ import annotations

import pytest

from services.gateway.freshness import ALWAYS_FRESH, AsOf, Freshness
from services.venue_state.state import VenueState

NOW_NS = 1_701_396_012_500_000_000  # 2023-12-01 02:00:12.5 UTC
ORDERS = "/v1/orders"


def behind(applied_seq: int) -> float:
    """Twelve seconds behind command 119."""
    return 12.5 if applied_seq < 119 else 0.0


def header(freshness: Freshness, *, method: str = "GET", path: str = ORDERS, seq: int = 118) -> list[bytes]:
    state = VenueState()
    state.last_seq = seq
    return [value for _, value in AsOf(state, freshness, lambda: NOW_NS).headers(method, path)]


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_read_of_a_gateway_that_is_behind_says_as_of_when(method: str) -> None:
    late = Freshness(behind_s=behind)
    assert header(late, method=method) == [b'seq=118, time="2023-12-01T02:00:00.000000Z"']
    assert header(late, method=method, seq=119) == []


def test_nothing_else_says_it() -> None:
    assert header(ALWAYS_FRESH) == []
    late = Freshness(behind_s=behind)
    assert header(late, method="POST") == []
    assert header(late, path="/healthz") == []
