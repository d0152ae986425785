"""HTTP/1.1 with limits that hold before anybody has shown a key: bytes of a head, time for each part, sockets.

uvicorn's protocol class has none of them. This subclass counts every byte before the parser gets it, at most 16 KiB at a time,
and feeds one request at a time: what a client sends ahead waits unparsed. A request that breaks a limit is answered with a
problem document, and the connection is closed so that the answer arrives: the writing side first, and the socket a few seconds
later, whatever the client does.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Protocol, cast

import httptools
from uvicorn import Config
from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from services.gateway.http_refusals import (
    HEAD_BYTES,
    HEADERS,
    URL_BYTES,
    early_handshake,
    headers_too_large,
    malformed_http,
    problem_response,
    request_timeout,
    too_many_connections,
    url_too_long,
)
from services.gateway.problems import ProblemError
from services.gateway.sockets import CLOSE_SECONDS, Sockets

UNREAD_BODY_BYTES = 256 * 1024
"""How much of a body may still come after it was answered, before the connection is closed."""
DISCARDED_BYTES = 1024 * 1024
"""How much a closing connection may still send before it is cut."""
AHEAD_BYTES = 1024 * 1024
"""How much may wait behind a request that is being answered."""

HEAD_SECONDS = 10
"""For the head of a request, and for the first byte of a new socket."""
BODY_SECONDS = 30
"""From the end of the head to the end of the body."""
WRITE_SECONDS = 30
"""For a client to take anything of an answer that does not fit into the buffers."""

_HEAD_END = b"\r\n\r\n"


# What a connection waits for. Plain numbers: an Enum's member costs 0.1 µs to look up, and a request looks up ten.
_HEAD, _BODY, _ANSWER, _CLOSE, _UPGRADED = range(5)


class _Handshake(Protocol):
    def refuse_unread_handshake(self) -> None:
        """Ends the connection unless its handshake could be read."""


class _Transport:
    """The transport that uvicorn's classes write to: asyncio's, but for how it is closed."""

    def __init__(self, transport: asyncio.Transport, close: Callable[[], None], is_closing: Callable[[], bool]) -> None:
        self.write = transport.write
        self.abort = transport.abort
        self.close = close
        self.is_closing = is_closing


class LimitedHttp(HttpToolsProtocol):
    """One HTTP connection."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.sockets = cast(Sockets, server_state)
        self.address: str | None = None
        """Whom this socket is counted for; None: for nobody."""
        self.socket: asyncio.Transport = None  # type: ignore[assignment]
        self.url = b""
        self._phase = _HEAD
        self._seconds_left = HEAD_SECONDS
        self._stalled_s = 0
        self._unsent_bytes = 0
        """What waited for the client at the last sweep."""
        self._head_bytes = 0
        """What the parser got since the last whole request, without bodies."""
        self._ended_bytes = 0
        """The same for requests that ended within the piece the parser has."""
        self._ended_headers: list[tuple[bytes, bytes]] | None = None
        """The headers of the last one."""
        self._unread_bytes = 0
        self._ahead = b""
        """What the client sent before its last request was answered."""
        self._refusal: ProblemError | None = None
        """Waits for the answer to the request before it."""

    # ------------------------------------------------------------------ the socket

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Counts the socket, or closes it at once."""
        super().connection_made(transport)
        self.socket = transport
        address = self.client[0] if self.client else ""
        if self.sockets.enter(address):
            self.address = address
            self.transport = cast(asyncio.Transport, _Transport(transport, self._close, self._is_closing))
        else:
            self.connections.discard(self)
            self._phase = _CLOSE
            transport.write(problem_response(too_many_connections(), []))
            transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """Ends what is under way."""
        super().connection_lost(exc)
        self._phase, self._ahead = _CLOSE, b""
        if self.address is not None:
            self.sockets.leave(self.address)

    def second_passed(self) -> None:
        """One sweep: cuts what is deaf, refuses what is late."""
        if self.socket.is_closing() and self._phase != _CLOSE:
            self._wait_for(_CLOSE, CLOSE_SECONDS)
        if self.flow.write_paused:
            before, self._unsent_bytes = self._unsent_bytes, self.socket.get_write_buffer_size()
            self._stalled_s = 0 if self._unsent_bytes < before else self._stalled_s + 1
            if self._stalled_s > WRITE_SECONDS:
                self.socket.abort()
        if self._phase == _ANSWER or self.pipeline:
            return
        self._seconds_left -= 1
        if self._seconds_left >= 0:
            return
        if self._phase == _CLOSE:
            self.socket.abort()
        elif self._head_bytes:
            self._refuse(request_timeout("head" if self._phase == _HEAD else "body"))
        else:
            self.socket.close()

    def resume_writing(self) -> None:
        """The client has taken so much that there is room again."""
        self._stalled_s = self._unsent_bytes = 0
        super().resume_writing()

    def shutdown(self) -> None:
        """The venue stops: a request that is not whole is given up, one that is whole gets its answer."""
        if self._phase == _BODY:
            self._disconnect()
            self.socket.close()
        elif self._phase == _CLOSE:
            self.socket.abort()
        else:
            super().shutdown()

    # ------------------------------------------------------------------ bytes in

    def data_received(self, data: bytes) -> None:
        """Feeds the parser, within the limits."""
        if self._phase == _CLOSE or self._refusal is not None:
            self._unread_bytes += len(data)
            if self._unread_bytes > DISCARDED_BYTES:
                self.socket.abort()
        elif len(data) <= HEAD_BYTES and self._phase != _ANSWER and data.count(_HEAD_END) < 2:
            self._feed(data)
        else:
            self._feed_one_by_one(data)

    def _feed_one_by_one(self, data: bytes) -> None:
        """Pieces that each end at most one head; what follows a whole request waits for its answer."""
        start = 0
        while start < len(data) and self._phase != _CLOSE and self._refusal is None:
            if self._phase == _ANSWER:
                self._wait_behind_the_answer(data[start:])
                return
            if self._phase == _UPGRADED:
                self._hand_on(data[start:])
                return
            end = data.find(_HEAD_END, start, start + HEAD_BYTES)
            end = start + HEAD_BYTES if end < 0 else end + len(_HEAD_END)
            self._feed(data[start:end])
            start = end

    def _wait_behind_the_answer(self, data: bytes) -> None:
        self._ahead += data
        self.flow.pause_reading()
        if len(self._ahead) > AHEAD_BYTES:
            self.socket.abort()

    def _feed(self, data: bytes) -> None:
        before = self._head_bytes
        self._head_bytes += len(data)
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            self._upgrade()
            if self._phase == _UPGRADED:
                self._hand_on(data[upgrade.args[0] :])
            return
        except httptools.HttpParserError as error:
            self._refuse(error.__context__ if isinstance(error.__context__, ProblemError) else malformed_http())
            return
        if self._ended_bytes:
            self._count_what_follows(before)
        if self._head_bytes > HEAD_BYTES:
            self._refuse(url_too_long() if len(self.url) > URL_BYTES else headers_too_large())
        elif self._phase == _HEAD:
            if self._head_bytes == len(data):  # The first bytes of a head.
                self._seconds_left = HEAD_SECONDS
        elif self._phase == _BODY and self._under_way() is None:
            self._unread_bytes += len(data)
            if self._unread_bytes > UNREAD_BODY_BYTES:
                self._linger()

    def _count_what_follows(self, before: int) -> None:
        """Where the next head has begun in the piece a request ended in: all of the piece that is no body counts for it, since
        the parser does not say where it began."""
        if self.headers is not self._ended_headers:
            self._head_bytes += self._ended_bytes - before
            if self._phase == _HEAD:
                self._seconds_left = HEAD_SECONDS
        self._ended_bytes = 0

    def _upgrade(self) -> None:
        if self._should_upgrade():
            self._phase = _UPGRADED
            self.transport = self.socket
            self.handle_websocket_upgrade()
            cast(_Handshake, self.socket.get_protocol()).refuse_unread_handshake()
        else:
            self.cycle.keep_alive = False  # Whatever was asked for, it is answered as HTTP/1.1; the parser has ended.

    def _hand_on(self, data: bytes) -> None:
        """Gives what the client sent behind its handshake to the WebSocket; none of it is HTTP any more."""
        if data and not self.socket.is_closing():
            cast(asyncio.Protocol, self.socket.get_protocol()).data_received(data)

    # ------------------------------------------------------------------ the parser's events

    def on_headers_complete(self) -> None:
        """The head is whole: the last look at it before the application gets it."""
        if len(self.url) > URL_BYTES:
            raise url_too_long()
        if len(self.headers) > HEADERS or (self._head_bytes > HEAD_BYTES and self._size_of_head() > HEAD_BYTES):
            raise headers_too_large()
        if self.parser.should_upgrade() and self._under_way() is not None:
            raise early_handshake()  # The answer to the request before it would be written into the WebSocket.
        HttpToolsProtocol.on_headers_complete(self)
        self._phase, self._seconds_left = _BODY, BODY_SECONDS

    def on_chunk_header(self) -> None:
        """A chunked body: what comes as a trailer is no header of the request."""
        self.headers = []

    # The next three stand in the place of uvicorn's: a call of theirs on top would cost an order 1 µs, and so would a timer.

    def on_body(self, body: bytes) -> None:
        """Some of the body."""
        self._head_bytes -= len(body)
        cycle = self._under_way()
        if cycle is not None:
            cycle.body += body
            if len(cycle.body) > HIGH_WATER_LIMIT:
                self.flow.pause_reading()
            cycle.message_event.set()

    def on_message_complete(self) -> None:
        """The request is whole."""
        self._ended_bytes += self._head_bytes
        self._ended_headers = self.headers
        self._head_bytes = 0
        cycle = self._under_way()
        if cycle is None:
            self._wait_for(_HEAD, self.timeout_keep_alive)
        else:
            self._phase = _ANSWER
            cycle.more_body = False
            cycle.message_event.set()

    def on_response_complete(self) -> None:
        """The answer is whole: on to the next request. The sweep ends a connection that brings none."""
        self.server_state.total_requests += 1
        if self._phase == _CLOSE or self.socket.is_closing():
            return
        self.flow.resume_reading()
        self._unread_bytes = 0
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
            self._seconds_left = BODY_SECONDS
        elif self._phase == _ANSWER:
            self._wait_for(_HEAD, self.timeout_keep_alive)
            if self._refusal is not None:
                self._refuse(self._refusal)
            elif self._ahead:
                ahead, self._ahead = self._ahead, b""
                self._feed_one_by_one(ahead)

    # ------------------------------------------------------------------ the end

    def _refuse(self, problem: ProblemError) -> None:
        """Answers in the application's place a request that breaks a limit, after the requests before it, and closes."""
        under_way = self._under_way()
        if self.pipeline or (under_way is not None and not under_way.more_body):
            self._refusal = problem
            return
        # In the middle of a body its request may be answered already, or half: nothing fits behind that.
        unanswered = self._phase == _HEAD or (under_way is not None and not under_way.response_started)
        self._disconnect()
        if unanswered and not self.socket.is_closing():
            self.socket.write(problem_response(problem, self.server_state.default_headers))
        self._linger()

    def _disconnect(self) -> None:
        """The application learns that nothing more will come; it can write nothing more."""
        under_way = self._under_way()
        if under_way is not None:
            under_way.disconnected = True
            under_way.waiting_for_100_continue = False
            under_way.message_event.set()

    def _close(self) -> None:
        """What uvicorn's `close` does here: in the middle of a request it leaves the client time to read the answer."""
        if self._phase == _BODY:
            self._linger()
        elif self._phase != _CLOSE:
            self.socket.close()

    def _linger(self) -> None:
        """Closes the writing side and discards what the client still sends: closing at once would reset the connection, and
        the client might lose the answer. The sweep ends it."""
        self._wait_for(_CLOSE, CLOSE_SECONDS)
        self._unread_bytes, self._ahead = 0, b""
        if not self.socket.is_closing():
            self.flow.resume_reading()
            self.socket.write_eof()

    def _is_closing(self) -> bool:
        return self._phase == _CLOSE or self.socket.is_closing()

    def _wait_for(self, phase: int, seconds: int) -> None:
        self._phase, self._seconds_left = phase, seconds

    def _under_way(self) -> RequestResponseCycle | None:
        """The last request whose head was read, if its answer is not complete."""
        cycle: RequestResponseCycle | None = self.cycle
        return None if cycle is None or cycle.response_complete else cycle

    def _size_of_head(self) -> int:
        return len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)
