"""Serves an application in a process of the scaled mode, from its start to an orderly end."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from services.gateway.server.server import SHUTDOWN_SECONDS, make_server, serve, venue_url
from services.gateway.websocket.liveness import SHUTDOWN_REASON, Liveness
from services.venue.parts import Parts
from services.venue.settings import Settings


@asynccontextmanager
async def serving(
    app: FastAPI, settings: Settings, listener: socket.socket, parts: Parts, liveness: Liveness | None = None
) -> AsyncIterator[str]:
    """Serves `app` while the block runs; yields its address. At the end its WebSocket clients are told so, and requests in
    progress may be answered."""
    server = make_server(
        app,
        max_connections=settings.max_connections,
        max_connections_per_address=settings.max_connections_per_address,
        behind_tls=settings.behind_tls,
        trusted_proxies=settings.trusted_proxies,
    )
    task = parts.start(serve(server, listener), "server")
    try:
        yield venue_url(settings.host, listener)
        if liveness is not None:
            await liveness.announce_shutdown(settings.shutdown_notice_s, SHUTDOWN_REASON)
    finally:
        server.end(SHUTDOWN_SECONDS)
        await asyncio.wait([task])
