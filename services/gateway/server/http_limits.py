"""HTTP/1.1 with limits that hold before any key is checked: on the URL, on the head, on pipelined requests.

uvicorn's protocol class has none of them. This subclass counts every byte before the parser gets it, at most 16 KiB at a time,
and feeds one request at a time: pipelined requests wait unparsed. A request that breaks a limit is answered with a problem
document, and the connection is closed.
"""

from __future__ import annotations

import asyncio
from typing import Protocol, cast

import httptools
from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from services.gateway.problems import ProblemError
from services.gateway.server.http_connection import (
    ANSWER,
    BODY,
    BODY_SECONDS,
    CLOSE,
    HEAD,
    HEAD_SECONDS,
    UPGRADED,
    TimedHttp,
)
from services.gateway.server.http_refusals import (
    HEAD_BYTES,
    HEADERS,
    URL_BYTES,
    early_handshake,
    headers_too_large,
    malformed_http,
    url_too_long,
)
from services.gateway.sockets import Sockets

UNREAD_BODY_BYTES = 256 * 1024
"""How much of a body may still arrive after the request was answered, before the connection is closed."""
DISCARDED_BYTES = 1024 * 1024
"""How much a closing connection may still send before it is aborted."""
AHEAD_BYTES = 1024 * 1024
"""How much a client may send ahead while a request is being answered."""

_HEAD_END = b"\r\n\r\n"


class _WebSocket(Protocol):
    def take_over(self, sockets: Sockets, address: str) -> None:
        """Owns the socket from now on, whether the handshake could be read or not."""


