"""WebSocket connections that end in bounded time, with limits on control frames and fragments.

uvicorn closes a connection after its write buffer is flushed: never, if the client does not read. This subclass aborts the
connection a few seconds after its close has begun, and bounds what a client can make the server hold until then.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, cast

from starlette.types import Receive, Scope, Send
from uvicorn.config import Config
from uvicorn.server import ServerState
from websockets.frames import Frame, Opcode
from websockets.http11 import Request, Response
from websockets.server import ServerProtocol

from services.gateway.http.access_middleware import KEY
from services.gateway.server.http_refusals import as_problem, malformed_handshake, problem_response
from services.gateway.server.paced_websocket import SLICE_BYTES, PacedWebSocket
from services.gateway.sockets import CLOSE_SECONDS, COLLECT, RECEIVE_NOW, SEND_NOW, Sockets
from services.gateway.websocket.connection import CLOSE_INTERNAL_ERROR, CLOSE_TOO_LARGE
from services.venue_state.keys import ApiKey

PING_SECONDS = 20.0
"""How often the server pings, and how long it waits for the answer."""
FRAGMENTS = 1_024
"""How many frames a message may consist of."""
CONTROL_FRAMES = 4_096
"""How many pings, pongs and fragments the WebSockets of one key, or of one address without a key, may send in a second: 25 ms
of CPU. Beyond that, the connections that send them are not read until the next second."""
OWN_FRAMES = 4
"""How many of them one WebSocket may send in a second, whatever the others send; a client owes one pong in 20 seconds."""
SHORT_SLICE_BYTES = 6 * (OWN_FRAMES + 1)
"""Slice size beyond CONTROL_FRAMES: just enough frames to tell which connection sends them."""
CLOSE_INVALID_DATA = 1007
_PONG = bytes([0x80 | Opcode.PONG])
"""The first byte of a pong frame."""


class _Handshake(ServerProtocol):
    """The `websockets` library's side of a connection, without extensions. Every handshake that is refused gets a problem."""

    def __init__(self, state: ServerState, **options: Any) -> None:
        super().__init__(**options)
        self._server = state

    def send_response(self, response: Response) -> None:
        """Sends the answer to the handshake, with the headers that every answer has."""
        if response.status_code != HTTPStatus.SWITCHING_PROTOCOLS:
            response = as_problem(response, self._server.default_headers)
        super().send_response(response)


