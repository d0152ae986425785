"""Heartbeats for the clients that ask for them; the notice of a planned close, and the close of a gateway that is cut off, for
all."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress

from services.gateway.websocket.client_queue import VENUE_WIDE, Stream
from services.gateway.websocket.market_models import HeartbeatData, Push, ShutdownData, text_of
from services.gateway.websocket.shared_streams import Timer
from services.gateway.websocket.subscriber import Subscriber
from services.values.times import time_text
from services.venue_state.state import VenueState

HEARTBEAT_SECONDS = 5.0
SHUTDOWN_REASON = "the venue is stopping"
CLOSE_CUT_OFF = 4010
CUT_OFF_REASON = "cut_off: this gateway is cut off from the venue; connect again and resume"
CUT_OFF_LOOK_SECONDS = 0.25
"""Shorter than a proxy's health checks: clients see the code before the proxy closes."""
HEARTBEAT = Stream("heartbeat", VENUE_WIDE)


class Liveness:
    """Knows every connection of the gateway."""

    def __init__(self, state: VenueState, clock: Callable[[], int], timer: Timer) -> None:
        self._state = state
        self._clock = clock
        self._timer = timer
        self._clients: dict[Subscriber, None] = {}
        self._asked: dict[Subscriber, None] = {}
        self._next: asyncio.TimerHandle | None = None
        self._all_left: asyncio.Event | None = None
        """Set when no connection is left; None: nobody waits for that."""

    @property
    def connections(self) -> int:
        """How many there are."""
        return len(self._clients)

    def enter(self, client: Subscriber) -> None:
        """A connection was opened."""
        self._clients[client] = None

    def leave(self, client: Subscriber) -> None:
        """A connection has ended."""
        self._clients.pop(client, None)
        if self._all_left is not None and not self._clients:
            self._all_left.set()
        self.heartbeat(client, on=False)

    def heartbeat(self, client: Subscriber, *, on: bool) -> None:
        """Begins or ends the heartbeats of a client."""
        if not on:
            self._asked.pop(client, None)
            return
        self._asked[client] = None
        if self._next is None:
            self._next = self._timer.call_later(HEARTBEAT_SECONDS, self._beat)

    def text(self) -> str:
        """A heartbeat of now."""
        data = HeartbeatData(time_text(self._clock()))
        return text_of(Push("heartbeat", "update", None, self._state.last_seq, None, self._state.incarnation, data))

    async def announce_shutdown(self, notice_s: float, reason: str) -> None:
        """Tells every client when the venue closes its connections, and waits until then, or until all have left."""
        if not self._clients or not notice_s:
            return
        data = ShutdownData(time_text(self._clock() + int(notice_s * 1e9)), reason)
        seq = self._state.last_seq
        text = text_of(Push("venue", "server_shutdown", None, seq, None, self._state.incarnation, data))
        for client in self._clients:
            client.queue.put(text)
        self._all_left = asyncio.Event()
        with suppress(TimeoutError):
            async with asyncio.timeout(notice_s):
                await self._all_left.wait()

    async def close_when(self, is_cut_off: Callable[[], bool]) -> None:
        """Closes every connection of a gateway that is cut off: its market stands still, and another gateway's goes on. Runs
        until canceled."""
        while True:
            await asyncio.sleep(CUT_OFF_LOOK_SECONDS)
            if is_cut_off():
                for client in [*self._clients]:
                    client.queue.close(CLOSE_CUT_OFF, CUT_OFF_REASON)

    def _beat(self) -> None:
        self._next = None
        if not self._asked:
            return
        self._next = self._timer.call_later(HEARTBEAT_SECONDS, self._beat)
        text = self.text()
        for client in self._asked:
            client.queue.put_market(HEARTBEAT, text)
