"""One WebSocket client: a task that reads and a task that writes. Its orders go through an `OrderPipeline`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from itertools import count

import structlog
from starlette.types import Receive, Send

from services.gateway.order_entry.order_command import instrument_of
from services.gateway.order_entry.order_entry import OrderEntry
from services.gateway.problems import ProblemError, field_problem, problem_of
from services.gateway.sockets import CLOSE_SECONDS
from services.gateway.websocket.channels import MARKET_CHANNELS, Channels
from services.gateway.websocket.client_queue import ClientQueue
from services.gateway.websocket.messages import (
    AuthenticateParams,
    Message,
    NoParams,
    SubscribeParams,
    decode_message,
    decode_params,
    request_id_of,
)
from services.gateway.websocket.order_pipeline import OrderPipeline, error_text
from services.gateway.websocket.push_messages import json_text
from services.times import time_text
from services.venue_state.keys import ApiKey
from services.venue_state.state import VenueState

MAX_MESSAGE_BYTES = 64 * 1024
"""Largest message a client may send."""
AUTHENTICATE_SECONDS = 10.0
"""How long a connection may stay open without a key."""
MESSAGES_WITHOUT_KEY = 16
"""How many messages a connection may send before it has a key; `authenticate` is one of them."""
IN_FLIGHT = 4_096
"""How many orders without a reply, plus unread replies, one connection may have before the venue stops reading it."""
MESSAGES_A_TURN = 4
"""How many messages of one connection are taken before other tasks get a turn of the event loop."""
CLOSE_TOO_LARGE = 1009
CLOSE_INTERNAL_ERROR = 1011
"""uvicorn uses the same code for a missing pong."""
CLOSE_GONE = 1001
CLOSE_NOT_AUTHENTICATED = 4003

log = structlog.get_logger("rex.websocket")


class Connection:
    """One WebSocket client, from the accepted handshake to the close."""

    def __init__(
        self,
        state: VenueState,
        order_entry: OrderEntry,
        channels: Channels,
        clock: Callable[[], int],
        key: ApiKey | None,
        admit: Callable[[ApiKey], None],
    ) -> None:
        """`admit` counts the connection for a key that `authenticate` brings; it raises a problem at the key's bound."""
        self._state = state
        self._channels = channels
        self._clock = clock
        self._admit = admit
        self.key = key
        self.queue = ClientQueue(channels.snapshot)
        self._orders = OrderPipeline(state, order_entry, self.queue, self._valid_key)
        self._room = asyncio.Event()
        self._without_key = 0
        self._methods: dict[str, Callable[[Message], None]] = {
            "authenticate": self._authenticate,
            "subscribe": self._subscribe,
            "unsubscribe": self._unsubscribe,
            "ping": self._ping,
        }

    async def run(self, receive: Receive, send: Send) -> None:
        """Serves the client until either side closes."""
        writer = asyncio.create_task(self._write(send))
        loop = asyncio.get_running_loop()
        deadline = loop.call_later(AUTHENTICATE_SECONDS, self._must_be_authenticated)
        try:
            async with asyncio.timeout(None) as time_to_close:
                self.queue.on_close = lambda: time_to_close.reschedule(loop.time() + CLOSE_SECONDS)
                if self.queue.closing is not None:
                    self.queue.on_close()
                await self._read(receive)
        except TimeoutError:
            if not time_to_close.expired():
                raise
        finally:
            self.queue.on_close = None
            deadline.cancel()
            self._channels.leave(self)
            self.queue.close(CLOSE_GONE, "the client is gone")  # Nobody reads what waits, nor what comes later.
            writer.cancel()
            # Awaiting the task itself would merge its CancelledError with one of this task.
            await asyncio.wait([writer])

    # ------------------------------------------------------------------ in

    async def _read(self, receive: Receive) -> None:
        for number in count(1):
            if number % MESSAGES_A_TURN == 0:
                await asyncio.sleep(0)  # `receive` does not wait while messages are queued.
            message = await receive()
            if message["type"] != "websocket.receive":
                return
            if self.queue.closing is not None and self.queue.closing.code != CLOSE_GONE:
                continue  # What a client sent before it left is carried out, though nobody gets the replies.
            text: str | bytes = message.get("text") or message.get("bytes") or b""
            if _is_too_large(text):
                self.queue.close(CLOSE_TOO_LARGE, f"a message may hold {MAX_MESSAGE_BYTES} bytes")
                continue
            await self._take(text)
            if self.key is None:
                self._count_without_key()
            while len(self._orders) + len(self.queue) >= IN_FLIGHT and self.queue.closing is None:
                self._room.clear()
                await self._room.wait()

    async def _take(self, text: str | bytes) -> None:
        """Takes one message; every error becomes an error reply."""
        try:
            message = decode_message(text)
        except ProblemError as problem:
            self.queue.put(error_text(request_id_of(text), problem))
            return
        if message.method in self._orders.methods:
            await self._orders.take(message)
            return
        try:
            method = self._methods.get(message.method)
            if method is None:
                raise field_problem("validation_failed", "method", f"there is no method {message.method[:40]!r}")
            method(message)
        except Exception as error:
            self.queue.put(error_text(message.req_id, problem_of(error)))

    # ------------------------------------------------------------------ methods

    def _authenticate(self, message: Message) -> None:
        params = decode_params(message.params, AuthenticateParams)
        if self.key is not None:
            raise field_problem("validation_failed", "method", "this connection is authenticated already")
        key = self._state.find_key(params.key)
        if key is None:
            raise _unknown_key()
        self._admit(key)
        self.key = key
        self._result(message, {"account": key.account, "name": key.name, "scopes": sorted(key.scopes)})

    def _subscribe(self, message: Message) -> None:
        key, params, instruments = self._subscription(message)
        self._result(message, {"channels": params.channels, "symbols": params.symbols or []})
        for channel in dict.fromkeys(params.channels):
            if channel == "orders":
                self._channels.subscribe_orders(self, key.own_account())
            elif channel == "alerts":
                self._channels.alerts.subscribe(self)
            else:
                self._channels.subscribe(self, channel, instruments)

    def _unsubscribe(self, message: Message) -> None:
        key, params, instruments = self._subscription(message)
        for channel in dict.fromkeys(params.channels):
            if channel == "orders":
                self._channels.unsubscribe_orders(self, key.own_account())
            elif channel == "alerts":
                self._channels.alerts.leave(self)
            else:
                self._channels.unsubscribe(self, channel, instruments)
        self._result(message, {"channels": params.channels, "symbols": params.symbols or []})

    def _subscription(self, message: Message) -> tuple[ApiKey, SubscribeParams, list[int] | None]:
        """The checked key, params and instrument numbers of a subscription (None: all instruments)."""
        key = self._valid_key()
        key.require("read")
        params = decode_params(message.params, SubscribeParams)
        if "orders" in params.channels:
            key.own_account()
        if "alerts" in params.channels:
            key.require("operate")
        if params.symbols is None and any(channel in MARKET_CHANNELS for channel in params.channels):
            raise field_problem("validation_failed", "symbols", 'name the symbols, or ["*"] for all')
        if params.symbols is None or params.symbols == ["*"]:
            return key, params, None
        named = [instrument_of(self._state, symbol, f"symbols.{index}") for index, symbol in enumerate(params.symbols)]
        return key, params, [instrument.number for instrument in named]

    def _ping(self, message: Message) -> None:
        decode_params(message.params, NoParams)
        self._result(message, {"time": time_text(self._clock()), "seq": self._state.last_seq})

    def _valid_key(self) -> ApiKey:
        """The key of this connection; raises a 401 problem without a key, or if the key has been revoked."""
        if self.key is None:
            raise ProblemError(401, "missing_key", "Authenticate first: by an Authorization header, or `authenticate`.")
        if self.key.key_id not in self._state.key_hashes:
            raise _unknown_key()
        return self.key

    def _must_be_authenticated(self) -> None:
        if self.key is None:
            self.queue.close(CLOSE_NOT_AUTHENTICATED, f"no key within {AUTHENTICATE_SECONDS:g} seconds")

    def _count_without_key(self) -> None:
        self._without_key += 1
        if self._without_key >= MESSAGES_WITHOUT_KEY:
            self.queue.close(CLOSE_NOT_AUTHENTICATED, f"no key within {MESSAGES_WITHOUT_KEY} messages")

    # ------------------------------------------------------------------ out

    def _result(self, message: Message, result: dict[str, object]) -> None:
        self.queue.put(json_text({"req_id": message.req_id, "result": result}))

    async def _write(self, send: Send) -> None:
        queue = self.queue
        try:
            while queue.closing is None:
                await queue.bell.wait()
                queue.bell.clear()
                while (text := queue.next_text()) is not None:
                    await send({"type": "websocket.send", "text": text})
                self._room.set()
            self._channels.leave(self)
            await send({"type": "websocket.close", "code": queue.closing.code, "reason": queue.closing.reason})
        except OSError:  # The client has disconnected; the reader task ends, too.
            queue.close(CLOSE_GONE, "the client is gone")
        except Exception as error:
            queue.close(CLOSE_INTERNAL_ERROR, "internal error")
            log.error("WebSocket writer failed", exc_info=error)
        finally:
            self._room.set()


def _unknown_key() -> ProblemError:
    return ProblemError(401, "unknown_key", "The venue does not know this key, or it was revoked.")


def _is_too_large(text: str | bytes) -> bool:
    if isinstance(text, str) and not text.isascii():
        text = text.encode()
    return len(text) > MAX_MESSAGE_BYTES
