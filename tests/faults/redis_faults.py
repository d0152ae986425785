"""Redis is killed, stopped, emptied, restarted empty, or has a key of another type in the place of the stream.

While it is away new orders must be acknowledged, the projector must reach what the leader had committed, and the health pages
of both must say that Redis is away; afterwards, that it is back. A publisher and a reader alone, and what they say:
`tests/integration/test_redis_stream.py`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, NamedTuple

from redis.asyncio import Redis

from tests.faults.rig import until
from tests.faults.scaled_venue import answered_health, read_health
from tests.faults.stage import Wired

ORDERS = 50
"""So many orders are acknowledged while Redis is away, in `orders_s`."""
SOMEONE = b"of someone else"


class Row(NamedTuple):
    """How it begins, how it ends, and whether health pages must say so in between: else the stream is good again at once."""

    begin: Callable[[Wired], Awaitable[object]]
    end: Callable[[Wired], Awaitable[object]]
    is_said: bool


def _of_server(*names: str) -> Callable[[Wired], Awaitable[None]]:
    async def call(stage: Wired) -> None:
        for name in names:
            await asyncio.to_thread(getattr(stage.valkey, name))

    return call


async def _usurp(stage: Wired) -> None:
    async with _redis(stage) as redis:
        await redis.set(await _stream_key(redis), SOMEONE)


async def _delete(stage: Wired) -> None:
    async with _redis(stage) as redis:
        (key,) = [key async for key in redis.scan_iter("rex:*", _type="string") if await redis.get(key) == SOMEONE]
        await redis.delete(key)


_ROWS = {
    "killed": Row(_of_server("kill"), _of_server("start"), is_said=True),
    "stopped": Row(_of_server("pause"), _of_server("resume"), is_said=True),
    "flushed": Row(_of_server("flush"), _of_server(), is_said=False),
    "restarted empty": Row(_of_server("stop", "start"), _of_server(), is_said=False),
    "of another type": Row(_usurp, _delete, is_said=True),
}


def _redis(stage: Wired) -> Redis:
    return Redis.from_url(stage.valkey.url())


async def _stream_key(redis: Redis) -> Any:
    # The gateways' rate limits are keys there, too, as soon as somebody has ordered.
    (key,) = [key async for key in redis.scan_iter("rex:*", _type="stream")]
    return key


async def _harm(row: Row, stage: Wired) -> None:
    leader = await asyncio.to_thread(stage.venue.leader)
    readers = [stage.venue.processes[name].url for name in (leader, "projector 1")]

    def there() -> list[bool]:
        return [bool(answered_health(url).get("redis")) for url in readers]

    ends = False
    try:
        await row.begin(stage)
        await _orders_go_on(stage)
        if row.is_said:
            await asyncio.to_thread(until, lambda: not any(there()), "health pages do not say that Redis is away")
            await _orders_go_on(stage)
        await _caught_up(*readers)
        ends = True
        await row.end(stage)
        await asyncio.to_thread(until, lambda: all(there()), "health pages do not say that Redis is back")
        await _orders_go_on(stage)
        await _caught_up(*readers)
    finally:
        stage.valkey.resume()
        if not ends:
            await row.end(stage)


HARMS = {name: partial(_harm, row) for name, row in _ROWS.items()}


async def _orders_go_on(stage: Wired) -> None:
    async with asyncio.timeout(stage.pace.orders_s):
        await stage.load.acknowledgements(ORDERS)


async def _caught_up(leader: str, projector: str) -> None:
    """Waits until the projector reaches what the leader has committed now."""
    seq = await asyncio.to_thread(until, lambda: read_health(leader).get("last_seq", 0), "the leader does not answer")
    await asyncio.to_thread(
        until, lambda: read_health(projector).get("last_seq", 0) >= seq, "the projector does not catch up"
    )
