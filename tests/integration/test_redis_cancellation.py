"""A reader of the stream that is canceled ends: a projector that has lost PostgreSQL cancels its reader, and waits for it."""

from __future__ import annotations

import asyncio

import pytest

from services.messaging.redis_stream.connection import call, open_client
from tests.patience import PATIENCE_S

pytestmark = pytest.mark.anyio


async def test_a_call_that_is_canceled_at_any_moment_ends(redis_url: str) -> None:
    client = open_client(redis_url)
    missed = False

    async def ask() -> None:
        while not missed:
            await call(client, "PING")

    for turns in range(50):
        asking = asyncio.create_task(ask())
        for _ in range(turns):
            await asyncio.sleep(0)
        asking.cancel()
        ended, _ = await asyncio.wait([asking], timeout=PATIENCE_S)  # missed, it would read on for ever
        missed = not ended
        assert ended, f"canceled after {turns} turns of the event loop, the reader reads on"
    await client.aclose()
