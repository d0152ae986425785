"""The client's WebSocket: requests and replies, pushes, and reconnection."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Iterator
from functools import partial
from typing import Any

import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus
from websockets.protocol import State

from rex_client.calls import encode_body, key_headers, read_problem
from rex_client.errors import OutcomeUnknown, RexError, Unreachable, error_of, key_refused
from rex_client.rate_limit import RateLimits
from rex_client.retries import patiently
from rex_client.subscriptions import Subscriptions, until_taken_in

Json = dict[str, Any]

FIRST_BACKOFF_SECONDS = 0.05
LAST_BACKOFF_SECONDS = 5.0
CLOSED_FOR_KEY = 4001
MAX_MESSAGE_BYTES = 64 * 1024
"""The largest message that the venue takes."""
REQUEST_ID_BYTES = 20

_decode = msgspec.json.Decoder().decode


class VenueSocket:
    """One WebSocket connection. After `open` it reconnects by itself, with a growing pause, until `close`."""

    def __init__(self, url: str, key: str | None, rate_limits: RateLimits, patience_s: float = 0.0) -> None:
        self._patience_s = patience_s
        self._url = url.replace("http", "ws", 1).rstrip("/") + "/v1/ws"
        self._headers = key_headers(key)
        self.closing_at: str | None = None
        """When the venue closes the connection, as it has announced; None: it has not."""
        self._connection: ClientConnection | None = None
        self._task: asyncio.Task[None] | None = None
        self._opened: asyncio.Future[None] | None = None
        self._ended_by: Exception | None = None
        """Why it does not reconnect any more: the venue refuses the key, or did not answer at first."""
        self._request_id = 0
        self._waiting: dict[int, asyncio.Future[Json]] = {}
        self._on_connect: dict[str, Any] = {}
        """Params by method of the requests that each connection begins with."""
        self._rate_limits = rate_limits
        self.subscriptions = Subscriptions(self)

    @property
    def is_open(self) -> bool:
        """Whether a request can be sent now."""
        return self._connection is not None and self._connection.state is State.OPEN

    @property
    def is_ended(self) -> bool:
        """Whether there is no connection, and none is being opened."""
        return self._task is None or self._task.done()

    async def open(self) -> None:
        """Connects, patiently; raises Unreachable, or RexError for a key that the venue does not know.

        While a lost connection is being reopened, waits for it without a time limit.
        """
        await patiently(self._open, self._patience_s, is_repeatable=True)

    async def _open(self) -> None:
        if self.is_ended:
            self._opened = asyncio.get_running_loop().create_future()
            self._ended_by = None
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
            for subscription in list(self.subscriptions):
                subscription.close()
            self.subscriptions.stop()

    # ------------------------------------------------------------------ requests

    def fits(self, method: str, params: Any) -> bool:
        """Whether the venue takes such a request in one message."""
        return (
            len(encode_body({"method": method, "params": params, "req_id": 0})) + REQUEST_ID_BYTES <= MAX_MESSAGE_BYTES
        )

    @contextlib.contextmanager
    def on_each_connection(self, method: str, params: Any) -> Iterator[None]:
        """Begins each later connection with this request; if the block fails, with what it began with before."""
        former = self._on_connect
        self._on_connect = former | {method: params}
        try:
            yield
        except BaseException:
            self._on_connect = former
            raise

    async def send(self, method: str, params: Any) -> asyncio.Future[Json]:
        """Sends a request and returns a future of its reply. Raises Unreachable if nothing was sent, or RexError if that is
        because the venue refuses the key."""
        connection = self._connection
        if connection is None or connection.state is not State.OPEN:
            raise self._not_sent(connection)
        return await self._send_on(connection, method, params)

    async def _send_on(self, connection: ClientConnection, method: str, params: Any) -> asyncio.Future[Json]:
        self._request_id = request_id = self._request_id + 1
        reply: asyncio.Future[Json] = connection.loop.create_future()
        self._waiting[request_id] = reply
        message = encode_body({"method": method, "params": params, "req_id": request_id})
        try:
            await connection.send(message, text=True)
        except ConnectionClosed:
            # A part may have been sent. The reader fails all pending requests, but may have done so before this one was added.
            if self._waiting.pop(request_id, None) is not None:
                reply.set_exception(_lost())
        return reply

    async def _begin_with(self, connection: ClientConnection, method: str, params: Any) -> None:
        with contextlib.suppress(ConnectionError, RexError):
            send = partial(self._send_on, connection)
            await until_taken_in(
                send, method, params, lambda: connection.state is State.OPEN and self._on_connect.get(method) is params
            )

    def _not_sent(self, connection: ClientConnection | None) -> Exception:
        if connection is not None and connection.close_code == CLOSED_FOR_KEY:
            return key_refused(connection.close_reason)
        if self._ended_by is not None:
            return self._ended_by.with_traceback(None)  # Each raise would add to it.
        return Unreachable("the WebSocket is not connected")

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
                    if connection.close_code == CLOSED_FOR_KEY:
                        self._end(key_refused(connection.close_reason))
                        return
            except (OSError, InvalidHandshake) as error:
                if not was_open or (isinstance(error, InvalidStatus) and _is_final(error.response.status_code)):
                    self._give_up(error, was_open=was_open)
                    return
            await asyncio.sleep(backoff * random.uniform(0.5, 1.0))
            backoff = min(backoff * 2, LAST_BACKOFF_SECONDS)

    def _give_up(self, error: Exception, *, was_open: bool) -> None:
        failure: Exception = Unreachable(f"{self._url} does not answer: {error}")
        if isinstance(error, InvalidStatus):
            refused = error_of(read_problem(error.response.status_code, bytes(error.response.body or b"")))
            if isinstance(refused, RexError):  # Otherwise a proxy answered, and nothing was sent.
                failure = refused
        self._end(failure, was_open=was_open)

    def _end(self, failure: Exception, *, was_open: bool = True) -> None:
        """Every call raises the failure from now on, and every subscription that had a connection. Those that wait for the
        first one may have patience left."""
        self._ended_by = failure
        assert self._opened is not None
        self._opened.set_exception(failure)
        self._opened.exception()  # Marks it as retrieved: nobody may be waiting for it.
        if was_open:
            for subscription in self.subscriptions:
                subscription.fail(failure)

    async def _use(self, connection: ClientConnection) -> None:
        assert self._opened is not None
        for method, params in self._on_connect.items():
            self.subscriptions.start(self._begin_with(connection, method, params))
        await asyncio.sleep(0)  # They are on their way before anything else.
        self._connection = connection
        self.subscriptions.begin()
        self._opened.set_result(None)
        try:
            while True:
                self._take(_decode(await connection.recv(decode=False)))
        except ConnectionClosed:
            return
        finally:
            self._connection = self.closing_at = None
            self._opened = asyncio.get_running_loop().create_future()
            waiting, self._waiting = self._waiting, {}
            for reply in waiting.values():
                if not reply.done():
                    reply.set_exception(_lost())
                    reply.exception()  # Marks it as retrieved: nobody may be waiting for it.

    def _take(self, message: Json) -> None:
        if "channel" in message:
            if message["type"] == "server_shutdown":
                self.closing_at = message["data"]["at"]
            for subscription in self.subscriptions:
                subscription.take(message)
            return
        reply = self._waiting.pop(message["req_id"], None)
        if reply is None or reply.done():
            return
        if "rate_limit" in message:
            self._rate_limits.take_reply(message["rate_limit"])
        problem = message.get("error")
        if problem is None:
            reply.set_result(message["result"])
        else:
            reply.set_exception(error_of(problem))


def _is_final(status: int) -> bool:
    return status < 500 and status != 429


def _lost() -> OutcomeUnknown:
    return OutcomeUnknown("the connection was lost before the reply came")
