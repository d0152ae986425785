"""The client's WebSocket: requests and replies, pushes, and reconnection."""

from __future__ import annotations

import asyncio
import contextlib
import random
from typing import Any

import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus
from websockets.protocol import State

from services.client.errors import FellBehind, OutcomeUnknown, RexError, Unreachable, error_of
from services.client.rest import read_problem
from services.client.subscription import Subscription

Json = dict[str, Any]

FIRST_BACKOFF_SECONDS = 0.05
LAST_BACKOFF_SECONDS = 5.0
CLOSED_TOO_SLOW = 4008

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode


class VenueSocket:
    """One WebSocket connection. After `open` it reconnects by itself, with a growing pause, until `close`."""

    def __init__(self, url: str, key: str) -> None:
        self._url = url.replace("http", "ws", 1).rstrip("/") + "/v1/ws"
        self._headers = {"authorization": f"Bearer {key}"}
        self._connection: ClientConnection | None = None
        self._task: asyncio.Task[None] | None = None
        self._opened: asyncio.Future[None] | None = None
        self._request_id = 0
        self._waiting: dict[int, asyncio.Future[Json]] = {}
        self._subscriptions: list[Subscription] = []
        self._subscribing: set[asyncio.Task[None]] = set()

    @property
    def is_open(self) -> bool:
        """Whether a request can be sent now."""
        return self._connection is not None and self._connection.state is State.OPEN

    async def open(self) -> None:
        """Connects; raises Unreachable, or RexError for a key that the venue does not know.

        While a lost connection is being reopened, waits for it without a time limit.
        """
        if self._task is None or self._task.done():
            self._opened = asyncio.get_running_loop().create_future()
            self._task = asyncio.create_task(self._stay_connected())
        assert self._opened is not None
        await asyncio.shield(self._opened)

    async def close(self) -> None:
        """Closes the connection. Pending replies raise OutcomeUnknown; every subscription ends.

        Canceled, it leaves the connection to close in the background.
        """
        try:
            if self._task is not None:
                self._task.cancel()
                # Awaiting the task itself would raise CancelledError both for its end and for a cancellation of ours.
                await asyncio.wait([self._task])
                if not self._task.cancelled():
                    self._task.result()
        finally:
            if self._opened is not None and not self._opened.done():
                self._opened.set_exception(Unreachable("the client was closed"))
                self._opened.exception()
            for subscription in list(self._subscriptions):
                subscription.close()

    # ------------------------------------------------------------------ requests

    async def send(self, method: str, params: Any) -> asyncio.Future[Json]:
        """Sends a request and returns a future of its reply. Raises Unreachable if nothing was sent."""
        connection = self._connection
        if connection is None or connection.state is not State.OPEN:
            raise Unreachable("the WebSocket is not connected")
        self._request_id = request_id = self._request_id + 1
        reply: asyncio.Future[Json] = connection.loop.create_future()
        self._waiting[request_id] = reply
        message = _encode({"method": method, "params": params, "req_id": request_id})
        try:
            await connection.send(message, text=True)
        except ConnectionClosed:
            # A part may have been sent. The reader fails all pending requests, but may have done so before this one was added.
            if self._waiting.pop(request_id, None) is not None:
                reply.set_exception(_lost())
        return reply

    # ------------------------------------------------------------------ subscriptions

    def add(self, subscription: Subscription) -> None:
        """Subscribes now, or once there is a connection, and again after each reconnection."""
        self._subscriptions.append(subscription)
        if self.is_open:
            self._start(self._subscribe(subscription))
        elif self._task is None or self._task.done():
            self._start(self._open_for(subscription))

    def remove(self, subscription: Subscription) -> None:
        """Unsubscribes from the channels that no other subscription uses."""
        self._subscriptions.remove(subscription)
        others = {channel for other in self._subscriptions for channel in other.channels}
        channels = [channel for channel in subscription.channels if channel not in others]
        if channels and self.is_open:
            self._start(self._unsubscribe({**subscription.params(), "channels": channels}))

    def _start(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._subscribing.add(task)
        task.add_done_callback(self._subscribing.discard)

    async def _open_for(self, subscription: Subscription) -> None:
        try:
            await self.open()
        except (RexError, ConnectionError) as error:
            subscription.fail(error)

    async def _subscribe(self, subscription: Subscription) -> None:
        try:
            await (await self.send("subscribe", subscription.params()))
        except RexError as error:
            subscription.fail(error)
        except ConnectionError:
            return  # The next connection subscribes again.

    async def _unsubscribe(self, params: Json) -> None:
        with contextlib.suppress(ConnectionError, RexError):
            await (await self.send("unsubscribe", params))

    # ------------------------------------------------------------------ the connection

    async def _stay_connected(self) -> None:
        was_open, backoff = False, FIRST_BACKOFF_SECONDS
        while True:
            try:
                async with connect(
                    self._url,
                    additional_headers=self._headers,
                    compression=None,
                    proxy=None,
                    max_size=None,
                    max_queue=None,  # Replies and pushes share the connection: the client must never stop reading.
                    close_timeout=1,
                ) as connection:
                    was_open, backoff = True, FIRST_BACKOFF_SECONDS
                    await self._use(connection)
            except (OSError, InvalidHandshake) as error:
                fatal = isinstance(error, InvalidStatus) and error.response.status_code < 500
                if fatal or not was_open:
                    self._give_up(error)
                    return
            await asyncio.sleep(backoff * random.uniform(0.5, 1.0))
            backoff = min(backoff * 2, LAST_BACKOFF_SECONDS)

    def _give_up(self, error: Exception) -> None:
        failure: Exception = Unreachable(f"{self._url} does not answer: {error}")
        if isinstance(error, InvalidStatus):
            failure = error_of(read_problem(error.response.status_code, bytes(error.response.body or b"")))
        assert self._opened is not None
        self._opened.set_exception(failure)
        self._opened.exception()  # Marks it as retrieved: nobody may be waiting for it.
        for subscription in self._subscriptions:
            subscription.fail(failure)

    async def _use(self, connection: ClientConnection) -> None:
        assert self._opened is not None
        self._connection = connection
        for subscription in self._subscriptions:
            self._start(self._subscribe(subscription))
        self._opened.set_result(None)
        try:
            while True:
                self._take(_decode(await connection.recv(decode=False)))
        except ConnectionClosed as closed:
            if closed.rcvd is not None and closed.rcvd.code == CLOSED_TOO_SLOW:
                for subscription in self._subscriptions:
                    if "orders" in subscription.channels:
                        subscription.fail(FellBehind(closed.rcvd.reason))
        finally:
            self._connection = None
            self._opened = asyncio.get_running_loop().create_future()
            waiting, self._waiting = self._waiting, {}
            for reply in waiting.values():
                if not reply.done():
                    reply.set_exception(_lost())
                    reply.exception()  # Marks it as retrieved: nobody may be waiting for it.

    def _take(self, message: Json) -> None:
        if "channel" in message:
            for subscription in self._subscriptions:
                subscription.take(message)
            return
        reply = self._waiting.pop(message["req_id"], None)
        if reply is None or reply.done():
            return
        problem = message.get("error")
        if problem is None:
            reply.set_result(message["result"])
        else:
            reply.set_exception(error_of(problem))


def _lost() -> OutcomeUnknown:
    return OutcomeUnknown("the connection was lost before the reply came")
