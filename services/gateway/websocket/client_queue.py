"""The bounded queue of messages to one WebSocket client. A slow client never makes anybody else wait.

It has two lanes. The *strict* lane holds replies and private pushes and drops none of them: when it is full, the connection is
closed (code 4008), and the client learns over REST what it missed. The *market* lane is conflated: when it is full, all its
messages are dropped, and each stream that lost a message is *stale* until there is room to send a new snapshot of it.
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
"""Close code: the client did not read its replies and private pushes fast enough."""


class Stream(NamedTuple):
    """One sequence of market data pushes."""

    channel: str
    instrument: int


class Closing(NamedTuple):
    """Why the connection ends."""

    code: int
    reason: str


class ClientQueue:
    """Any code in the event loop puts messages without waiting; the client's writer task takes them."""

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
        """Set when there is a message to send, or the connection has to close."""
        self.closing: Closing | None = None
        self.on_close: Callable[[], None] | None = None
        """Called once, when the connection starts to close."""

    def __len__(self) -> int:
        """How many messages wait in the strict lane."""
        return len(self._strict)

    def put(self, text: str) -> None:
        """Queues a reply or a private push; a full strict lane closes the connection."""
        if self.closing is not None:
            return
        if len(self._strict) >= self._strict_messages:
            self.close(CLOSE_TOO_SLOW, "private messages were not read fast enough")
            return
        self._strict.append(text)
        self.bell.set()

    def put_market(self, stream: Stream, text: str) -> None:
        """Queues a market data update, unless the stream waits for a snapshot: the snapshot will include the update."""
        if self.closing is not None or stream in self._stale:
            return
        self._market.append((stream, text))
        if len(self._market) > self._market_messages:
            self._stale.update(dict.fromkeys(waiting for waiting, _ in self._market))
            self._market.clear()
        self.bell.set()

    def need_snapshot(self, stream: Stream) -> None:
        """Replaces the queued updates of the stream by a snapshot, which is taken when it is sent."""
        if self.closing is not None:
            return
        self.forget(stream)
        self._stale[stream] = None
        self.bell.set()

    def forget(self, stream: Stream) -> None:
        """Removes the queued messages of the stream."""
        self._stale.pop(stream, None)
        if self._market:
            self._market = deque(waiting for waiting in self._market if waiting[0] != stream)

    def close(self, code: int, reason: str) -> None:
        """Closes the connection with the first code and reason given; queued messages are dropped."""
        if self.closing is None:
            self.closing = Closing(code, reason)
            if self.on_close is not None:
                self.on_close()
        self._strict.clear()
        self._market.clear()
        self._stale.clear()
        self.bell.set()

    def next_text(self) -> str | None:
        """The next message to send: strict lane, then market lane, then snapshots of stale streams; None when all are empty."""
        if self._strict:
            return self._strict.popleft()
        if self._market:
            return self._market.popleft()[1]
        if self._stale:
            stream = next(iter(self._stale))
            del self._stale[stream]
            return self._snapshot(stream)
        return None
