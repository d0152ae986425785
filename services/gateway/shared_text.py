"""A message for many WebSocket clients: it is encoded, and framed, once."""

from __future__ import annotations

import struct

SEND_NOW = "rex.send_now"
"""The ASGI scope's entry for the function that writes a shared text to a WebSocket at once, and returns whether it could."""

RECEIVE_NOW = "rex.receive_now"
"""The ASGI scope's entry for the function that returns a WebSocket's next message, or None: `receive` without two awaits."""

COLLECT = "rex.collect"
"""The ASGI scope's entry for the function that writes a text with the others of this turn of the event loop, and returns
whether it could: what `send` does, without its six awaits a message."""


class SharedText(str):
    """A text whose frame is made for its first client."""

    _frame: bytes | None = None

    @property
    def frame(self) -> bytes:
        """Its frame; the same bytes for every client."""
        if self._frame is None:
            self._frame = frame_of(self)
        return self._frame


def frame_of(text: str) -> bytes:
    """The unmasked text frame of a server without extensions (RFC 6455, 5.2)."""
    payload = text.encode()
    size = len(payload)
    if size < 126:
        head = bytes((0x81, size))
    elif size < 1 << 16:
        head = struct.pack("!BBH", 0x81, 126, size)
    else:
        head = struct.pack("!BBQ", 0x81, 127, size)
    return head + payload
