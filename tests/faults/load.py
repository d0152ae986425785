"""The load of two members on a scaled venue, whatever happens to its processes and servers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from itertools import product
from typing import Any

import httpx
from rex_client import OutcomeUnknown, RexClient, RexError, Unreachable

from tests.faults.rig import Report
from tests.faults.scaled_venue import ScaledVenue
from tests.faults.traders import Trader, key_known

SOCKET_LANES, REST_LANES = 8, 2
REPLY_S = 20.0
"""No request may wait longer for its answer."""
ACKNOWLEDGED_S = 40.0
"""No wait for acknowledgements may be longer, also when a standby takes over meanwhile: a bound of the rigs, no patience."""


class Load:
    """Two members' orders on every lane, from `__aenter__` to `__aexit__`, whatever happens to the leader."""

    def __init__(self, venue: ScaledVenue, traders: list[Trader], report: Report, *, pause_s: float = 0.0) -> None:
        """`pause_s`: how long a lane rests after each answer."""
        self._pause_s = pause_s
        self._traders = traders
        self._urls = venue.gateways()
        self._report = report
        self._tasks: list[asyncio.Task[None]] = []
        self._stopping = False
        self.going = asyncio.Event()
        """Cleared while no order is to be sent."""
        self.going.set()
        self.acknowledged = 0
        self.refused: set[str] = set()
        """Orders that were answered 503: the venue says it did not take them in."""
        self.unknown: set[str] = set()
        self.sent_s: dict[str, float] = {}
        self.last_s = time.monotonic()
        """When the last acknowledgement came."""
        self.longest_s = 0.0
        """The longest time without an acknowledgement."""

    async def keys_known(self) -> None:
        """Returns when every gateway knows the members' keys: who asks with one asks any of them. Raises Unreachable."""
        for trader, url in product(self._traders, self._urls):
            try:
                await key_known(url, trader.key)
            except httpx.TransportError as gone:
                raise Unreachable(f"the gateway at {url} is gone: {gone!r}") from gone

    async def __aenter__(self) -> Load:
        for number, trader in enumerate(self._traders):
            self._tasks.append(asyncio.create_task(self._trade(trader, self._urls[number % len(self._urls)])))
        return self

    async def __aexit__(self, *_: object) -> None:
        self._stopping = True
        self.going.set()
        await asyncio.gather(*self._tasks)

    async def _trade(self, trader: Trader, url: str) -> None:
        async with RexClient(url, trader.key) as client, asyncio.TaskGroup() as lanes:
            await client.connect()
            for _ in range(SOCKET_LANES):
                lanes.create_task(self._lane(trader, client.place_order))
            for _ in range(REST_LANES):
                lanes.create_task(self._lane(trader, client.post_order))

    async def _lane(self, trader: Trader, place: Callable[[Any], Awaitable[Any]]) -> None:
        while await self.going.wait() and not self._stopping:
            order = trader.next_order()
            name = order["client_order_id"]
            self.sent_s[name] = time.monotonic()
            try:
                async with asyncio.timeout(REPLY_S):
                    reply = await place(order)
            except OutcomeUnknown:
                self.unknown.add(name)
            except (RexError, Unreachable) as problem:
                self._refuse(name, problem)
                await asyncio.sleep(max(0.05, self._pause_s))
            except TimeoutError:
                self._report.broken.append(f"{name} had no answer in {REPLY_S:g} seconds")
            else:
                self._acknowledge(trader, reply)
                await asyncio.sleep(self._pause_s)

    def _refuse(self, name: str, problem: RexError | Unreachable) -> None:
        self.refused.add(name)
        if isinstance(problem, RexError) and problem.status not in (429, 503):
            self._report.broken.append(f"{name} was answered {problem}")

    def _acknowledge(self, trader: Trader, reply: dict[str, Any]) -> None:
        now_s = time.monotonic()
        self.longest_s = max(self.longest_s, now_s - self.last_s)
        self.last_s = now_s
        self.acknowledged += 1
        trader.ledger.acknowledge(reply)
        self._on_acknowledged(reply["client_order_id"])

    _wanted = 0
    _sent_after_s = 0.0
    _reached: asyncio.Event | None = None

    def _on_acknowledged(self, name: str) -> None:
        if self._reached is not None and self.sent_s[name] >= self._sent_after_s:
            self._wanted -= 1
            if self._wanted <= 0:
                self._reached.set()

    async def acknowledgements(self, count: int) -> None:
        """Waits for so many acknowledgements of orders that are sent from now on. Raises TimeoutError after
        ACKNOWLEDGED_S."""
        self._wanted, self._sent_after_s, self._reached = count, time.monotonic(), asyncio.Event()
        async with asyncio.timeout(ACKNOWLEDGED_S):
            await self._reached.wait()
