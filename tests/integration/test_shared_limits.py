"""Two gateways' limiters on a real Valkey: together they take at most burst + rate · t, and a chunk each."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator

import pytest

from load_tests.servers.redis import ValkeyServer
from services.commands.attachments import RateLimit
from services.gateway.limits.shared import SharedBucket, SharedLimits
from tests.long import some
from tests.patience import PATIENCE_S

pytestmark = pytest.mark.anyio

JOURNAL_ID = bytes(16)
RATE = RateLimit(per_s=50, burst=1_000)


class Gateway:
    """The limiter of one gateway, its bucket of one key, and how many tokens it took."""

    def __init__(self, url: str, rate: RateLimit = RATE, key_id: int = 7) -> None:
        self.shared = SharedLimits(url, JOURNAL_ID)
        bucket = self.shared.bucket(key_id, "orders", rate)
        assert isinstance(bucket, SharedBucket)
        self.bucket = bucket
        self.taken = 0

    def take(self, most: int, cost: int = 1) -> int:
        """Takes until it is refused, `most` times at most."""
        for number in range(most):
            if self.bucket.take(cost, time.monotonic_ns()):
                return number
            self.taken += cost
        return most


@pytest.fixture
async def gateways(valkey_server: ValkeyServer) -> AsyncIterator[list[Gateway]]:
    found = [Gateway(valkey_server.url()) for _ in range(2)]
    async with asyncio.timeout(PATIENCE_S):
        while [gateway.shared.gateways for gateway in found] != [2, 2]:
            for gateway in found:
                await gateway.shared.tell()
    yield found
    for gateway in found:
        await gateway.shared.close()


def seconds_since(started_ns: int) -> float:
    return (time.monotonic_ns() - started_ns) / 1e9


def bound(gateways: list[Gateway], started_ns: int) -> float:
    come_back = RATE.per_s * seconds_since(started_ns)
    return RATE.burst + come_back + sum(gateway.bucket.chunk for gateway in gateways)


@pytest.mark.parametrize("seed", some(range(5), 2))
async def test_the_sum_over_gateways_is_bounded_whenever_they_tell(gateways: list[Gateway], seed: int) -> None:
    rng, started_ns = random.Random(seed), time.monotonic_ns()
    for _ in range(60):
        gateway = rng.choice(gateways)
        if rng.random() < 0.5:
            gateway.take(rng.randint(1, 400), rng.choice((1, 1, 7, 100)))
        else:
            await gateway.shared.tell()
        assert sum(one.taken for one in gateways) <= bound(gateways, started_ns)
    for gateway in gateways * 2:
        await gateway.shared.tell()
        gateway.take(2_000)
    total = sum(one.taken for one in gateways)
    assert RATE.burst <= total <= bound(gateways, started_ns), "they use up what there is, and no more"


async def test_in_the_background_neither_gateway_waits_and_the_sum_is_bounded(gateways: list[Gateway]) -> None:
    started_ns = time.monotonic_ns()
    tasks = [asyncio.create_task(gateway.shared.run()) for gateway in gateways]
    async with asyncio.timeout(PATIENCE_S):
        while sum(gateway.taken for gateway in gateways) < RATE.burst:
            for gateway in gateways:
                gateway.take(4)
            await asyncio.sleep(0)
    for _ in range(200):
        for gateway in gateways:
            gateway.take(4)
        await asyncio.sleep(0)
    assert sum(gateway.taken for gateway in gateways) <= bound(gateways, started_ns)
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)


async def test_what_one_gateway_took_is_missing_at_the_other(gateways: list[Gateway]) -> None:
    here, there = gateways
    started_ns = time.monotonic_ns()
    while here.take(200):
        await here.shared.tell()
    assert here.taken >= RATE.burst
    assert there.take(1) == 1, "it has not heard yet: this is the slack"
    await there.shared.tell()
    left, _ = there.bucket.left(time.monotonic_ns())
    come_back = RATE.per_s * seconds_since(started_ns)
    assert left <= RATE.burst // 10 + come_back


async def test_without_redis_each_gateway_has_its_share(gateways: list[Gateway], valkey_server: ValkeyServer) -> None:
    valkey_server.kill()
    for gateway in gateways:
        await gateway.shared.tell()
        assert gateway.shared.trouble is not None
        assert "shares no rate limits" in gateway.shared.trouble
    started_ns = time.monotonic_ns()
    taken = [gateway.take(2_000) for gateway in gateways]
    come_back = RATE.per_s * seconds_since(started_ns)
    for count in taken:
        assert RATE.burst / 2 <= count <= RATE.burst / 2 + come_back
    valkey_server.start()
    await until_told(gateways)
    assert all(gateway.shared.trouble is None for gateway in gateways)
    assert all(gateway.bucket.untold == 0 for gateway in gateways), "what was taken meanwhile is told"


async def until_told(gateways: list[Gateway]) -> None:
    """Two calls each: the first reconnects, and the second hears what the other has told."""
    async with asyncio.timeout(PATIENCE_S):
        for gateway in gateways * 2:
            await gateway.shared.tell()
            while gateway.shared.trouble is not None:
                await gateway.shared.tell()
