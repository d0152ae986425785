"""The bounded queue of messages to one WebSocket client. A slow client never makes anybody else wait.

A message to a client that reads does not wait: it is written at the end of this turn of the event loop.

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


VENUE_WIDE = -1
"""The instrument of a stream that covers the whole venue."""


class Stream(NamedTuple):
    """One sequence of market data pushes, the same for all its subscribers."""

    channel: str
    instrument: int
    levels: int = 0
    """Of `depth`: the best so many of each side; 0: all. Of `trades`: how many a snapshot has; 0: as many as it may."""
    interval: int = 0
    """Of `depth` and `top`: at most one push in so many milliseconds. Of `candles`: their length in seconds. 0: none."""


class Closing(NamedTuple):
    """Why the connection ends."""

    code: int
    reason: str


Hold = list[str]
"""The updates that one resumption holds back; it is known by its identity."""


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
        self._held: dict[Stream, Hold] = {}
        """Updates of streams that are being resumed: they wait for what was missed."""
        self.bell = asyncio.Event()
        """Set when there is a message to send, or the connection has to close."""
        self.closing: Closing | None = None
        self._drained: asyncio.Event | None = None
        """What waits in `room`."""
        self.send_now: Callable[[str], bool] | None = None
        """Writes a market data update to the client at once, and returns whether it could."""
        self.collect: Callable[[str], bool] | None = None
        """Sends a message to the client, and returns whether it could."""
        self.sent = asyncio.Event()
        """Set when a message has left, or nobody sends any more. Who waits for it clears it before."""
        self.on_close: Callable[[], None] | None = None
        """Called once, when the connection starts to close."""

    def __len__(self) -> int:
        """How many messages wait in the strict lane."""
        return len(self._strict)

    def put(self, text: str) -> None:
        """Sends a reply or a private push, or queues it where it must wait; a full strict lane closes the connection."""
        if self.closing is not None:
            return
        if not self._strict and self.collect is not None and self.collect(text):  # Without a turn of the writer task.
            self.sent.set()
            return
        if len(self._strict) >= self._strict_messages:
            self.close(CLOSE_TOO_SLOW, "private messages were not read fast enough")
            return
        self._strict.append(text)
        self.bell.set()

    async def room(self) -> None:
        """Waits until no message waits, or the connection closes: for whoever sends much at once. Others get their turn before,
        also where the client reads so fast that nothing ever waits."""
        await asyncio.sleep(0)
        if (self._strict or self._market) and self.closing is None:
            self._drained = self._drained or asyncio.Event()
            await self._drained.wait()

    def put_market(self, stream: Stream, text: str) -> None:
        """Queues a market data update, unless it can be written at once, or the stream waits for a snapshot, which will include
        it."""
        if self.closing is not None or stream in self._stale:
            return
        if self._held and (held := self._held.get(stream)) is not None:
            held.append(text)
            if len(held) > self._market_messages:
                self.need_snapshot(stream)
            return
        if not self._market and not self._strict and self.send_now is not None and self.send_now(text):
            return
        self.put_resumed(stream, text)

    def put_resumed(self, stream: Stream, text: str) -> None:
        """Queues a message of a stream whose updates are held back; else like `put_market`."""
        if self.closing is not None or stream in self._stale:
            return
        self._market.append((stream, text))
        if len(self._market) > self._market_messages:
            self._stale.update(dict.fromkeys(waiting for waiting, _ in self._market))
            for stream in self._stale:
                self._held.pop(stream, None)
            self._market.clear()
        self.bell.set()

    def hold(self, stream: Stream) -> Hold:
        """Holds back the updates of the stream until `release`; a snapshot, of too many as well, and another hold end it."""
        self.forget(stream)
        held = self._held[stream] = []
        return held

    def is_held(self, stream: Stream, hold: Hold) -> bool:
        """Whether updates of the stream are held back by this hold."""
        return self._held.get(stream) is hold

    def release(self, stream: Stream, hold: Hold) -> None:
        """Queues what this hold has held back; from now on updates are queued at once."""
        if self.is_held(stream, hold):
            del self._held[stream]
            for text in hold:
                self.put_resumed(stream, text)

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
        self._held.pop(stream, None)
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
        self._held.clear()
        self._is_drained()
        self.bell.set()

    def next_text(self) -> str | None:
        """The next message to send: strict lane, then market lane, then snapshots of stale streams; None when all are empty."""
        if self._strict:
            return self._strict.popleft()
        if self._market:
            return self._market.popleft()[1]
        self._is_drained()
        if self._stale:
            stream = next(iter(self._stale))
            del self._stale[stream]
            return self._snapshot(stream)
        return None

    def _is_drained(self) -> None:
        if self._drained is not None:
            self._drained.set()
            self._drained = None
