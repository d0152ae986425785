"""A subscription: the pushes of some channels as an async iterator, which goes on where it was after a lost connection."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from types import TracebackType
from typing import Any

from rex_client.errors import FellBehind

Json = dict[str, Any]

RESUMABLE = ("trades", "orders", "fills", "balances", "drop_copy", "status")
"""The channels whose missed pushes the venue tells; of `trades` for each symbol that the subscription names."""

Stream = tuple[str, str | None]
"""A channel, and the symbol where it has one: pushes in one sequence."""

QUEUED_PUSHES = 100_000
"""How many pushes a subscription holds for the program; one more ends it with FellBehind."""


class Subscription:
    """An async iterator of pushes: a snapshot of each stream, then its updates.

    After a lost connection the private channels, `status` and the `trades` of named symbols go on where they were: what was
    missed comes as pushes of type `resumed`, with the data of updates, and nothing comes twice. Where the venue cannot tell
    what was missed (REX was set up anew, or too much has happened), and on all other channels, a snapshot comes again.

    Ends when it or its client is closed. Raises RexError if the venue refuses the subscription, and FellBehind.
    """

    def __init__(
        self,
        channels: Sequence[str],
        symbols: Sequence[str] | None,
        on_close: Callable[[Subscription], None],
        options: Json | None = None,
    ) -> None:
        self.channels = list(channels)
        self._options = options or {}
        self.symbols = None if symbols is None else list(symbols)
        self._wanted = None if symbols is None or "*" in symbols else frozenset(symbols)
        self._on_close = on_close
        self._streams_with_snapshot: set[Stream] = set()
        self._parts: dict[Stream, list[Json]] = {}
        """Of snapshots that are not whole yet."""
        self.positions: dict[Stream, Json] = {}
        """By resumable stream: `incarnation` and `seq` of the last push taken, from which to resume."""
        self._pushes: deque[Json] = deque()
        self._bell = asyncio.Event()
        self._error: Exception | None = None
        self._closed = False

    def params(self) -> Json:
        """The params of the `subscribe` message."""
        return {"channels": self.channels} | ({} if self.symbols is None else {"symbols": self.symbols}) | self._options

    def params_without(self, resumed: AbstractSet[Stream]) -> Iterator[Json]:
        """The params of the `subscribe` messages for all streams but these, which go on."""
        going_on = resumed & self.positions.keys()
        channels = [name for name in self.channels if (name, None) not in going_on]
        symbols = [symbol for symbol in self.symbols or () if ("trades", symbol) not in going_on]
        if symbols != (self.symbols or []):
            channels.remove("trades")
            if symbols:
                yield {"channels": ["trades"], "symbols": symbols}
        if channels:
            yield self.params() | {"channels": channels}

    def take(self, push: Json) -> None:
        """Queues a push of the connection if it belongs to this subscription."""
        if push["channel"] not in self.channels or self._error is not None:
            return
        if self._wanted is not None and push["symbol"] is not None and push["symbol"] not in self._wanted:
            return
        if push["channel"] == "candles" and push["data"]["interval"] != self._options.get("interval"):
            return
        stream = push["channel"], push["symbol"]
        parts = [] if push["type"] == "snapshot" else self._parts.pop(stream, [])
        if push["data"].get("more"):
            self._parts[stream] = [*parts, push]
            self.positions.pop(stream, None)  # No seq within a snapshot can be resumed from.
            return
        push = _joined([*parts, push])
        if push["type"] == "snapshot":
            self._streams_with_snapshot.add(stream)
        elif stream not in self._streams_with_snapshot:
            return  # The update belongs to another subscription; the snapshot for this one has not come yet.
        if push["channel"] in RESUMABLE and (push["channel"] != "trades" or self._wanted is not None):
            self.positions[stream] = {"incarnation": push["incarnation"], "seq": push["seq"]}
        self._pushes.append(push)
        if len(self._pushes) > QUEUED_PUSHES:
            self._pushes.clear()
            self.fail(FellBehind(f"{QUEUED_PUSHES} pushes were waiting"))
        self._bell.set()

    def fail(self, error: Exception) -> None:
        """Raises the error in the program, after the queued pushes."""
        self._error = error
        self.positions.clear()
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


def _joined(parts: list[Json]) -> Json:
    """The parts of a snapshot of own orders or of alerts as one push; any other push is one part."""
    if len(parts) == 1:
        return parts[0]
    channel = parts[0]["channel"]
    rows = [row for part in parts for row in part["data"][channel]]
    return {**parts[0], "data": {**parts[-1]["data"], channel: rows}}
