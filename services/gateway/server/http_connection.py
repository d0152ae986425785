"""The socket of an HTTP client: counted, timed, and closed so that the last answer arrives.

uvicorn's protocol class does none of it. Here each thing a connection waits for has its seconds, and a connection that is
closed in the middle of a request closes its writing side first and the socket a few seconds later, whatever the client does.
What is read on it is `LimitedHttp`'s.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from services.gateway.problems import ProblemError
from services.gateway.server.http_refusals import problem_response, request_timeout, too_many_connections
from services.gateway.sockets import CLOSE_SECONDS, Sockets

HEAD_SECONDS = 10
"""For the head of a request, and for the first byte of a new socket."""
BODY_SECONDS = 30
"""From the end of the head to the end of the body."""
WRITE_SECONDS = 30
"""For a client to take anything of an answer that does not fit into the buffers."""

# What a connection waits for. Plain numbers: an Enum's member costs 0.1 µs to look up, and a request looks up ten.
HEAD, BODY, ANSWER, CLOSE, UPGRADED = range(5)


class _Transport:
    """The transport that uvicorn's classes write to: asyncio's, but for how it is closed."""

    def __init__(self, transport: asyncio.Transport, close: Callable[[], None], is_closing: Callable[[], bool]) -> None:
        self.write = transport.write
        self.abort = transport.abort
        self.close = close
        self.is_closing = is_closing


class TimedHttp(HttpToolsProtocol):
    """One HTTP connection, but for what is read on it."""

    socket: asyncio.Transport
    address: str | None = None
    """Whom this socket is counted for; None: for nobody."""
    _phase = HEAD
    _seconds_left = HEAD_SECONDS
    _stalled_s = 0
    _unsent_bytes = 0
    """What waited for the client at the last sweep."""
    _head_bytes = 0
    """What the parser got since the last whole request, without bodies."""
    _unread_bytes = 0
    """What came and was not given to the application."""
    _ahead = b""
    """What the client sent before its last request was answered."""
    _refusal: ProblemError | None = None
    """Waits for the answer to the request before it."""

    @property
    def sockets(self) -> Sockets:
        """All of the server."""
        return cast(Sockets, self.server_state)

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
            self._phase = CLOSE
            transport.write(problem_response(too_many_connections(), []))
            transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """Ends what is under way."""
        super().connection_lost(exc)
        self._phase, self._ahead = CLOSE, b""
        if self.address is not None:
            self.sockets.leave(self.address)

    def second_passed(self) -> None:
        """One sweep: cuts what is deaf, refuses what is late."""
        if self.socket.is_closing() and self._phase != CLOSE:
            self._wait_for(CLOSE, CLOSE_SECONDS)
        if self.flow.write_paused:
            before, self._unsent_bytes = self._unsent_bytes, self.socket.get_write_buffer_size()
            self._stalled_s = 0 if self._unsent_bytes < before else self._stalled_s + 1
            if self._stalled_s > WRITE_SECONDS:
                self.socket.abort()
        if self._phase == ANSWER or self.pipeline:
            return
        self._seconds_left -= 1
        if self._seconds_left >= 0:
            return
        if self._phase == CLOSE:
            self.socket.abort()
        elif self._head_bytes:
            self._refuse(request_timeout("head" if self._phase == HEAD else "body"))
        else:
            self.socket.close()

    def resume_writing(self) -> None:
        """The client has taken so much that there is room again."""
        self._stalled_s = self._unsent_bytes = 0
        super().resume_writing()

    def shutdown(self) -> None:
        """The venue stops: a request that is not whole is given up, one that is whole gets its answer."""
        if self._phase == BODY:
            self._disconnect()
            self.socket.close()
        elif self._phase == CLOSE:
            self.socket.abort()
        else:
            super().shutdown()

    def _refuse(self, problem: ProblemError) -> None:
        """Answers in the application's place a request that breaks a limit, after the requests before it, and closes."""
        under_way = self._under_way()
        if self.pipeline or (under_way is not None and not under_way.more_body):
            self._refusal = problem
            return
        # In the middle of a body its request may be answered already, or half: nothing fits behind that.
        unanswered = self._phase == HEAD or (under_way is not None and not under_way.response_started)
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
        if self._phase == BODY:
            self._linger()
        elif self._phase != CLOSE:
            self.socket.close()

    def _linger(self) -> None:
        """Closes the writing side and discards what the client still sends: closing at once would reset the connection, and
        the client might lose the answer. The sweep ends it."""
        self._wait_for(CLOSE, CLOSE_SECONDS)
        self._unread_bytes, self._ahead = 0, b""
        if not self.socket.is_closing():
            self.flow.resume_reading()
            self.socket.write_eof()

    def _is_closing(self) -> bool:
        return self._phase == CLOSE or self.socket.is_closing()

    def _wait_for(self, phase: int, seconds: int) -> None:
        self._phase, self._seconds_left = phase, seconds

    def _under_way(self) -> RequestResponseCycle | None:
        """The last request whose head was read, if its answer is not complete."""
        cycle: RequestResponseCycle | None = self.cycle
        return None if cycle is None or cycle.response_complete else cycle
