"""uvicorn's WebSocket protocol, parsing a client's bytes only as fast as the application takes its messages, and writing the
messages of a turn of the event loop together.

uvicorn parses everything that the kernel delivers, up to 256 KiB or a thousand messages, before any other connection has a turn
of the event loop. Here a turn parses one slice. The next slice follows once the messages of the last one have been taken; if it
had none (pings, pongs, fragments), in the next turn.
"""

from __future__ import annotations

import asyncio

from uvicorn._types import ASGIReceiveEvent, ASGISendEvent
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.protocol import State

SLICE_BYTES = 2_048
"""About a dozen orders."""
CLOSING_SLICES = 16
"""How many more slices are parsed after the venue's close frame, to find the client's; without it the sweep aborts."""
COLLECTED_CHARACTERS = 16_384
"""Messages of so many characters together are written at once."""
_NOTHING = memoryview(b"")


class PacedWebSocket(WebSocketsSansIOProtocol):
    """The class for `uvicorn.Config(ws=…)`. Reading is paused while bytes are left to parse."""

    _unparsed = _NOTHING
    _held = False
    """Reading is paused."""
    _waits = False
    """Parsing is suspended: the client has sent too many control frames (`LimitedWebSocket`)."""
    _slices_behind_close = 0
    _collected = 0
    """Characters of the messages that wait in `conn` for the end of this turn."""
    _next: asyncio.Handle | None = None
    """The scheduled call that parses the next slice."""

    def data_received(self, data: bytes) -> None:
        """Bytes from the client: first the complete handshake, later frames."""
        if self.handshake_initiated:
            self._unparsed = memoryview(bytes(self._unparsed) + data if self._unparsed else data)
            self._parse()
        else:
            super().data_received(data)

    def _parse(self) -> None:
        """Parses one slice, unless it is too early. Frames wait for the venue's answer to the handshake."""
        if self._next is not None or self._waits:
            return
        if self._unparsed and self.handshake_complete and not self.read_paused and not self.transport.is_closing():
            size = self._slice_bytes()
            piece, self._unparsed = self._unparsed[:size], self._unparsed[size:]
            super().data_received(bytes(piece))
        if self.transport.is_closing():
            self._unparsed = _NOTHING
        elif self._waits:
            return
        elif self._unparsed:
            self._held = True
            self.transport.pause_reading()
            self._slices_behind_close += self.close_sent
            if self.handshake_complete and not self.read_paused and self._slices_behind_close <= CLOSING_SLICES:
                self._next = self.loop.call_soon(self._parse_next)
        elif self._held and not self.read_paused:
            self._held = False
            self.transport.resume_reading()

    def _slice_bytes(self) -> int:
        return SLICE_BYTES

    def _parse_next(self) -> None:
        self._next = None
        self._parse()

    async def receive(self) -> ASGIReceiveEvent:
        """The next message."""
        message = await self.queue.get()
        if self.read_paused and self.queue.empty():
            self.read_paused, self._held = False, True
            self._parse()
        return message

    async def send(self, message: ASGISendEvent) -> None:
        """Sends. Parsing begins after the answer to the handshake, and goes on after a close: the client's may follow."""
        if message["type"] == "websocket.send" and (text := message.get("text")) is not None and self._may_collect():
            self._collect(text)
        else:
            await super().send(message)  # It writes what waits in `conn`, too: the order is kept.
        if self._unparsed:
            self._parse()

    def _may_collect(self) -> bool:
        return self.conn.state is State.OPEN and not self.disconnected and self.writable.is_set()

    def _collect(self, text: str) -> None:
        """Frames a message. A write for each message would be a tenth of the cost of an order."""
        if not self._collected:
            self.loop.call_soon(self._write_collected)
        self.conn.send_text(text.encode())
        self._collected += len(text)
        if self._collected >= COLLECTED_CHARACTERS:
            self._write_collected()

    def _write_collected(self) -> None:
        self._collected = 0
        output = self.conn.data_to_send()
        if output and not self.transport.is_closing():
            self.transport.write(b"".join(output))
