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
from websockets.frames import Opcode
from websockets.protocol import State

try:
    from websockets.speedups import apply_mask
except ImportError:
    from websockets.utils import apply_mask

from services.gateway.sockets import SharedText, frame_of

WHOLE_TEXT = 0x81
"""The first byte of a text message in one frame, without extensions."""
MASK_BYTES = 4
INCOMPLETE, REFUSED = -1, -2
"""Instead of an end: the rest of the frame has not arrived; its head is refused, so that it ends the connection."""

_FIN = _MASKED = 0x80
_OPCODE = 0x0F
_OPCODES = frozenset(map(int, Opcode))
_TWO_BYTES = 126

SLICE_BYTES = 2_048
"""About a dozen orders."""
CLOSING_SLICES = 16
"""How many more slices are parsed after the venue's close frame, to find the client's; without it the sweep aborts."""
COLLECTED_CHARACTERS = 16_384
"""Messages of so many characters together are written at once."""
_NOTHING = memoryview(b"")


def frame_at(data: memoryview, start: int, most_bytes: int) -> tuple[int, int]:
    """The positions of the payload of the frame at `start`, and of its end; or INCOMPLETE or REFUSED as the end.

    Its head refuses a frame whose payload has more than `most_bytes`, a control frame that is too long or a fragment, and an
    opcode that is none.
    """
    available = len(data)
    if available < start + 2:
        return 0, INCOMPLETE
    first, size, payload = data[start], data[start + 1], start + 2 + MASK_BYTES
    if size < _MASKED or (first != WHOLE_TEXT and _is_invalid(first, size - _MASKED)):
        return 0, REFUSED
    size -= _MASKED
    if size >= _TWO_BYTES:
        size_bytes = 2 if size == _TWO_BYTES else 8
        payload += size_bytes
        if available < payload - MASK_BYTES:
            return 0, INCOMPLETE
        size = int.from_bytes(data[start + 2 : start + 2 + size_bytes], "big")
        if size > most_bytes:
            return 0, REFUSED
    end = payload + size
    return payload, end if end <= available else INCOMPLETE


def _is_invalid(first: int, size: int) -> bool:
    opcode = first & _OPCODE
    is_control = opcode >= Opcode.CLOSE
    return opcode not in _OPCODES or (is_control and (size >= _TWO_BYTES or not first & _FIN))


class PacedWebSocket(WebSocketsSansIOProtocol):
    """The class for `uvicorn.Config(ws=…)`. Reading is paused while bytes are left to parse."""

    _unparsed = _NOTHING
    _held = False
    """Reading is paused."""
    _waits = False
    """Parsing is suspended: the client has sent too many control frames (`LimitedWebSocket`)."""
    _is_incomplete = False
    """What is left to parse begins a frame whose rest has not arrived."""
    _slices_behind_close = 0
    _collected = 0
    """Characters of the messages that wait in `conn` for the end of this turn."""
    _sending = 0
    """Messages that wait for room; nothing may overtake them."""
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
            self._take_slice()
        if self.transport.is_closing():
            self._unparsed = _NOTHING
        elif self._waits:
            return
        elif self._unparsed and (self.read_paused or not self._is_incomplete):
            self._held = True
            self.transport.pause_reading()
            self._slices_behind_close += self.close_sent
            if self.handshake_complete and not self.read_paused and self._slices_behind_close <= CLOSING_SLICES:
                self._next = self.loop.call_soon(self._parse_next)
        elif self._held and not self.read_paused:
            self._held = False
            self.transport.resume_reading()

    def _take_slice(self) -> None:
        """Takes frames, about `_slice_bytes` of them. A frame that is incomplete waits for the rest of it."""
        data, given, end = self._unparsed, 0, 0
        size = min(self._slice_bytes(), len(data))
        self._is_incomplete = False
        while end < size and not (self._waits or self.transport.is_closing()):
            start = end
            payload, end = frame_at(data, start, self.config.ws_max_size)
            if end == INCOMPLETE:
                self._is_incomplete, end = True, start
                break
            if end == REFUSED:
                end = len(data)
            elif data[start] == WHOLE_TEXT:
                given = self._give(data, given, start)
                if self.conn.state is State.OPEN and not self.frames and not self._waits:
                    self._take_text(apply_mask(data[payload:end], bytes(data[payload - MASK_BYTES : payload])))
                    given = end
        self._unparsed = data[self._give(data, given, end) :]

    def _give(self, data: memoryview, start: int, end: int) -> int:
        """Gives the library what it has not got yet; returns the end."""
        if start < end:
            super().data_received(bytes(data[start:end]))
        return end

    def _take_text(self, payload: bytes) -> None:
        """A message in one frame, as most are: to the library it would be four times the work."""
        self.curr_msg_data_type, self.frames = "text", [payload]
        self.send_receive_event_to_app()

    def _slice_bytes(self) -> int:
        return SLICE_BYTES

    def _parse_next(self) -> None:
        self._next = None
        self._parse()

    async def receive(self) -> ASGIReceiveEvent:
        """The next message."""
        return self._taken(await self.queue.get())

    def receive_now(self) -> ASGIReceiveEvent | None:
        """The next message, if it has arrived."""
        return None if self.queue.empty() else self._taken(self.queue.get_nowait())

    def _taken(self, message: ASGIReceiveEvent) -> ASGIReceiveEvent:
        if self.read_paused and self.queue.empty():
            self.read_paused = False
            if self._unparsed or self._held:
                self._parse()
        return message

    async def send(self, message: ASGISendEvent) -> None:
        """Sends. Parsing begins after the answer to the handshake, and goes on after a close: the client's may follow."""
        if message["type"] == "websocket.send" and (text := message.get("text")) is not None and self.collect(text):
            return
        self._sending += 1
        try:
            await super().send(message)  # It writes what waits in `conn`, too: the order is kept.
        finally:
            self._sending -= 1
        if self._unparsed:
            self._parse()

    def collect(self, text: str) -> bool:
        """Sends a message, if it needs not wait for room. Returns whether it did."""
        if not self._may_collect():
            return False
        self._collect(text)
        if self._unparsed:
            self._parse()
        return True

    def send_now(self, text: str) -> bool:
        """Writes a shared message without the client's tasks, if nothing waits before it. Returns whether it did."""
        if (
            self._collected
            or not isinstance(text, SharedText)
            or not self._may_collect()
            or self.transport.is_closing()
        ):
            return False
        self.transport.write(text.frame)
        return True

    def _may_collect(self) -> bool:
        return not self._sending and self.conn.state is State.OPEN and not self.disconnected and self.writable.is_set()

    def _collect(self, text: str) -> None:
        """Frames a message. A write for each message would be a tenth of the cost of an order; a shared one that is alone has
        its frame, and costs less so."""
        if not self._collected:
            if isinstance(text, SharedText) and not self.transport.is_closing():
                self.transport.write(text.frame)
                return
            self.loop.call_soon(self._write_collected)
        # Framed by the library it would take four times as long.
        self.conn.writes.append(text.frame if isinstance(text, SharedText) else frame_of(text))
        self._collected += len(text)
        if self._collected >= COLLECTED_CHARACTERS:
            self._write_collected()

    def _write_collected(self) -> None:
        self._collected = 0
        output = self.conn.data_to_send()
        if output and not self.transport.is_closing():
            self.transport.write(b"".join(output))
