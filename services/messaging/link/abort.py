"""Ends a connection at once, without a closing handshake."""

from __future__ import annotations

from websockets.asyncio.connection import Connection


def abort(connection: Connection) -> None:
    """Drops what is not sent. Does nothing if the connection has ended: asyncio's own event loop fails on a second end."""
    transport = connection.transport
    if not transport.is_closing() or transport.get_write_buffer_size():
        transport.abort()
