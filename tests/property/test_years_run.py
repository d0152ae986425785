"""The memory of engine and gateway grows with what is open and recent, not with the age of the journal."""

from __future__ import annotations

import pytest

from services.sequencer import repeats
from services.venue_state import alerts, keyed_requests, users
from tests.property.years_run import grown, live
from tests.property.years_venue import Venue

pytestmark = pytest.mark.anyio

FEW = 10
"""So many ended orders, keyed requests and cleared alerts are remembered: fewer than a year has."""


async def test_after_ten_years_nothing_holds_more_than_after_two(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (repeats, keyed_requests, alerts, users):
        monkeypatch.setattr(module, "REMEMBERED", FEW)
    found = await live(Venue(ended_limit=FEW), years=10, days=15, trades=3)
    assert grown(found) == {}
    sizes = found[-1].sizes
    assert sizes["VenueState.orders.ended"] == sizes["VenueState.alerts.cleared"] == sizes["_Link._names"] == FEW
    assert sizes["VenueState.keyed_requests._by_key"] == FEW
    assert (sizes["Engine.orders"], sizes["Engine.trades"], sizes["Engine.years"]) == (4, 3, 10)
    assert found[-1].commands > 10 * 15 * 3 * 2


async def test_what_grows_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alerts, "REMEMBERED", 1_000)
    found = await live(Venue(ended_limit=FEW), years=3, days=8, trades=1)
    assert grown(found)["VenueState.alerts.cleared"] == (16, 24)
