"""The network of the links: it stands in place of `websockets` below the product's own code of both ends.

A connection keeps what TCP and a WebSocket promise: whole messages, in order, each once, until it breaks. Then any tail of what
was under way is lost, and each end learns of it at another time, or only by a ping without an answer. What an older connection
still carries may arrive after a newer one has begun.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from http import HTTPStatus
from random import Random
from typing import Any

from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed, ConnectionClosedError, ConnectionClosedOK, InvalidStatus
from websockets.frames import Close
from websockets.http11 import Request, Response

from tests.simulation.process import PROCESS, Process
from tests.simulation.weather import Weather
from tests.simulation.world import World

KERNEL_BYTES = 4_096
"""What the system's buffers hold; `get_write_buffer_size` says what waits beyond it."""
_NORMAL, _GOING_AWAY, _NO_PONG = 1000, 1001, 1011

Handler = Callable[[Any], Awaitable[None]]
Check = Callable[[Any, Request], Response | None]


class End:
    """One end of a connection: what the product uses of `ClientConnection` and `ServerConnection`."""

    def __init__(self, network: Network, process: Process, chance: Random) -> None:
        self._network = network
        self._loop = network.world.loop
        self._process = process
        self._chance = chance
        self.peer: End
        network.count += 1
        self.number = network.count
        self.transport = Transport(self)
        self.request: Request | None = None
        self._messages: deque[bytes] = deque()
        self._arrived: asyncio.Future[None] | None = None
        self._pings: deque[asyncio.Future[float]] = deque()
        self.closed: ConnectionClosed | None = None
        self.under_way = 0
        """Bytes that this end has sent and the other has not."""
        self._under_way: deque[tuple[float, int, Callable[..., None], tuple[Any, ...]]] = deque()
        """What this end has sent, oldest first: when it arrives, its size, what then happens."""
        self._last_s = 0.0
        """When the last message from this end arrives."""
        self.deaf_after_s = float("inf")
        """What would arrive from this end after that time is lost."""
        self._keeps_alive: asyncio.Task[None] | None = None
        process.on_end.append(self._die)

    # ------------------------------------------------------------------ the product's calls

    async def recv(self, *, decode: bool = False) -> bytes:
        """The next message. Raises ConnectionClosed."""
        while not self._messages:
            if self.closed is not None:
                raise self.closed
            self._arrived = self._loop.create_future()
            await self._arrived
        return self._messages.popleft()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            while True:
                yield await self.recv()
        except ConnectionClosedOK:
            return

    async def ping(self) -> asyncio.Future[float]:
        """Sends a ping; the future is done when its pong is here."""
        if self.closed is not None:
            raise self.closed
        pong: asyncio.Future[float] = self._loop.create_future()
        self._pings.append(pong)
        self._carry(0, self.peer.on_ping)
        return pong

    async def close(self, code: int = _NORMAL, reason: str = "") -> None:
        """The closing handshake."""
        if self.closed is None:
            self._carry(0, self.peer.on_close, code, reason)
            self.on_close(code, reason)
            await asyncio.sleep(self._chance.expovariate(500))

    def respond(self, status: HTTPStatus, text: str) -> Response:
        """An answer that refuses the handshake."""
        return Response(status.value, status.phrase, Headers(), text.encode())

    # ------------------------------------------------------------------ messages

    def send(self, message: bytes) -> None:
        """Sends a message, unless the connection has ended."""
        if self.closed is None and self._process.alive:
            self.under_way += len(message)
            self._carry(len(message), self.peer.on_message, message)

    def _carry(self, size: int, arrive: Callable[..., None], *arguments: Any) -> None:
        weather = self._network.weather
        delay_s = self._chance.expovariate(2_000)
        if self._chance.random() < weather.link_late:
            delay_s += self._chance.random() * weather.late_s
        self._last_s = max(self._last_s, self._loop.time() + delay_s)
        self._under_way.append((self._last_s, size, arrive, arguments))
        self._loop.call_at(self._last_s, self._arrives, context=self.peer._process.context)

    def _arrives(self) -> None:
        """The oldest message arrives: never a later one before it, whatever the loop does first."""
        at_s, size, arrive, arguments = self._under_way.popleft()
        if at_s <= self.deaf_after_s:
            self.under_way -= size
            arrive(*arguments)

    def on_message(self, message: bytes) -> None:
        """A message arrives."""
        if self.closed is None:
            self._messages.append(message)
            self._wake()

    def on_ping(self) -> None:
        """A ping arrives; the library answers it."""
        if self.closed is None and self._process.alive:
            self._carry(0, self.peer.on_pong)

    def on_pong(self) -> None:
        """A pong arrives."""
        if self._pings and not (pong := self._pings.popleft()).done():
            pong.set_result(0.0)

    def on_close(self, code: int, reason: str) -> None:
        """The connection was closed by a handshake."""
        close = Close(code, reason)
        kind = ConnectionClosedOK if code in (_NORMAL, _GOING_AWAY) else ConnectionClosedError
        self.end(kind(close, close, True))

    def on_lost(self) -> None:
        """The connection broke."""
        self.end(ConnectionClosedError(None, None, None))

    def end(self, closed: ConnectionClosed) -> None:
        """Nothing comes any more."""
        if self.closed is not None:
            return
        self.closed = closed
        self._network.ends.pop(self, None)
        if self._die in self._process.on_end:
            self._process.on_end.remove(self._die)
        if self._keeps_alive is not None:
            self._keeps_alive.cancel()
        for pong in self._pings:
            if not pong.done():
                pong.set_exception(closed)
                pong.exception()
        self._wake()

    def _wake(self) -> None:
        if self._arrived is not None and not self._arrived.done():
            self._arrived.set_result(None)

    # ------------------------------------------------------------------ breaking

    def abort(self) -> None:
        """Ends at once. What is under way may be lost; the other end learns of it."""
        if self.closed is None:
            self._cut()
            self.on_lost()

    def _die(self) -> None:
        """The process of this end is gone. Its system tells the other end, or the machine is gone too."""
        if self.closed is None:
            self.closed = ConnectionClosedError(None, None, None)
            self._network.ends.pop(self, None)
            self._cut(tells=self._chance.random() < 0.8)

    def _cut(self, *, tells: bool = True) -> None:
        now_s = self._loop.time()
        self.deaf_after_s = min(self.deaf_after_s, now_s + self._chance.random() * 0.002)
        self.peer.deaf_after_s = min(self.peer.deaf_after_s, now_s)
        if tells:
            delay_s = 0.002 + self._chance.expovariate(200)
            self._loop.call_later(delay_s, self.peer.on_lost, context=self.peer._process.context)

    def cut(self) -> None:
        """The network cuts the connection: both ends learn of it."""
        now_s = self._loop.time()
        for one in (self, self.peer):
            one.deaf_after_s = min(one.deaf_after_s, now_s + self._chance.random() * 0.002)
            delay_s = 0.002 + self._chance.expovariate(200)
            self._loop.call_later(delay_s, one.on_lost, context=one._process.context)

    def swallow(self) -> None:
        """The network loses all that this end sends from now on; nobody is told."""
        self.deaf_after_s = min(self.deaf_after_s, self._loop.time())

    async def keep_alive(self, every_s: float, patience_s: float) -> None:
        """What the library does at the server's end: closes a connection whose pings are not answered."""
        try:
            while True:
                await asyncio.sleep(every_s)
                async with asyncio.timeout(patience_s):
                    await (await self.ping())
        except TimeoutError:
            self._cut()
            self.end(ConnectionClosedError(None, Close(_NO_PONG, "keepalive ping timeout"), None))
        except ConnectionClosed:
            pass