class LimitedWebSocket(PacedWebSocket):
    """One WebSocket connection, counted by `LimitedHttp` and taken over from it."""

    sockets: Sockets
    address: str
    """The client address that this socket counts for."""
    _closing_s = 0
    _own_frames = 0
    """Control frames since the last sweep."""

    def __init__(self, config: Config, server_state: ServerState, app_state: dict[str, Any], *arguments: Any) -> None:
        super().__init__(config, server_state, app_state, *arguments)
        self.conn.parser.close()  # A parser is a generator that keeps its protocol, which keeps it.
        self.conn = _Handshake(server_state, max_size=config.ws_max_size, logger=self.conn.logger)

    def take_over(self, sockets: Sockets, address: str) -> None:
        """Takes the socket from `LimitedHttp`. Answers a handshake that the `websockets` library cannot read with a problem;
        uvicorn would not answer."""
        self.sockets, self.address = sockets, address
        if not self.handshake_initiated:
            self.transport.write(problem_response(malformed_handshake(), self.default_headers))
            self.transport.close()

    def handle_connect(self, event: Request) -> None:
        """Starts the application; a handshake that it refuses with a response is complete afterwards."""
        self._application, self.app = self.app, self._run_application
        super().handle_connect(event)

    async def run_asgi(self) -> None:
        """Runs the application; then breaks the cycles that it needed, so that an ended connection is freed at once."""
        try:
            await super().run_asgi()
        finally:
            self.app = self._application
            for name in (SEND_NOW, COLLECT, RECEIVE_NOW):
                cast(dict[str, Any], self.scope).pop(name, None)

    async def _run_application(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope[SEND_NOW], scope[COLLECT], scope[RECEIVE_NOW] = self.send_now, self.collect, self.receive_now
        await self._application(scope, receive, send)
        if self.initial_response is not None:
            self.handshake_complete = True  # Refused with a response; uvicorn would log that as an error.

    def connection_lost(self, exc: Exception | None) -> None:
        """Ends the application's part and uncounts the socket."""
        super().connection_lost(exc)
        self.conn.parser.close()
        self.sockets.leave(self.address)

    def second_passed(self) -> None:
        """One sweep: aborts a connection that takes too long to close, and resumes one that sent too many control frames."""
        if self.close_sent or self.transport.is_closing():
            self._closing_s += 1
            if self._closing_s > CLOSE_SECONDS:
                self.transport.abort()
        self._own_frames = 0
        if self._waits and not self._too_many():
            self._waits = False
            self._parse()

    def handle_ping(self) -> None:
        """Answers with a pong, unless the write buffer is full: RFC 6455 requires only the pong to the last ping."""
        self._count_control_frame()
        if self.writable.is_set():
            super().handle_ping()
        else:
            output = self.conn.data_to_send()
            self.transport.write(b"".join(data for data in output if not data.startswith(_PONG)))

    def handle_pong(self, event: Frame) -> None:
        """A pong, whether solicited or not."""
        self._count_control_frame()
        super().handle_pong(event)

    def handle_cont(self, event: Frame) -> None:
        """A fragment; empty ones count too."""
        self._count_control_frame()
        if len(self.frames) < FRAGMENTS:
            super().handle_cont(event)
        elif not self.transport.is_closing():
            self.conn.fail(CLOSE_TOO_LARGE, f"a message may consist of {FRAGMENTS} frames")
            self.handle_parser_exception()

    def _count_control_frame(self) -> None:
        self._own_frames += 1
        self.sockets.control_frames[self._counted_for()] += 1
        if self._own_frames > OWN_FRAMES and self._too_many() and not self.transport.is_closing():
            self._waits = self._held = True
            self.transport.pause_reading()

    def _too_many(self) -> bool:
        """Whether the connections that count together with this one have sent more control frames than allowed."""
        return self.sockets.control_frames.get(self._counted_for(), 0) > CONTROL_FRAMES

    def _counted_for(self) -> int | str:
        key: ApiKey | None = self.scope.get(KEY)  # type: ignore[assignment]
        return self.address if key is None else key.key_id

    def _slice_bytes(self) -> int:
        return SHORT_SLICE_BYTES if self._too_many() else SLICE_BYTES

    def send_receive_event_to_app(self) -> None:
        """Queues a whole message. Text that is not UTF-8 ends the connection (RFC 6455, section 8.1); uvicorn would log an
        error."""
        if self.curr_msg_data_type != "text" or self.close_sent:
            super().send_receive_event_to_app()
            self._held = self._held or self.read_paused  # uvicorn pauses reading at once.
            return
        data, self.frames = self.frames[0] if len(self.frames) == 1 else b"".join(self.frames), []
        try:
            text = bytes(data).decode()
        except UnicodeDecodeError:
            self.conn.fail(CLOSE_INVALID_DATA, "a text message must be UTF-8")
            self.handle_parser_exception()
            return
        self.queue.put_nowait({"type": "websocket.receive", "text": text})
        self.read_paused = True  # Nothing more is parsed. `_parse` pauses reading when more arrives, which is rare.

    def handle_parser_exception(self) -> None:
        """The client violated the protocol: sends nothing more than the close."""
        super().handle_parser_exception()
        self._send_no_more()

    def keepalive_timeout(self) -> None:
        """No pong arrived in time: ends the connection."""
        ending = self.close_sent or self.transport.is_closing()
        super().keepalive_timeout()
        if not ending:
            self.queue.put_nowait({"type": "websocket.disconnect", "code": CLOSE_INTERNAL_ERROR})
            self._send_no_more()

    def _send_no_more(self) -> None:
        # Senders get ClientDisconnected, even those that wait for room in the write buffer.
        self.disconnected = True
        self.writable.set()
