"""A WebSocket whose client is let go, whether it reads or not.

uvicorn closes by asking the transport to flush first, which for a client that never reads is never. This subclass cuts the
connection a few seconds after its close has begun, and bounds what a client can make the server hold meanwhile.
"""

from __future__ import annotations

from starlette.types import Receive, Scope, Send
from websockets.frames import Frame, Opcode
from websockets.http11 import Request

from services.gateway.http.doorway import KEY
from services.gateway.server.http_refusals import malformed_handshake, problem_response
from services.gateway.server.paced_websocket import SLICE_BYTES, PacedWebSocket
from services.gateway.sockets import CLOSE_SECONDS, Sockets
from services.gateway.websocket.connection import CLOSE_INTERNAL_ERROR, CLOSE_TOO_LARGE
from services.venue_state.keys import ApiKey

PING_SECONDS = 20.0
"""How often the server pings, and how long it waits for the answer."""
FRAGMENTS = 1_024
"""Of how many frames one message may consist."""
CONTROL_FRAMES = 4_096
"""How many pings, pongs and fragments the WebSockets of one key, or of one address without a key, may send in a second: 25 ms
of the venue's time. Beyond that those who send them are not read until the next."""
OWN_FRAMES = 4
"""How many of them a WebSocket may send whatever the others have sent; a client owes one pong in 20 seconds."""
SHORT_SLICE_BYTES = 6 * (OWN_FRAMES + 1)
"""How much of each is parsed at a time beyond CONTROL_FRAMES: as many frames as show that it sends them."""
_PONG = bytes([0x80 | Opcode.PONG])
"""How a pong begins: its last and only frame."""


class LimitedWebSocket(PacedWebSocket):
    """One WebSocket connection, which `LimitedHttp` has counted and handed over."""

    sockets: Sockets
    address: str
    """Whom this socket is counted for."""
    _closing_s = 0
    _own_frames = 0
    """Control frames since the last sweep."""

    def take_over(self, sockets: Sockets, address: str) -> None:
        """From `LimitedHttp`, behind the handshake. Answers one that the `websockets` library cannot read; uvicorn would
        leave the client waiting."""
        self.sockets, self.address = sockets, address
        if not self.handshake_initiated:
            self.transport.write(problem_response(malformed_handshake(), self.default_headers))
            self.transport.close()

    def handle_connect(self, event: Request) -> None:
        """The handshake."""
        self._application, self.app = self.app, self._run_application
        super().handle_connect(event)

    async def _run_application(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._application(scope, receive, send)
        if self.initial_response is not None:
            self.handshake_complete = True  # It was refused with a response; uvicorn would log that as an error.

    def connection_lost(self, exc: Exception | None) -> None:
        """Ends what is under way."""
        super().connection_lost(exc)
        self.sockets.leave(self.address)

    def second_passed(self) -> None:
        """One sweep: cuts a connection whose close takes too long."""
        if self.close_sent or self.transport.is_closing():
            self._closing_s += 1
            if self._closing_s > CLOSE_SECONDS:
                self.transport.abort()
        self._own_frames = 0
        if self._waits and not self._too_many():
            self._waits = False
            self._parse()

    def handle_ping(self) -> None:
        """Answers, unless answers are piling up already: a pong is only owed to the last ping."""
        self._count_control_frame()
        if self.writable.is_set():
            super().handle_ping()
        else:
            output = self.conn.data_to_send()
            self.transport.write(b"".join(data for data in output if not data.startswith(_PONG)))

    def handle_pong(self, event: Frame) -> None:
        """The answer to a ping, or to none."""
        self._count_control_frame()
        super().handle_pong(event)

    def handle_cont(self, event: Frame) -> None:
        """A fragment; empty ones count as well."""
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
        """Whether this client, or others it is counted with, have sent more control frames than they may."""
        return self.sockets.control_frames.get(self._counted_for(), 0) > CONTROL_FRAMES

    def _counted_for(self) -> int | str:
        key: ApiKey | None = self.scope.get(KEY)  # type: ignore[assignment]
        return self.address if key is None else key.key_id

    def _slice_bytes(self) -> int:
        return SHORT_SLICE_BYTES if self._too_many() else SLICE_BYTES

    def handle_parser_exception(self) -> None:
        """The client broke the protocol: nothing more is sent to it than the close."""
        super().handle_parser_exception()
        self._send_no_more()

    def keepalive_timeout(self) -> None:
        """No pong came in time."""
        ending = self.close_sent or self.transport.is_closing()
        super().keepalive_timeout()
        if not ending:
            self.queue.put_nowait({"type": "websocket.disconnect", "code": CLOSE_INTERNAL_ERROR})
            self._send_no_more()

    def _send_no_more(self) -> None:
        # Who still sends gets ClientDisconnected, also where it waits for room.
        self.disconnected = True
        self.writable.set()
