"""One WebSocket client: a task that reads and a task that writes. Its orders go through an `OrderPipeline`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from itertools import count
from typing import Any

import msgspec
import structlog
from starlette.types import Message as AsgiMessage
from starlette.types import Receive, Send

from services.gateway.http.known_keys import PUBLIC, KnownKeys, key_expired, unknown_key
from services.gateway.limits.bucket import Bucket
from services.gateway.limits.rate_class import METHOD_CLASSES, READS
from services.gateway.limits.rate_limits import RateLimited, RateLimits
from services.gateway.order_entry.order_entry import OrderEntry
from services.gateway.problems import ProblemError, field_problem
from services.gateway.sockets import CLOSE_SECONDS, PublicSockets
from services.gateway.websocket.channels import Channels
from services.gateway.websocket.client_queue import ClientQueue, Stream
from services.gateway.websocket.market_requests import check_options, instruments_of, subscription_of, wanted_of
from services.gateway.websocket.market_streams import VENUE_CHANNELS
from services.gateway.websocket.messages import (
    AuthenticateParams,
    Channel,
    Message,
    NoParams,
    OptionsParams,
    RequestId,
    SubscribeParams,
    decode_message,
    decode_params,
    request_id_of,
)
from services.gateway.websocket.order_pipeline import OrderPipeline
from services.gateway.websocket.private_streams import account_of, is_private
from services.gateway.websocket.protocol import CHANNELS, PUBLIC_CHANNELS
from services.gateway.websocket.reply_models import (
    Authenticated,
    ConnectionOptions,
    Pong,
    RequestTimes,
    Subscribed,
    Subscription,
    Subscriptions,
    problem_document,
    reply_text,
)
from services.gateway.websocket.resumes import Resumes
from services.gateway.websocket.subscriber import CLOSE_KEY_REVOKED
from services.values.times import time_text
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
MESSAGES_A_TURN = 8
"""How many messages of one connection are taken before other tasks get a turn of the event loop."""
CLOSE_TOO_LARGE = 1009
CLOSE_INTERNAL_ERROR = 1011
"""uvicorn uses the same code for a missing pong."""
CLOSE_GONE = 1001
CLOSE_NOT_AUTHENTICATED = 4003
EXPIRY_SECONDS = 1.0
"""How often the expiry of a connection's key is looked at."""

ReceiveNow = Callable[[], AsgiMessage | None]

log = structlog.get_logger("rex.websocket")


@dataclass(frozen=True)
class SocketParts:
    """What the connections of a gateway share. `public`: how many may follow market data without a key; None: nobody may."""

    state: VenueState
    order_entry: OrderEntry
    channels: Channels
    clock: Callable[[], int]
    known_keys: KnownKeys
    limits: RateLimits
    resumes: Resumes
    public: PublicSockets | None = None


