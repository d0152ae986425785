"""A client of the market channels inside the venue's process, with a timer that a test moves: what it gets is certain."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

from services.gateway.websocket.channels import Channels
from services.gateway.websocket.client_queue import ClientQueue
from services.gateway.websocket.market_streams import Wanted
from services.venue_state.keys import ApiKey
from tests.patience import PATIENCE_S


class ManualTimer:
    """Calls back when `advance` has passed the time."""

    def __init__(self) -> None:
        self.now_s = 1_000.0
        self._waiting: list[asyncio.TimerHandle] = []

    def time(self) -> float:
        return self.now_s

    def call_later(self, delay: float, callback: Callable[[], Any]) -> asyncio.TimerHandle:
        handle = asyncio.TimerHandle(self.now_s + delay, callback, (), asyncio.get_running_loop())
        self._waiting.append(handle)
        return handle

    def advance(self, seconds: float) -> None:
        self.now_s += seconds
        due = [handle for handle in self._waiting if handle.when() <= self.now_s]
        self._waiting = [handle for handle in self._waiting if handle not in due]
        for handle in sorted(due, key=asyncio.TimerHandle.when):
            if not handle.cancelled():
                handle._run()


class Follower:
    """Has no key, as any client where market data is public."""

    def __init__(self, channels: Channels) -> None:
        self.key: ApiKey | None = None
        self.queue = ClientQueue(channels.snapshot)
        self.channels = channels

    def subscribe(self, wanted: Wanted, instruments: list[int] | None = None) -> Follower:
        self.channels.market.subscribe(self, wanted, instruments)
        return self

    def pushes(self) -> list[dict[str, Any]]:
        """What waits now."""
        return [json.loads(text) for text in iter(self.queue.next_text, None)]

    async def next_pushes(self) -> list[dict[str, Any]]:
        """What waits, as soon as something does."""
        async with asyncio.timeout(PATIENCE_S):
            while not (found := self.pushes()):
                self.queue.bell.clear()
                await self.queue.bell.wait()
        return found
