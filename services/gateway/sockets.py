"""All sockets of the server: how many may be open, and the sweep that ends the ones that stand still.

Nothing here reads a clock on the way of a request. Once a second the server calls `sweep`, and each connection counts the
seconds it has waited. A venue that stands still itself therefore times nobody out.
"""

from __future__ import annotations

from collections import Counter
from typing import Protocol, cast

from uvicorn.server import ServerState

CLOSE_SECONDS = 5
"""How long a connection may take to close, whatever its client does; then it is cut."""


class _Connection(Protocol):
    def second_passed(self) -> None:
        """Ends the connection where it has waited too long."""


class Sockets(ServerState):
    """uvicorn's state of a server, with a bound on its sockets; HTTP and WebSocket count together."""

    def __init__(self, max_connections: int, max_connections_per_address: int) -> None:
        super().__init__()
        self.max_connections = max_connections
        self.max_connections_per_address = max_connections_per_address
        self.open = 0
        self._open_by_address: Counter[str] = Counter()
        self.control_frames: Counter[int | str] = Counter()
        """By key id, and by address without a key: what WebSockets have sent since the last sweep that is no message."""

    def enter(self, address: str) -> bool:
        """Counts one more socket of the address; False, and not counted, where that is one too many."""
        if self.open >= self.max_connections or self._open_by_address[address] >= self.max_connections_per_address:
            return False
        self.open += 1
        self._open_by_address[address] += 1
        return True

    def leave(self, address: str) -> None:
        """Takes back what `enter` counted."""
        self.open -= 1
        self._open_by_address[address] -= 1
        if not self._open_by_address[address]:
            del self._open_by_address[address]

    def sweep(self) -> None:
        """Tells every connection that a second has passed."""
        self.control_frames.clear()
        for connection in tuple(self.connections):
            cast(_Connection, connection).second_passed()