class Connection:
    """One WebSocket client, from the accepted handshake to the close."""

    def __init__(self, parts: SocketParts, key: ApiKey | None, admit: Callable[[ApiKey], None], address: str) -> None:
        """`address` is the client's. `admit` counts the connection for a key that `authenticate` brings; it raises a problem at
        the key's bound."""
        self._parts = parts
        self._admit = admit
        self._telling: set[asyncio.Task[None]] = set()
        self._address = address
        self._is_public = False
        """The connection follows market data without a key, and is counted in `parts.public`."""
        self._options = OptionsParams(heartbeat=False, times=False)
        self._times: RequestTimes | None = None
        """Of the message that is being taken, where the client asked for them."""
        self._others: dict[str, None] = {}
        """The channels that are no market channels, to which it is subscribed."""
        self._bucket: Bucket | None = None
        """From which the message that is being taken took a token."""
        self._expiry: asyncio.TimerHandle | None = None
        self.key = key
        self.queue = ClientQueue(parts.channels.snapshot)
        self._orders = OrderPipeline(
            parts.state, parts.order_entry, parts.limits, self.queue, self._valid_key, parts.clock
        )
        self._orders.request_times = lambda: self._times
        self._without_key = 0
        self._client_closed: int | None = None
        """The code with which the client has closed the connection; 1005: without one, or it was lost."""
        self._methods: dict[str, Callable[[Message], None]] = {
            "authenticate": self._authenticate,
            "subscribe": self._subscribe,
            "unsubscribe": self._unsubscribe,
            "subscriptions": self._subscriptions,
            "options": self._set_options,
            "ping": self._ping,
        }

    async def run(self, receive: Receive, send: Send, receive_now: ReceiveNow | None = None) -> None:
        """Serves the client until either side closes. `receive_now` returns a message that has arrived, or None."""
        writer = asyncio.create_task(self._write(send))
        loop = asyncio.get_running_loop()
        deadline = loop.call_later(AUTHENTICATE_SECONDS, self._must_be_authenticated)
        self._watch_expiry()
        self._parts.channels.liveness.enter(self)
        try:
            async with asyncio.timeout(None) as time_to_close:
                self.queue.on_close = lambda: time_to_close.reschedule(loop.time() + CLOSE_SECONDS)
                if self.queue.closing is not None:
                    self.queue.on_close()
                await self._read(receive, receive_now)
        except TimeoutError:
            if not time_to_close.expired():
                raise
        finally:
            self.queue.on_close = None
            deadline.cancel()
            if self._expiry is not None:
                self._expiry.cancel()
            self._parts.channels.leave(self)
            self._leave_public()
            for telling in self._telling:
                telling.cancel()
            by_venue = self.queue.closing is not None and self.queue.closing.code != CLOSE_GONE
            self._orders.disconnected(self.key, None if by_venue else self._client_closed)
            self.queue.close(CLOSE_GONE, "the client is gone")  # Nobody reads what waits, nor what comes later.
            writer.cancel()
            # Awaiting the task itself would merge its CancelledError with one of this task.
            await asyncio.wait([writer])
            self._let_go()

    def _let_go(self) -> None:
        """Breaks the cycles with the order methods and the endpoint, so that an ended connection is freed at once, and not with
        the next full garbage collection."""
        self._methods.clear()
        self._orders.methods.clear()
        del self._orders, self._admit

    # ------------------------------------------------------------------ in

    async def _read(self, receive: Receive, receive_now: ReceiveNow | None) -> None:
        for number in count():
            if number % MESSAGES_A_TURN == 0:
                await self._orders.hand_over()
                await asyncio.sleep(0)  # `receive` does not wait while messages are queued.
            message = receive_now and receive_now()
            if message is None:
                await self._orders.hand_over()
                message = await receive()
            if message["type"] != "websocket.receive":
                await self._orders.hand_over()
                self._client_closed = message.get("code")
                return
            if self.queue.closing is not None and self.queue.closing.code != CLOSE_GONE:
                continue  # What a client sent before it left is carried out, though nobody gets the replies.
            text: str | bytes = message.get("text") or message.get("bytes") or b""
            if _is_too_large(text):
                self.queue.close(CLOSE_TOO_LARGE, f"a message may hold {MAX_MESSAGE_BYTES} bytes")
                continue
            await self._take(text)
            if self.key is None and not self._is_public:
                self._count_without_key()
            if len(self._orders) + len(self.queue) >= IN_FLIGHT:
                await self._orders.hand_over()
            while len(self._orders) + len(self.queue) >= IN_FLIGHT and self.queue.closing is None:
                self.queue.sent.clear()
                await self.queue.sent.wait()

    async def _take(self, text: str | bytes) -> None:
        """Takes one message; every error becomes an error reply."""
        self._bucket = None
        self._times = RequestTimes(self._parts.clock) if self._options.times else None
        try:
            if self._is_public:
                self._take_public_token()
            message = decode_message(text)
        except ProblemError as problem:
            self._error(request_id_of(text), problem)
            return
        if message.method in self._orders.methods:
            await self._orders.take(message)
            return
        assert isinstance(message, Message)
        try:
            self._bucket = self._take_token(message.method)
            method = self._methods.get(message.method)
            if method is None:
                raise field_problem("validation_failed", "method", f"there is no method {message.method[:40]!r}")
            method(message)
        except RateLimited as limited:
            self._bucket = limited.bucket
            self._error(message.req_id, limited)
        except Exception as error:
            self._error(message.req_id, error)

    def _take_token(self, method: str) -> Bucket | None:
        """Takes a token of the class of a method that is no order's. Raises RateLimited. `authenticate` takes its own."""
        if self.key is None or method == "authenticate":
            return self._bucket
        return self._parts.limits.take(self.key, METHOD_CLASSES.get(method, READS))

    def _take_public_token(self) -> None:
        self._bucket = self._parts.limits.public(self._address)
        if self._bucket is not None:
            self._parts.limits.take_from(self._bucket)

    # ------------------------------------------------------------------ methods

    def _authenticate(self, message: Message) -> None:
        params = decode_params(message.params, AuthenticateParams)
        if self.key is not None:
            raise field_problem("validation_failed", "method", "this connection is authenticated already")
        self._parts.limits.log_in(self._address)
        key = self._parts.known_keys.find(params.key, self._address)
        self._admit(key)
        self.key = key
        self._leave_public()
        self._watch_expiry()
        self._result(message, Authenticated(key.account, key.name, sorted(key.scopes)))

    def _subscribe(self, message: Message) -> None:
        key, params, instruments = self._subscription(message)
        check_options(params)
        if params.resume is not None:
            self._parts.resumes.check(params.resume)
            self._in_background(self._resume(message, key, params, instruments))
            return
        self._result(message, Subscribed.of(params))
        for channel in dict.fromkeys(params.channels):
            if is_private(channel):
                self._others[channel] = None
                snapshot = self._parts.channels.private.subscribe(self, channel, account_of(channel, key))
                if snapshot is not None:
                    self._in_background(snapshot.tell())
            else:
                self._subscribe_public(channel, params, instruments)

    def _in_background(self, telling: Coroutine[Any, Any, None]) -> None:
        """Tells streams what takes several messages, as long as the connection lives."""
        task = asyncio.create_task(self._tell(telling))
        self._telling.add(task)
        task.add_done_callback(self._telling.discard)

    async def _tell(self, telling: Coroutine[Any, Any, None]) -> None:
        try:
            await telling
        except Exception as error:  # The client would wait for the rest for ever.
            self.queue.close(CLOSE_INTERNAL_ERROR, "internal error")
            log.error("a stream could not be told", exc_info=error)

    async def _resume(
        self, message: Message, key: ApiKey, params: SubscribeParams, instruments: list[int] | None
    ) -> None:
        """Resumes private channels, trades and the status; the others are subscribed to, with a snapshot."""
        assert params.resume is not None
        bucket, channels = self._bucket, dict.fromkeys(params.channels)
        private = [(channel, account_of(channel, key)) for channel in channels if is_private(channel)]
        wanted, traded = wanted_of("trades", params), list[Stream]()
        if "trades" in channels:
            numbers = range(len(self._parts.state.instruments)) if instruments is None else instruments
            traded = [wanted.of(number) for number in numbers]

        def reply(error: Exception | None) -> None:
            self._bucket = bucket
            if error is not None:
                self._error(message.req_id, error)
                return
            self._result(message, Subscribed.of(params))
            if "trades" in channels and instruments is None:
                self._parts.channels.market.subscribe_to_later(self, wanted)
            for channel in channels:
                if is_private(channel):
                    self._others[channel] = None
                elif channel not in ("trades", "status"):
                    self._subscribe_public(channel, params, instruments)

        await self._parts.resumes.resume(self, params.resume, private, traded, reply, status="status" in channels)

    def _subscribe_public(self, channel: Channel, params: SubscribeParams, instruments: list[int] | None) -> None:
        if channel == "alerts":
            self._others[channel] = None
            self._parts.channels.alerts.subscribe(self)
        else:
            of = None if channel in VENUE_CHANNELS else instruments
            self._parts.channels.market.subscribe(self, wanted_of(channel, params), of)

    def _unsubscribe(self, message: Message) -> None:
        key, params, instruments = self._subscription(message)
        for channel in dict.fromkeys(params.channels):
            self._others.pop(channel, None)
            if is_private(channel):
                self._parts.channels.private.unsubscribe(self, channel, account_of(channel, key))
            elif channel == "alerts":
                self._parts.channels.alerts.leave(self)
            else:
                of = None if channel in VENUE_CHANNELS else instruments
                self._parts.channels.market.unsubscribe(self, wanted_of(channel, params), of)
        self._result(message, Subscribed.of(params))

    def _subscription(self, message: Message) -> tuple[ApiKey, SubscribeParams, list[int] | None]:
        """The checked key, params and instrument numbers of a subscription (None: all instruments)."""
        if self.key is None and self._parts.public is not None:
            params = decode_params(message.params, SubscribeParams)
            key = self._without_a_key(params, self._parts.public)
        else:
            key = self._valid_key()
            key.require("read")
            params = decode_params(message.params, SubscribeParams)
        for channel in params.channels:
            if is_private(channel):
                account_of(channel, key)
            if not key.scopes.intersection(scopes := CHANNELS[channel].scopes):
                key.require(scopes[0])
        return key, params, instruments_of(self._parts.state, params)

    def _without_a_key(self, params: SubscribeParams, public: PublicSockets) -> ApiKey:
        """Who follows public market data without a key. Raises 401 `missing_key` for other channels, 429 at a bound."""
        if params.resume is not None or not PUBLIC_CHANNELS.issuperset(params.channels):
            return self._valid_key()
        if not self._is_public:
            public.enter(self._address)
            self._is_public = True
        return PUBLIC

    def _leave_public(self) -> None:
        if self._is_public and self._parts.public is not None:
            self._parts.public.leave(self._address)
            self._is_public = False

    def _subscriptions(self, message: Message) -> None:
        decode_params(message.params, NoParams)
        market = [subscription_of(self._parts.state, part) for part in self._parts.channels.market.subscribed(self)]
        self._result(message, Subscriptions([*market, *(Subscription([channel]) for channel in self._others)]))

    def _set_options(self, message: Message) -> None:
        params, now = decode_params(message.params, OptionsParams), self._options
        heartbeat = now.heartbeat if params.heartbeat is None else params.heartbeat
        times = now.times if params.times is None else params.times
        self._options = OptionsParams(heartbeat=heartbeat, times=times)
        self._parts.channels.liveness.heartbeat(self, on=bool(heartbeat))
        self._result(message, ConnectionOptions(bool(heartbeat), bool(times)))

    def _ping(self, message: Message) -> None:
        decode_params(message.params, NoParams)
        self._result(message, Pong(time_text(self._parts.clock()), self._parts.state.last_seq))

    def _valid_key(self) -> ApiKey:
        """The key of this connection; raises a 401 problem without a key, or if the key has been revoked."""
        if self.key is None:
            raise ProblemError(401, "missing_key", "Authenticate first: by an Authorization header, or `authenticate`.")
        if not self._parts.state.is_valid(self.key.key_id):
            raise unknown_key()
        if self.key.expires_ns and self.key.has_expired(self._parts.clock()):
            raise key_expired()
        return self.key

    def _watch_expiry(self) -> None:
        """Closes the connection once its key has expired."""
        if self.key is None or not self.key.expires_ns:
            return
        left_ns = self.key.expires_ns - self._parts.clock()
        if left_ns <= 0:
            self.queue.close(CLOSE_KEY_REVOKED, "the key has expired")
        else:
            delay_s = min(left_ns / 1e9, EXPIRY_SECONDS)  # The wall clock may be set.
            self._expiry = asyncio.get_running_loop().call_later(delay_s, self._watch_expiry)

    def _must_be_authenticated(self) -> None:
        if self.key is None and not self._is_public:
            self.queue.close(CLOSE_NOT_AUTHENTICATED, f"no key within {AUTHENTICATE_SECONDS:g} seconds")

    def _count_without_key(self) -> None:
        self._without_key += 1
        if self._without_key >= MESSAGES_WITHOUT_KEY:
            self.queue.close(CLOSE_NOT_AUTHENTICATED, f"no key within {MESSAGES_WITHOUT_KEY} messages")

    # ------------------------------------------------------------------ out

    def _result(self, message: Message, result: msgspec.Struct) -> None:
        self._reply(message.req_id, "result", result)

    def _error(self, request_id: RequestId, error: Exception) -> None:
        self._reply(request_id, "error", problem_document(error))

    def _reply(self, request_id: RequestId, name: str, value: Any) -> None:
        self.queue.put(reply_text(request_id, name, value, self._bucket, self._parts.limits.now, self._times))

    async def _write(self, send: Send) -> None:
        queue = self.queue
        try:
            while queue.closing is None:
                await queue.bell.wait()
                queue.bell.clear()
                while (text := queue.next_text()) is not None:
                    if queue.collect is None or not queue.collect(text):
                        await send({"type": "websocket.send", "text": text})
                queue.sent.set()
            self._parts.channels.leave(self)
            await send({"type": "websocket.close", "code": queue.closing.code, "reason": queue.closing.reason})
        except OSError:  # The client has disconnected; the reader task ends, too.
            queue.close(CLOSE_GONE, "the client is gone")
        except Exception as error:
            queue.close(CLOSE_INTERNAL_ERROR, "internal error")
            log.error("WebSocket writer failed", exc_info=error)
        finally:
            queue.sent.set()


def _is_too_large(text: str | bytes) -> bool:
    if isinstance(text, str) and not text.isascii():
        text = text.encode()
    return len(text) > MAX_MESSAGE_BYTES
