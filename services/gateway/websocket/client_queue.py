"""What waits to be sent to one WebSocket client: bounded, and never a reason for anybody else to wait.

Two lanes. The *strict* lane holds replies and private pushes: nothing in it is ever left out, so when it is full the client is
let go (close code 4008) and learns what it missed by asking. The *market* lane may be conflated: when it is full everything in
it is dropped, and each stream that lost a message is *stale* until there is room to send a fresh snapshot of it.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

STRICT_MESSAGES = 16_384
"""How many replies and private pushes may wait for one client."""

MARKET_MESSAGES = 1_024
"""How many market data messages may wait for one client before they are conflated."""

CLOSE_TOO_SLOW = 4008
"""The client did not read its private messages fast enough."""


class Stream(NamedTuple):
    """One sequence of market data pushes."""

    channel: str
    instrument: int


class Closing(NamedTuple):
    """Why the connection ends."""

    code: int
    reason: str


class ClientQueue:
    """Filled by anybody in the event loop without waiting; emptied by the client's own writer."""

    def __init__(
        self,
        snapshot: Callable[[Stream], str],
        *,
        strict_messages: int = STRICT_MESSAGES,
        market_messages: int = MARKET_MESSAGES,
    ) -> None:
        self._snapshot = snapshot
        self._strict_messages = strict_messages
        self._market_messages = market_messages
        self._strict: deque[str] = deque()
        self._market: deque[tuple[Stream, str]] = deque()
        self._stale: dict[Stream, None] = {}
        self.bell = asyncio.Event()
        """Rung whenever there is something to send, or to close."""
        self.closing: Closing | None = None
        self.on_close: Callable[[], None] | None = None
        """Called once, when the connection begins to close."""

    def __len__(self) -> int:
        """How many messages of the strict lane wait."""
        return len(self._strict)

    def put(self, text: str) -> None:
        """A reply or a private push."""
        if self.closing is not None:
            return
        if len(self._strict) >= self._strict_messages:
            self.close(CLOSE_TOO_SLOW, "private messages were not read fast enough")
            return
        self._strict.append(text)
        self.bell.set()

    def put_market(self, stream: Stream, text: str) -> None:
        """A market data update, unless the stream waits for a snapshot, which will include it."""
        if self.closing is not None or stream in self._stale:
            return
        self._market.append((stream, text))
        if len(self._market) > self._market_messages:
            self._stale.update(dict.fromkeys(waiting for waiting, _ in self._market))
            self._market.clear()
        self.bell.set()

    def need_snapshot(self, stream: Stream) -> None:
        """A snapshot of the stream, taken when it is sent; what waits of it is left out."""
        if self.closing is not None:
            return
        self.forget(stream)
        self._stale[stream] = None
        self.bell.set()

    def forget(self, stream: Stream) -> None:
        """Nothing more of this stream."""
        self._stale.pop(stream, None)
        if self._market:
            self._market = deque(waiting for waiting in self._market if waiting[0] != stream)

    def close(self, code: int, reason: str) -> None:
        """Ends the connection, with the first reason given; what waits is not sent."""
        if self.closing is None:
            self.closing = Closing(code, reason)
            if self.on_close is not None:
                self.on_close()
        self._strict.clear()
        self._market.clear()
        self._stale.clear()
        self.bell.set()

    def next_text(self) -> str | None:
        """The next message to send; None when there is nothing."""
        if self._strict:
            return self._strict.popleft()
        if self._market:
            return self._market.popleft()[1]
        if self._stale:
            stream = next(iter(self._stale))
            del self._stale[stream]
            return self._snapshot(stream)
        return None
