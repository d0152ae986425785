"""uvicorn's WebSocket protocol, parsing what a client sent only as fast as the application takes it.

uvicorn parses all that the kernel hands over, up to 256 KiB or a thousand messages, before anybody else has a turn of the event
loop. Here it is one slice a turn: the next one when the messages of the last have been taken, and where it had none (pings,
pongs, fragments) in the next turn.
"""

from __future__ import annotations

import asyncio

from uvicorn._types import ASGIReceiveEvent, ASGISendEvent
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

SLICE_BYTES = 2_048
"""About a dozen orders."""
CLOSING_SLICES = 16
"""How many more are parsed behind the venue's close, to find the client's; then it is cut in time without."""
_NOTHING = memoryview(b"")


class PacedWebSocket(WebSocketsSansIOProtocol):
    """Given to `uvicorn.Config(ws=…)`. Reading is paused while something is left to parse."""

    _unparsed = _NOTHING
    _held = False
    """Reading was paused, and nobody has resumed it yet."""
    _waits = False
    """Nothing is parsed for now: this client has sent too many control frames (`LimitedWebSocket`)."""
    _slices_behind_close = 0
    _next: asyncio.Handle | None = None
    """The turn of the loop that parses on."""

    def data_received(self, data: bytes) -> None:
        """What came from the client: the handshake, whole, and later frames."""
        if self.handshake_initiated:
            self._unparsed = memoryview(bytes(self._unparsed) + data if self._unparsed else data)
            self._parse()
        else:
            super().data_received(data)

    def _parse(self) -> None:
        """Parses one slice unless it is too early for the next. Frames wait for the venue's answer to the handshake."""
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
        """Sends. Behind the handshake's answer parsing begins; after a close it goes on, for the client's own may follow."""
        await super().send(message)
        if self._unparsed:
            self._parse()
