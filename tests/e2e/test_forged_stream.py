"""Who can write to Redis cannot write history: a scaled venue of real processes, a real PostgreSQL and a real Valkey."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from redis.asyncio import Redis
from rex_client import RexClient

from load_tests.servers.redis import ValkeyServer
from matching_engine.records import COMMAND, EVENT
from services.journal.batch import JournalBatch
from services.journal.postgres.journal import PostgresJournal
from services.messaging.redis_stream.connection import stream_key
from tests.faults.scaled_venue import ScaledVenue, read_health, scaled_venue
from tests.faults.traders import an_order, open_traders
from tests.integration.postgres_journal import execute, until

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

READERS = ("projector 1", "reporting 1")


@pytest.fixture
def venue(postgres_url: str, valkey_server: ValkeyServer) -> Iterator[ScaledVenue]:
    with scaled_venue(postgres_url, sequencers=1, gateways=1, redis_url=valkey_server.url()) as running:
        running.start("reporting 1")
        yield running


async def test_a_forged_order_in_redis_reaches_no_reader_and_every_reader_says_so(
    venue: ScaledVenue, valkey_server: ValkeyServer
) -> None:
    buyer, _ = await open_traders(venue)
    health = {name: partial(read_health, venue.processes[name].url) for name in READERS}
    async with RexClient(venue.url, buyer.key) as client:
        await client.place_order(an_order("buy", "true", 1))
        for found in health.values():
            await until(found, lambda said: said.get("redis") is True)
        forged = await _forged_order(venue, valkey_server)
        for found in health.values():
            await until(found, lambda said: said.get("redis") is False)
            assert any(f"a row up to seq {forged.last_seq} that the journal" in one for one in found()["warnings"])
        true = await client.place_order(an_order("buy", "true-again", 2))
        assert true["seq"] >= forged.last_seq, "the true command has the number that the forged one had"
        async with RexClient(venue.processes["reporting 1"].url, buyer.key) as reader:
            await until(health["projector 1"], lambda said: said.get("last_seq", 0) >= true["seq"])
            await until(health["reporting 1"], lambda said: said.get("journal_lag") == 0)
            orders = (await reader.orders())["orders"]
    assert sorted(order["client_order_id"] for order in orders) == ["true", "true-again"]
    assert await execute(venue.database_url, "SELECT count(*) FROM orders") == [(2,)]


async def _forged_order(venue: ScaledVenue, valkey_server: ValkeyServer) -> JournalBatch:
    """Adds the venue's last order to the stream once more, as a batch that well continues the journal."""
    journal = await PostgresJournal.open(venue.database_url)
    last = await journal.last_batch()
    await journal.close()
    assert last is not None
    commands, events = np.frombuffer(last.commands, COMMAND).copy(), np.frombuffer(last.events, EVENT).copy()
    commands["seq"] += last.command_count
    events["seq"] += last.command_count
    events["order_id"] += last.command_count
    forged = replace(
        last,
        first_seq=last.last_seq + 1,
        last_seq=last.last_seq + last.command_count,
        previous_hash=last.hash,
        commands=commands.tobytes(),
        events=events.tobytes(),
    )
    async with Redis.from_url(valkey_server.url()) as redis:
        key = stream_key(last.journal_id)
        await redis.xadd(key, {str(forged.first_seq): forged.encode()}, id=f"{forged.last_seq}-0")
    return forged
