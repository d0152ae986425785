"""The network between any two processes is damaged.

Every connection of a pair is cut, cut and refused, delayed, half closed, passed in single bytes, or nothing passes at all, in
one direction or both, for a time drawn from the seed; then the network is healed. Meanwhile every query must be answered, too,
if by a refusal.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from time import monotonic

import httpx

from tests.faults.proxies import PAIRS
from tests.faults.stage import Wired
from tests.faults.tcp_proxy import DIRECTIONS, Direction, TcpProxy
from tests.faults.traders import Trader
from tests.patience import AsyncHttpClient

DELAYS_S = (0.02, 0.2, 1.0)
READ_S = 20.0
"""No query may wait longer for its answer."""

Damage = Callable[[TcpProxy, tuple[Direction, ...], float], Awaitable[None]]


async def _refuse(proxy: TcpProxy, _directions: tuple[Direction, ...], _delay_s: float) -> None:
    await proxy.refuse()
    await proxy.cut()


async def _half_close(proxy: TcpProxy, directions: tuple[Direction, ...], _delay_s: float) -> None:
    for direction in directions:
        await proxy.half_close(direction)


_DAMAGES: dict[str, Damage] = {
    "cut": lambda proxy, _directions, _delay_s: proxy.cut(),
    "refused": _refuse,
    "delay": lambda proxy, directions, delay_s: proxy.delay(delay_s, *directions),
    "half close": _half_close,
    "single bytes": lambda proxy, directions, _delay_s: proxy.single_bytes(*directions),
    "black hole": lambda proxy, directions, _delay_s: proxy.black_hole(*directions),
}


async def _damage(pair: str, damage: Damage, stage: Wired) -> None:
    random = stage.random
    proxies = stage.proxies.between(pair, await asyncio.to_thread(stage.venue.leader), random)
    directions, delay_s = random.choice([DIRECTIONS[:1], DIRECTIONS[1:], DIRECTIONS]), random.choice(DELAYS_S)

    async def begin() -> None:
        for proxy in proxies:
            await damage(proxy, directions, delay_s)

    async def heal() -> None:
        for proxy in proxies:
            await proxy.heal()

    async with _queries(stage):
        await asyncio.to_thread(stage.proxies.do, begin())
        await asyncio.sleep(random.choice(stage.pace.lasts_s))  # The damage's length, not a wait for something.
        await asyncio.to_thread(stage.proxies.do, heal())


OF_PAIRS = {f"{name} of {pair}": partial(_damage, pair, damage) for pair in PAIRS for name, damage in _DAMAGES.items()}


@asynccontextmanager
async def _queries(stage: Wired) -> AsyncIterator[None]:
    """Each member asks for its orders again and again at its gateway."""
    stopping = asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        for trader, url in zip(stage.traders, stage.venue.gateways(), strict=True):
            tasks.create_task(_query(stage, trader, url, stopping))
        try:
            yield
        finally:
            stopping.set()


async def _query(stage: Wired, trader: Trader, url: str, stopping: asyncio.Event) -> None:
    report, headers = stage.report, {"authorization": f"Bearer {trader.key}"}
    async with AsyncHttpClient(base_url=url, headers=headers) as client:
        while not stopping.is_set():
            began_s = monotonic()
            try:
                async with asyncio.timeout(READ_S):
                    answer = await client.get("/v1/orders", params={"limit": 1})
            except TimeoutError:
                report.broken.append(f"a query had no answer in {READ_S:g} seconds")
            except httpx.TransportError as error:
                report.broken.append(f"the gateway at {url} is gone: {error!r}")
                return
            else:
                report.add("queries" if answer.is_success else "queries_refused")
                if not answer.is_success and answer.status_code != 503:
                    report.broken.append(f"a query was answered {answer.status_code}: {answer.text[:300]}")
                report.highest("longest_query_ms", round((monotonic() - began_s) * 1000))
            await asyncio.sleep(0.1)