class Transport:
    """What the product uses of a transport."""

    def __init__(self, end: End) -> None:
        self._end = end

    def is_closing(self) -> bool:
        """Whether the connection has ended."""
        return self._end.closed is not None

    def get_write_buffer_size(self) -> int:
        """Bytes that the system has not taken."""
        return max(0, self._end.under_way - KERNEL_BYTES) if self._end.closed is None else 0

    def abort(self) -> None:
        """Ends the connection at once."""
        self._end.abort()


class Listener:
    """An address on which a process accepts links."""

    def __init__(self, network: Network, url: str) -> None:
        process = PROCESS.get()
        assert process is not None
        self.process = process
        self.url = url
        self.network = network
        self.handler: Handler | None = None
        self.check: Check
        self.ping_s = self.patience_s = 0.0
        self.ends: dict[End, asyncio.Task[None]] = {}


class Network:
    """Every listener and every connection of the links."""

    def __init__(self, world: World, weather: Weather) -> None:
        self.world = world
        self.weather = weather
        self._listeners: dict[str, Listener] = {}
        self.count = 0
        self.ends: dict[End, None] = {}
        """The gateways' ends of open connections."""

    async def connect(self, url: str, *, additional_headers: Mapping[str, str], **_options: Any) -> End:
        """What stands in place of `websockets.asyncio.client.connect`."""
        process = PROCESS.get()
        assert process is not None
        chance = self.world.connection_chance(f"link {process.name}")
        await asyncio.sleep(chance.expovariate(1_000))
        listener = self._listeners.get(url)
        if listener is None or not listener.process.alive:
            raise ConnectionRefusedError(111, "Connection refused")
        ours = End(self, process, chance)
        theirs = End(self, listener.process, self.world.connection_chance(f"link {listener.process.name}"))
        ours.peer, theirs.peer = theirs, ours
        theirs.request = Request("/", Headers(additional_headers))
        accepted: asyncio.Future[Response | None] = self.world.loop.create_future()
        self.world.loop.call_later(
            chance.expovariate(1_000), self._accept, listener, theirs, accepted, context=listener.process.context
        )
        try:
            refusal = await accepted
        except BaseException:
            ours.abort()
            raise
        if refusal is not None:
            raise InvalidStatus(refusal)
        self.ends[ours] = None
        return ours

    def _accept(self, listener: Listener, end: End, accepted: asyncio.Future[Response | None]) -> None:
        if accepted.done() or listener.handler is None or end.closed is not None:
            end.abort()
            if not accepted.done():
                accepted.set_exception(ConnectionResetError(104, "Connection reset by peer"))
            return
        assert end.request is not None
        refusal = listener.check(end, end.request)
        accepted.set_result(refusal)
        if refusal is None:
            end._keeps_alive = asyncio.create_task(end.keep_alive(listener.ping_s, listener.patience_s))
            listener.ends[end] = asyncio.create_task(self._serve(listener, end, listener.handler))

    async def _serve(self, listener: Listener, end: End, handler: Handler) -> None:
        try:
            await handler(end)
        finally:
            listener.ends.pop(end, None)
            await end.close()

    @asynccontextmanager
    async def serve(
        self,
        handler: Handler,
        *,
        sock: Any,
        process_request: Check,
        ping_interval: float,
        ping_timeout: float,
        **_options: Any,
    ) -> AsyncIterator[Listener]:
        """What stands in place of `websockets.asyncio.server.serve`."""
        listener: Listener = sock
        listener.check, listener.ping_s, listener.patience_s = process_request, ping_interval, ping_timeout
        listener.handler = handler
        self._listeners[listener.url] = listener
        try:
            yield listener
        finally:
            self._listeners.pop(listener.url, None)
            handlers = list(listener.ends.values())
            for end in list(listener.ends):
                await end.close(_GOING_AWAY)
            if handlers:
                await asyncio.wait(handlers)


def broadcast(connections: Iterable[End], message: bytes) -> None:
    """What stands in place of `websockets.asyncio.server.broadcast`."""
    for connection in connections:
        connection.send(message)
