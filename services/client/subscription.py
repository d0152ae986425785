"""A subscription: the pushes of some channels as an async iterator."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any

from services.client.errors import FellBehind

Json = dict[str, Any]

QUEUED_PUSHES = 100_000
"""How many pushes a subscription holds for the program; one more ends it with FellBehind."""


class Subscription:
    """An async iterator of pushes: a snapshot of each stream, then its updates; after a lost connection, a snapshot again.

    Ends when it or its client is closed. Raises RexError if the venue refuses the subscription, and FellBehind.
    """

    def __init__(
        self, channels: Sequence[str], symbols: Sequence[str] | None, on_close: Callable[[Subscription], None]
    ) -> None:
        self.channels = list(channels)
        self.symbols = None if symbols is None else list(symbols)
        self._wanted = None if symbols is None or "*" in symbols else frozenset(symbols)
        self._on_close = on_close
        self._streams_with_snapshot: set[tuple[str, str | None]] = set()
        self._pushes: deque[Json] = deque()
        self._bell = asyncio.Event()
        self._error: Exception | None = None
        self._closed = False

    def params(self) -> Json:
        """The params of the `subscribe` message."""
        return {"channels": self.channels} | ({} if self.symbols is None else {"symbols": self.symbols})

    def take(self, push: Json) -> None:
        """Queues a push of the connection if it belongs to this subscription."""
        if push["channel"] not in self.channels or self._error is not None:
            return
        if self._wanted is not None and push["symbol"] is not None and push["symbol"] not in self._wanted:
            return
        stream = push["channel"], push["symbol"]
        if push["type"] == "snapshot":
            self._streams_with_snapshot.add(stream)
        elif stream not in self._streams_with_snapshot:
            return  # The update belongs to another subscription; the snapshot for this one has not come yet.
        self._pushes.append(push)
        if len(self._pushes) > QUEUED_PUSHES:
            self._pushes.clear()
            self.fail(FellBehind(f"{QUEUED_PUSHES} pushes were waiting"))
        self._bell.set()

    def fail(self, error: Exception) -> None:
        """Raises the error in the program, after the queued pushes."""
        self._error = error
        self._bell.set()

    def close(self) -> None:
        """Ends the iteration; no more pushes are queued."""
        if not self._closed:
            self._closed = True
            self._bell.set()
            self._on_close(self)

    def __aiter__(self) -> Subscription:
        return self

    async def __anext__(self) -> Json:
        while not self._closed:
            if self._pushes:
                return self._pushes.popleft()
            if self._error is not None:
                self.close()
                raise self._error
            self._bell.clear()
            await self._bell.wait()
        raise StopAsyncIteration

    async def __aenter__(self) -> Subscription:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
