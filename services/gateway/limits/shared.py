"""Buckets that the gateways of a venue share through Redis or Valkey (scaled mode).

A request never waits for Redis. Each gateway takes tokens from its own bucket, and tells Redis in the background how many it
took: after SYNC_S, or as soon as half a chunk is untold. The answer is how empty the bucket of all gateways is, and its own
bucket becomes so. A gateway takes at most a chunk that it has not told. So all gateways together take in t seconds at most
burst + per_s · t tokens, and a chunk for each gateway: CHUNK_PARTS says how large it is.

While Redis is away, each gateway has an equal share of rate and burst, by the number of gateways that Redis last knew.

Keys in Redis: rex:<journal id>:gateways, a sorted set of the gateways by the time of their last call; and for each bucket
rex:<journal id>:limit:<key_id>:<class>, the microsecond by Redis' clock at which it will be full. Both expire by themselves.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from contextlib import suppress

from services.commands.attachments import RateLimit
from services.gateway.limits.bucket import Bucket
from services.gateway.limits.rate_class import RateClass
from services.messaging.redis_stream.connection import REDIS_ERRORS, address_of, call, open_client

SYNC_S = 0.1
BEAT_S = 1.0
"""Without a bucket to tell of, a gateway calls so often, to be counted and to find out whether Redis is there."""
CHUNK_PARTS = 4
"""A chunk is this part of the burst; but a whole batch of BATCH_ORDERS, or the burst, if that is less."""
BATCH_ORDERS = 100
BUCKETS_A_CALL = 512
UNTOLD_NS = 1_000_000
"""The time to wait that a request is told which finds a whole chunk untold."""

_SCRIPT = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
redis.call('ZADD', KEYS[1], now, ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - 5000000)
redis.call('PEXPIRE', KEYS[1], 10000)
local answer = {redis.call('ZCARD', KEYS[1])}
for i = 2, #KEYS do
  local full = math.max(tonumber(redis.call('GET', KEYS[i]) or now), now) + tonumber(ARGV[i])
  redis.call('SET', KEYS[i], string.format('%.0f', full), 'PX', math.ceil((full - now) / 1000) + 1000)
  answer[i] = full - now
end
return answer
"""


class SharedBucket(Bucket):
    """A bucket of this gateway, of tokens that all gateways share."""

    def __init__(self, shared: SharedLimits, key: str, name: RateClass, rate: RateLimit) -> None:
        self.key = key
        self._shared = shared
        self.untold = 0
        """Tokens taken that Redis has not answered for."""
        self._telling = 0
        super().__init__(name, rate)

    def set(self, rate: RateLimit) -> None:
        """Sets rate and burst."""
        super().set(rate)
        self.chunk = max(rate.burst // CHUNK_PARTS, min(BATCH_ORDERS, rate.burst))

    def take(self, cost: int, now_ns: int) -> int:
        """Takes tokens, at most a chunk that is untold while Redis is there, at most a share while it is away."""
        shared, untold = self._shared, self.untold + cost
        if shared.trouble is not None:
            wait_ns = super().take(cost * shared.gateways, now_ns)
        elif untold > self.chunk and self.untold:
            shared.wake.set()
            return UNTOLD_NS
        else:
            wait_ns = super().take(cost, now_ns)
        if not wait_ns:
            if not self.untold:
                shared.changed[self] = None
            self.untold = untold
            if untold * 2 >= self.chunk:
                shared.wake.set()
        return wait_ns

    def begin_telling(self) -> int:
        """What to tell Redis: the worth of the untold tokens in microseconds, rounded up."""
        self._telling = min(self.untold, self.burst)  # More can only have been taken while Redis was away.
        self.untold = self._telling
        return -(-self._telling * self._token_ns // 1000)

    def told(self, missing_us: int, now_ns: int) -> bool:
        """Takes over how empty the shared bucket is. Returns whether more was taken meanwhile."""
        self.untold -= self._telling
        self._full_ns = now_ns + missing_us * 1000 + self.untold * self._token_ns
        return self.untold > 0


class SharedLimits:
    """One gateway's part. Run `run` as a task; `bucket` makes the buckets."""

    def __init__(self, url: str, journal_id: bytes) -> None:
        """Raises RedisAddressInvalid for a malformed URL."""
        self._client = open_client(url)
        self._prefix = f"rex:{journal_id.hex()}"
        self._name = secrets.token_hex(8)
        self.changed: dict[SharedBucket, None] = {}
        self.wake = asyncio.Event()
        self.gateways = 1
        """How many gateways called Redis lately, this one included."""
        self.trouble: str | None = None
        """Why each gateway has its own share of the limits, as a sentence; None while they are shared."""

    def bucket(self, key_id: int, name: RateClass, rate: RateLimit) -> Bucket:
        """A bucket of a key's class."""
        return SharedBucket(self, f"{self._prefix}:limit:{key_id}:{name}", name, rate)

    async def run(self) -> None:
        """Tells Redis what was taken, until it is canceled. No error of Redis ends it."""
        try:
            while True:
                with suppress(TimeoutError):
                    async with asyncio.timeout(SYNC_S if self.changed else BEAT_S):
                        await self.wake.wait()
                self.wake.clear()
                await self.tell()
                if self.trouble is not None:
                    await asyncio.sleep(BEAT_S)
        finally:
            await self.close()

    async def close(self) -> None:
        """Closes the connections; `run` does it at its end."""
        await self._client.aclose()

    async def tell(self) -> None:
        """One call: tells what was taken, and learns what all gateways have taken."""
        buckets = list(self.changed)[:BUCKETS_A_CALL]
        keys = [f"{self._prefix}:gateways", *(bucket.key for bucket in buckets)]
        values: list[str | int] = [self._name, *(bucket.begin_telling() for bucket in buckets)]
        for bucket in buckets:
            del self.changed[bucket]
        try:
            self.gateways, *missing = await call(self._client, "EVAL", _SCRIPT, len(keys), *keys, *values)
        except REDIS_ERRORS as error:
            self.changed.update(dict.fromkeys(buckets))
            self.trouble = self._sentence(error)
            return
        self.trouble = None
        now_ns = time.monotonic_ns()
        for bucket, missing_us in zip(buckets, missing, strict=True):
            if bucket.told(missing_us, now_ns):
                self.changed[bucket] = None

    def _sentence(self, error: BaseException) -> str:
        answer = str(error).rstrip(".") or "no answer in time"
        share = f"1/{self.gateways}" if self.gateways > 1 else "the whole"
        return (
            f"Redis at {address_of(self._client)} shares no rate limits: {answer}. Each gateway takes {share} of them"
        )
