"""The HTTP and WebSocket server around the application: the listening socket, uvicorn's settings, and how it ends."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
from collections.abc import Iterator

import uvicorn
from fastapi import FastAPI

from services.gateway.connection import MAX_MESSAGE_BYTES
from services.gateway.paced_websocket import PacedWebSocket

SHUTDOWN_SECONDS = 5
"""How long requests under way may take when the venue closes."""


class Server(uvicorn.Server):
    """A server whose signals are `rex`'s to handle: a Ctrl-C ends the venue from the outside in, not the server alone."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leaves the signal handlers as they are."""
        yield


def make_server(app: FastAPI) -> Server:
    """A server of the application; `serve` runs it."""
    return Server(
        uvicorn.Config(
            app,
            http="httptools",
            ws=PacedWebSocket,
            lifespan="on",
            log_level="warning",
            access_log=False,
            ws_max_size=MAX_MESSAGE_BYTES,
            ws_per_message_deflate=False,  # Messages are small and the way is short: compressing costs more than it saves.
            timeout_graceful_shutdown=SHUTDOWN_SECONDS,
        )
    )


async def serve(server: Server, listener: socket.socket) -> None:
    """Until `should_exit`, or until another part of the venue has failed: then, too, every request is brought to an end."""
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        await asyncio.shield(serving)
    except asyncio.CancelledError:
        server.should_exit = True
        await serving
        raise
    if not server.started:
        raise RuntimeError("the HTTP server did not start; its log says why")


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens already, so that what connects during the start waits instead of failing."""
    try:
        return socket.create_server((host, port), backlog=2048)
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        raise OSError(f"port {port} of {host} is in use: choose another with --port (0 takes a free one)") from error
