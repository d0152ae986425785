"""All sockets of the server: limits on their number, and a sweep once a second that ends stalled connections.

No request reads a clock here. The server calls `sweep` once a second, and each connection counts the seconds it has waited:
while the venue itself is stalled, no connection times out.
"""

from __future__ import annotations

import struct
from collections import Counter
from typing import Protocol, cast

from uvicorn.server import ServerState

from services.gateway.problems import ProblemError

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


CLOSE_SECONDS = 5
"""How long a connection may take to close, whatever its client does; then it is aborted."""


class _Connection(Protocol):
    def second_passed(self) -> None:
        """Ends the connection where it has waited too long."""


class Sockets(ServerState):
    """uvicorn's server state with a limit on sockets. HTTP and WebSocket connections count together."""

    def __init__(self, max_connections: int, max_connections_per_address: int) -> None:
        super().__init__()
        self.max_connections = max_connections
        self.max_connections_per_address = max_connections_per_address
        self.open = 0
        self._open_by_address: Counter[str] = Counter()
        self.control_frames: Counter[int | str] = Counter()
        """Pings, pongs and fragments that WebSockets have sent since the last sweep, by key id, or by address without a key."""

    def enter(self, address: str) -> bool:
        """Counts one more socket of the address. Returns False, and does not count it, if that would exceed a limit."""
        if self.open >= self.max_connections or self._open_by_address[address] >= self.max_connections_per_address:
            return False
        self.open += 1
        self._open_by_address[address] += 1
        return True

    def leave(self, address: str) -> None:
        """Uncounts a socket that `enter` counted."""
        self.open -= 1
        self._open_by_address[address] -= 1
        if not self._open_by_address[address]:
            del self._open_by_address[address]

    def sweep(self) -> None:
        """Tells every connection that a second has passed."""
        self.control_frames.clear()
        for connection in tuple(self.connections):
            cast(_Connection, connection).second_passed()


class PublicSockets:
    """Counts the connections that follow market data without a key. Others without a key are closed after ten seconds."""

    def __init__(self, most: int, most_per_address: int) -> None:
        self._most = most
        self._most_per_address = most_per_address
        self._by_address: Counter[str] = Counter()

    def enter(self, address: str) -> None:
        """Counts a connection; raises a 429 problem at a bound."""
        if self._by_address.total() >= self._most or self._by_address[address] >= self._most_per_address:
            detail = (
                "As many connections without a key follow market data as may, in all or of this address: use a key."
            )
            raise ProblemError(429, "too_many_websockets", detail)
        self._by_address[address] += 1

    def leave(self, address: str) -> None:
        """Uncounts a connection that `enter` counted."""
        self._by_address[address] -= 1
        if not self._by_address[address]:
            del self._by_address[address]
