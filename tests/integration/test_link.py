"""The link over real sockets: order, batches, windows, broken links, take-overs, hostile bytes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.integration.linked_venue import LinkedVenue, linked_venue, until

pytestmark = pytest.mark.anyio


@pytest.fixture
async def venue(tmp_path: Path) -> AsyncIterator[LinkedVenue]:
    async with linked_venue(tmp_path) as opened:
        yield opened


async def test_an_order_through_the_link_and_its_batch_back(venue: LinkedVenue) -> None:
    await venue.lead()
    gateway = await venue.gateway()
    await gateway.link.put(gateway.submission(2, attachments=(b"a text", b"")))
    await until(lambda: gateway.executed == [1, 2])
    (batch,) = gateway.batches
    assert batch.attachments == (b"a text", b"")
    assert gateway.link.depth == 0
