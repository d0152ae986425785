"""The subscriptions of a client's WebSocket: begun, resumed or begun again on each connection."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, Protocol

from rex_client.errors import RexError
from rex_client.retries import took_nothing_in
from rex_client.subscription import Stream, Subscription

Json = dict[str, Any]

AGAIN_SECONDS = 0.5
"""The pause before a request is sent again that the venue could not carry out just now."""


class Requests(Protocol):
    """What subscriptions need of the WebSocket."""

    @property
    def is_open(self) -> bool:
        """Whether a request can be sent now."""

    async def open(self) -> None:
        """Connects, or waits for the connection that is being opened."""

    async def send(self, method: str, params: Any) -> asyncio.Future[Json]:
        """Sends a request and returns a future of its reply."""


class Subscriptions:
    """The list of subscriptions. `begin` is called for each new connection."""

    def __init__(self, requests: Requests) -> None:
        self._requests = requests
        self._all: list[Subscription] = []
        self._connections = 0
        self._is_resuming = False
        """Whether a new connection has still to resume: what is added now is subscribed to after that."""
        self._tasks: set[asyncio.Task[None]] = set()

    def __iter__(self) -> Iterator[Subscription]:
        return iter(self._all)

    def add(self, subscription: Subscription) -> None:
        """Subscribes now, or once there is a connection, and again after each reconnection."""
        self._all.append(subscription)
        if self._requests.is_open:
            if not self._is_resuming:
                self.start(self._subscribe(subscription, self._connections))
        else:
            self.start(self._open_for(subscription))

    def remove(self, subscription: Subscription) -> None:
        """Unsubscribes from the channels that no other subscription uses."""
        self._all.remove(subscription)
        others = {channel for other in self._all for channel in other.channels}
        channels = [channel for channel in subscription.channels if channel not in others]
        if channels and self._requests.is_open:
            self.start(self._unsubscribe({**subscription.params(), "channels": channels}))

    def begin(self) -> None:
        """Subscribes over a new connection."""
        self._connections += 1
        self._is_resuming = True
        self.start(self._subscribe_again(self._connections))

    def start(self, work: Any) -> None:
        """Runs a coroutine in the background."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def stop(self) -> None:
        """Ends what runs in the background: the client is closed."""
        for task in self._tasks:
            task.cancel()

    async def _open_for(self, subscription: Subscription) -> None:
        try:
            await self._requests.open()
        except (RexError, ConnectionError) as error:
            subscription.fail(error)

    async def _subscribe(self, subscription: Subscription, connection: int, params: Json | None = None) -> None:
        """Subscribes with these params of the subscription, by default to all of it, while it is wanted and the connection
        lasts."""
        try:
            await until_taken_in(
                self._requests.send,
                "subscribe",
                params or subscription.params(),
                lambda: self._connections == connection and subscription in self._all,
            )
        except RexError as error:
            subscription.fail(error)
        except ConnectionError:
            return  # The next connection subscribes again.

    async def _subscribe_again(self, connection: int) -> None:
        """Resumes each stream that has a position, once for all its subscriptions; then subscribes to the others."""
        positions = {stream: at for subscription in self._all for stream, at in subscription.positions.items()}
        resumed = set()
        for stream, position in positions.items():
            if await self._resume(connection, stream, position):
                resumed.add(stream)
        if self._connections != connection or not self._requests.is_open:
            return  # The next connection subscribes again.
        self._is_resuming = False
        for subscription in self._all:
            for params in subscription.params_without(resumed):
                self.start(self._subscribe(subscription, connection, params))

    async def _resume(self, connection: int, stream: Stream, position: Json) -> bool:
        """Resumes a stream. False: the venue cannot tell what was missed, nobody reads the stream any more, or the connection
        is lost."""
        channel, symbol = stream
        params = {"channels": [channel], "resume": position} | ({} if symbol is None else {"symbols": [symbol]})
        while self._connections == connection and any(stream in each.positions for each in self._all):
            try:
                await (await self._requests.send("subscribe", params))
            except RexError as refused:
                if refused.status < 500 and not took_nothing_in(refused):
                    return False
                await asyncio.sleep(wait_of(refused))
            except ConnectionError:
                return False
            else:
                return True
        return False

    async def _unsubscribe(self, params: Json) -> None:
        with contextlib.suppress(ConnectionError, RexError):
            await (await self._requests.send("unsubscribe", params))


def wait_of(refused: RexError) -> float:
    """The seconds before a refused request is sent again."""
    return max(AGAIN_SECONDS, (refused.retry_after_ms or 0) / 1000)


async def until_taken_in(
    send: Callable[[str, Any], Awaitable[asyncio.Future[Json]]], method: str, params: Any, is_wanted: Callable[[], bool]
) -> None:
    """Sends a request, while it is wanted, until the venue has answered it with more than that it takes nothing in now."""
    while is_wanted():
        try:
            await (await send(method, params))
        except RexError as refused:
            if not took_nothing_in(refused):
                raise
            await asyncio.sleep(wait_of(refused))
        else:
            return