class LimitedHttp(TimedHttp):
    """One HTTP connection."""

    url = b""
    _ended_bytes = 0
    """Like `_head_bytes`, for requests that ended within the piece that the parser has."""
    _ended_headers: list[tuple[bytes, bytes]] | None = None
    """The headers of the last of them."""
    _body_bytes = 0
    """Bytes of the body so far."""

    # ------------------------------------------------------------------ bytes in

    def data_received(self, data: bytes) -> None:
        """Feeds the parser, within the limits."""
        if self._phase == CLOSE or self._refusal is not None:
            self._unread_bytes += len(data)
            if self._unread_bytes > DISCARDED_BYTES:
                self.socket.abort()
        elif len(data) <= HEAD_BYTES and self._phase != ANSWER and data.count(_HEAD_END) <= (self._phase == HEAD):
            self._feed(data)
        else:
            self._feed_one_by_one(data)

    def _feed_one_by_one(self, data: bytes) -> None:
        """Feeds pieces that each end at most one head or body; what follows a complete request waits for its answer."""
        start = 0
        while start < len(data) and self._phase != CLOSE and self._refusal is None:
            if self._phase == ANSWER:
                self._wait_behind_the_answer(data[start:])
                return
            if self._phase == UPGRADED:
                self._hand_on(data[start:])
                return
            end = self._end_of_piece(data, start)
            self._feed(data[start:end])
            start = end

    def _end_of_piece(self, data: bytes, start: int) -> int:
        """The index at which a head or a body ends, or HEAD_BYTES further."""
        length = dict(self.headers).get(b"content-length") if self._phase == BODY else None
        if length is not None and (left := int(length) - self._body_bytes) > 0:
            return start + min(left, HEAD_BYTES)
        end = data.find(_HEAD_END, start, start + HEAD_BYTES)
        return start + HEAD_BYTES if end < 0 else end + len(_HEAD_END)

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
            if self._phase == UPGRADED:
                self._hand_on(data[upgrade.args[0] :])
            return
        except httptools.HttpParserError as error:
            self._refuse(error.__context__ if isinstance(error.__context__, ProblemError) else malformed_http())
            return
        if self._ended_bytes:
            self._count_what_follows(before, data)
        if self._head_bytes > HEAD_BYTES:
            self._refuse(url_too_long() if len(self.url) > URL_BYTES else headers_too_large())
        elif self._phase == HEAD:
            if self._head_bytes == len(data):  # The first bytes of a head.
                self._seconds_left = HEAD_SECONDS
        elif self._phase == BODY and self._under_way() is None:
            self._unread_bytes += len(data)
            if self._unread_bytes > UNREAD_BODY_BYTES:
                self._linger()

    def _count_what_follows(self, before: int, data: bytes) -> None:
        """The next head may have begun in the piece in which a request ended: counts the bytes of it there.

        The parser does not say where it began: they are those of neither the head nor the body of the ended request. A chunked
        body that ends in two pieces counts for the next head as a whole.
        """
        if self.headers is not self._ended_headers:
            self._head_bytes += self._ended_bytes - before
            if self._phase != BODY and _HEAD_END in data:  # The next head has not ended, so this ended the one before.
                self._head_bytes -= data.index(_HEAD_END) + len(_HEAD_END)
            if self._phase == HEAD:
                self._seconds_left = HEAD_SECONDS
        self._ended_bytes = 0

    def _upgrade(self) -> None:
        if self._should_upgrade():
            self._phase = UPGRADED
            self.transport = self.socket
            self.handle_websocket_upgrade()
            cast(_WebSocket, self.socket.get_protocol()).take_over(self.sockets, self.address or "")
            self._let_go()
        else:
            self.cycle.keep_alive = False  # Another upgrade: it is answered as HTTP/1.1; the parser has ended.

    def _hand_on(self, data: bytes) -> None:
        """Passes the bytes behind the handshake to the WebSocket."""
        if data and not self.socket.is_closing():
            cast(asyncio.Protocol, self.socket.get_protocol()).data_received(data)

    # ------------------------------------------------------------------ the parser's events

    def on_headers_complete(self) -> None:
        """The head is complete: checks its limits before the application gets it."""
        if len(self.url) > URL_BYTES:
            raise url_too_long()
        if len(self.headers) > HEADERS or (self._head_bytes > HEAD_BYTES and self._size_of_head() > HEAD_BYTES):
            raise headers_too_large()
        if self.parser.should_upgrade() and self._under_way() is not None:
            raise early_handshake()  # The answer to the request before it would be written into the WebSocket.
        HttpToolsProtocol.on_headers_complete(self)
        self._phase, self._seconds_left, self._body_bytes = BODY, BODY_SECONDS, 0

    def on_chunk_header(self) -> None:
        """A chunked body: keeps its trailers out of the headers of the request."""
        self.headers = []

    # The next three replace uvicorn's methods: calling those as well would cost 1 µs an order, and so would a timer.

    def on_body(self, body: bytes) -> None:
        """A part of the body."""
        self._head_bytes -= len(body)
        self._body_bytes += len(body)
        cycle = self._under_way()
        if cycle is not None:
            cycle.body += body
            if len(cycle.body) > HIGH_WATER_LIMIT:
                self.flow.pause_reading()
            cycle.message_event.set()

    def on_message_complete(self) -> None:
        """The request is complete."""
        self._ended_bytes += self._head_bytes
        self._ended_headers = self.headers
        self._head_bytes = 0
        cycle = self._under_way()
        if cycle is None:
            self._wait_for(HEAD, self.timeout_keep_alive)
        else:
            self._phase = ANSWER
            cycle.more_body = False
            cycle.message_event.set()

    def on_response_complete(self) -> None:
        """The answer is complete: continues with the next request. The sweep ends a connection that sends none."""
        self.server_state.total_requests += 1
        if self._phase == CLOSE or self.socket.is_closing():
            return
        self.flow.resume_reading()
        self._unread_bytes = 0
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
            self._seconds_left = BODY_SECONDS
        elif self._phase == ANSWER:
            self._wait_for(HEAD, HEAD_SECONDS if self._head_bytes else self.timeout_keep_alive)
            if self._refusal is not None:
                self._refuse(self._refusal)
            elif self._ahead:
                ahead, self._ahead = self._ahead, b""
                self._feed_one_by_one(ahead)

    def _size_of_head(self) -> int:
        return len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)
