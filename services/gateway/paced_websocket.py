"""uvicorn's WebSocket protocol, parsing what a client sent only as fast as the application takes it.

uvicorn parses all that the kernel hands over, up to 256 KiB or a thousand messages, before anybody else has a turn of the event
loop. Here it is a slice at a time, and the next one when the messages of the last have been taken.
"""

from __future__ import annotations

from uvicorn._types import ASGIReceiveEvent, ASGISendEvent
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

SLICE_BYTES = 2_048
"""About a dozen orders."""


class PacedWebSocket(WebSocketsSansIOProtocol):
    """Given to `uvicorn.Config(ws=…)`. Reading is paused while something is left to parse."""

    _unparsed = memoryview(b"")

    def data_received(self, data: bytes) -> None:
        """What came from the client; parsed up to its first messages."""
        self._unparsed = memoryview(bytes(self._unparsed) + data if self._unparsed else data)
        self._parse()

    def _parse(self) -> None:
        """Slice by slice, until there is a message (then reading is paused) or nothing is left."""
        while self._unparsed and not self.read_paused and not self.transport.is_closing():
            piece, self._unparsed = self._unparsed[:SLICE_BYTES], self._unparsed[SLICE_BYTES:]
            super().data_received(bytes(piece))

    async def receive(self) -> ASGIReceiveEvent:
        """The next message."""
        message = await self.queue.get()
        if self.read_paused and self.queue.empty():
            self.read_paused = False
            self._parse()
            if not self.read_paused:
                self.transport.resume_reading()
        return message

    async def send(self, message: ASGISendEvent) -> None:
        """Sends. After a close the rest is parsed: the client's own close may be in it."""
        await super().send(message)
        if self.close_sent:
            self._parse()
