"""The socket of an HTTP client: counted, timed, and closed so that the client receives the last answer.

uvicorn's protocol class does none of this. Here a connection has a time limit for each phase. One that is closed in the middle
of a request first closes its writing side, and the socket a few seconds later, whatever the client does. `LimitedHttp` reads.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from services.gateway.problems import ProblemError
from services.gateway.server.http_refusals import problem_response, request_timeout, too_many_connections
from services.gateway.sockets import CLOSE_SECONDS, Sockets

HEAD_SECONDS = 10
"""Time limit for the head of a request, and for the first byte on a new socket."""
BODY_SECONDS = 30
"""Time limit from the end of the head to the end of the body."""
WRITE_SECONDS = 30
"""How long a client may read nothing of an answer that does not fit into the buffers."""
ON_ITS_WAY_SECONDS = 0.05
"""How long an idle connection stays open when the venue stops, so that a request already sent is answered and not reset."""

_HEAD = b"HTTP/1.1 "
"""How the head of an answer begins."""

# Phases: what a connection waits for. Plain numbers: looking up an Enum member takes 0.1 µs, and a request looks up ten.
HEAD, BODY, ANSWER, CLOSE, UPGRADED = range(5)


class _Transport:
    """The transport that uvicorn's classes write to: asyncio's, with our `close` and `is_closing`.

    uvicorn writes the head of an answer and then its body, which would be two system calls and two packets. `write` holds a
    head back until the next write, or until this turn of the event loop ends.
    """

    def __init__(self, transport: asyncio.Transport, close: Callable[[], None], is_closing: Callable[[], bool]) -> None:
        self._write = transport.write
        self._call_soon = asyncio.get_running_loop().call_soon
        self._head = b""
        self.abort = transport.abort
        self.close = close
        self.is_closing = is_closing

    def let_go(self, transport: asyncio.Transport) -> None:
        """From now on `close` and `is_closing` are those of asyncio: the connection that they belonged to has ended."""
        self.close, self.is_closing = transport.close, transport.is_closing

    def write(self, data: bytes) -> None:
        if self._head:
            data, self._head = self._head + data, b""
        elif data.startswith(_HEAD):
            self._head = data
            self._call_soon(self.flush)
            return
        self._write(data)

    def flush(self) -> None:
        """Writes a head that is held back."""
        if self._head:
            head, self._head = self._head, b""
            self._write(head)


class TimedHttp(HttpToolsProtocol):
    """One HTTP connection, without the reading."""

    socket: asyncio.Transport
    address: str | None = None
    """The client address that this socket counts for; None: it is not counted."""
    _phase = HEAD
    _seconds_left = HEAD_SECONDS
    _stalled_s = 0
    _unsent_bytes = 0
    """Bytes in the write buffer at the last sweep."""
    _head_bytes = 0
    """Bytes that the parser got since the last complete request, without bodies."""
    _unread_bytes = 0
    """Bytes that arrived and were not passed to the application."""
    _ahead = b""
    """Bytes that the client sent ahead, before its last request was answered."""
    _refusal: ProblemError | None = None
    """A problem that is sent once the previous request is answered."""

    @property
    def sockets(self) -> Sockets:
        """The server's sockets."""
        return cast(Sockets, self.server_state)

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Counts the socket, or closes it at once where it would exceed a limit."""
        super().connection_made(transport)
        self.socket = transport
        self._answers = _Transport(transport, self._close, self._is_closing)
        address = self.client[0] if self.client else ""
        if self.sockets.enter(address):
            self.address = address
            self.transport = cast(asyncio.Transport, self._answers)
        else:
            self.connections.discard(self)
            self._phase = CLOSE
            transport.write(problem_response(too_many_connections(), self.server_state.default_headers))
            transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """Ends the request in progress and uncounts the socket."""
        super().connection_lost(exc)
        self._phase, self._ahead = CLOSE, b""
        if self.address is not None:
            self.sockets.leave(self.address)
        self._let_go()

    def _let_go(self) -> None:
        """Breaks the cycles through parser and transport, so that an ended connection is freed at once.

        Those of 40,000 connections, 100 MiB, waited for a full garbage collection, which is rare here (own_process.py)."""
        self.transport, self.parser = self.socket, cast(Any, None)
        self._answers.let_go(self.socket)

    def second_passed(self) -> None:
        """One sweep: aborts a client that does not read, refuses a request that is late."""
        if self.socket.is_closing() and self._phase != CLOSE:
            self._wait_for(CLOSE, CLOSE_SECONDS)
        if self.flow.write_paused:
            before, self._unsent_bytes = self._unsent_bytes, self.socket.get_write_buffer_size()
            self._stalled_s = 0 if self._unsent_bytes < before else self._stalled_s + 1
            if self._stalled_s > WRITE_SECONDS:
                self.socket.abort()
        if self._phase == ANSWER or self.pipeline or (self._phase == HEAD and self.flow.write_paused):
            return  # The client is owed an answer, or still reads the last one.
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
        """The client has read enough: the write buffer has room again."""
        self._stalled_s = self._unsent_bytes = 0
        super().resume_writing()

    def shutdown(self) -> None:
        """The venue stops: an incomplete request is dropped, a complete one is answered, also one that is on its way."""
        asyncio.get_running_loop().call_later(ON_ITS_WAY_SECONDS, self._shut)

    def _shut(self) -> None:
        if self._phase == BODY:
            self._disconnect()
            self.socket.close()
        elif self._phase == CLOSE:
            self.socket.abort()
        else:
            super().shutdown()

    def _refuse(self, problem: ProblemError) -> None:
        """Refuses a request that breaks a limit, after the answers to earlier requests, and closes the connection."""
        under_way = self._under_way()
        if self.pipeline or (under_way is not None and not under_way.more_body):
            self._refusal = problem
            return
        # In the middle of a body, the application may have answered already, or begun to: then nothing can follow.
        unanswered = self._phase == HEAD or (under_way is not None and not under_way.response_started)
        self._disconnect()
        if unanswered and not self.socket.is_closing():
            self._answers.flush()
            self.socket.write(problem_response(problem, self.server_state.default_headers))
        self._linger()

    def _disconnect(self) -> None:
        """Tells the application that the client has disconnected; from now on it cannot write."""
        under_way = self._under_way()
        if under_way is not None:
            under_way.disconnected = True
            under_way.waiting_for_100_continue = False
            under_way.message_event.set()

    def _close(self) -> None:
        """The `close` of uvicorn's classes: in the middle of a request it leaves the client time to read the answer."""
        if self._phase == BODY:
            self._linger()
        elif self._phase != CLOSE:
            self._answers.flush()
            self.socket.close()

    def _linger(self) -> None:
        """Closes the writing side and discards what the client still sends; the sweep closes the socket.

        Closing it at once would reset the connection, and the client might lose the answer.
        """
        self._wait_for(CLOSE, CLOSE_SECONDS)
        self._unread_bytes, self._ahead = 0, b""
        if not self.socket.is_closing():
            self.flow.resume_reading()
            self._answers.flush()
            self.socket.write_eof()

    def _is_closing(self) -> bool:
        return self._phase == CLOSE or self.socket.is_closing()

    def _wait_for(self, phase: int, seconds: int) -> None:
        self._phase, self._seconds_left = phase, seconds

    def _under_way(self) -> RequestResponseCycle | None:
        """The last request with a complete head, unless its answer is complete."""
        cycle: RequestResponseCycle | None = self.cycle
        return None if cycle is None or cycle.response_complete else cycle
