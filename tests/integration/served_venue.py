"""The venue of venue.py behind a real socket: uvicorn in a task of this loop, on a free port, as the product starts it."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from rex_client import RexClient

from services.gateway.server.server import Server, listen, make_server
from services.gateway.server.websocket_limits import LimitedWebSocket
from tests.integration.venue import RunningVenue, running_venue


@dataclass
class Served:
    """A venue and its address."""

    venue: RunningVenue
    url: str
    server: Server
    task: asyncio.Task[None]
    """Completes when the server has ended."""
    clients: AsyncExitStack = field(default_factory=AsyncExitStack)

    async def client(self, name: str) -> RexClient:
        """A client with the key of `alice`, `bob` or `operator`, closed with the venue."""
        return await self.clients.enter_async_context(RexClient(self.url, self.venue.keys[name].key))


@asynccontextmanager
async def served_venue(
    folder: Path, *, send_buffer_bytes: int | None = None, inbox_commands: int = 65_536
) -> AsyncIterator[Served]:
    async with (
        running_venue(folder, inbox_commands=inbox_commands) as venue,
        serving(venue, listening(send_buffer_bytes=send_buffer_bytes)) as served,
    ):
        yield served


def listening(*, send_buffer_bytes: int | None = None) -> socket.socket:
    """A socket on a free port. With a small buffer the venue's kernel holds few unsent bytes."""
    listener = listen("127.0.0.1", 0)
    if send_buffer_bytes is not None:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, send_buffer_bytes)
    return listener


@asynccontextmanager
async def serving(
    venue: RunningVenue,
    listener: socket.socket,
    *,
    max_connections: int = 256,
    max_connections_per_address: int = 256,
    ws: type[LimitedWebSocket] = LimitedWebSocket,
) -> AsyncIterator[Served]:
    """A server on this socket, which can be stopped and replaced by another one on the same port."""
    server = make_server(
        venue.app, max_connections=max_connections, max_connections_per_address=max_connections_per_address
    )
    server.config.timeout_graceful_shutdown = 1
    server.config.ws = ws
    # The socket listens already: a client that comes before the server is up waits in its backlog.
    task = asyncio.create_task(server.serve(sockets=[listener]))
    served = Served(venue, f"http://127.0.0.1:{listener.getsockname()[1]}", server, task)
    try:
        async with served.clients:
            yield served
    finally:
        server.should_exit = True
        await task
