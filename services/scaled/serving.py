"""Serves an application in a process of the scaled mode, from its start to an orderly end."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from services.gateway.server.server import SHUTDOWN_SECONDS, make_server, serve, venue_url
from services.parts import Parts
from services.settings import Settings


@asynccontextmanager
async def serving(app: FastAPI, settings: Settings, listener: socket.socket, parts: Parts) -> AsyncIterator[str]:
    """Serves `app` while the block runs; yields its address. At the end, requests in progress may be answered."""
    server = make_server(
        app,
        max_connections=settings.max_connections,
        max_connections_per_address=settings.max_connections_per_address,
    )
    task = parts.start(serve(server, listener), "server")
    try:
        yield venue_url(settings.host, listener)
    finally:
        server.end(SHUTDOWN_SECONDS)
        await asyncio.wait([task])
