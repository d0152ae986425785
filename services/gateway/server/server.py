"""The HTTP and WebSocket server: the listening socket, uvicorn's settings, start and shutdown."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import resource
import socket
from collections.abc import Iterator, Sequence

import uvicorn
from fastapi import FastAPI

from services.gateway.browser_headers import BEHIND_TLS, EVERY_ANSWER
from services.gateway.server.http_limits import LimitedHttp
from services.gateway.server.websocket_limits import PING_SECONDS, LimitedWebSocket
from services.gateway.sockets import Sockets
from services.gateway.websocket.connection import MAX_MESSAGE_BYTES

SHUTDOWN_SECONDS = 5.0
"""How long requests in progress may take when the venue closes."""
_LAST_SECONDS = 0.2
"""How long a request may take to notice that its connection was aborted."""
FAULT_SECONDS = 0.5
"""How long the answers to requests in progress (503 `outcome_unknown`) may take to leave when the venue has failed."""
UNACKNOWLEDGED_SECONDS = 20
"""How long the kernel waits for a client to acknowledge data, or to make room for more, before it ends the connection."""
SOCKET_BUFFER_BYTES = 256 * 1024
"""The kernel's send and receive buffer of one client; Linux doubles it for its own overhead."""
OTHER_DESCRIPTORS = 256
"""File descriptors that are not for clients: journal, read database, log, and a reserve."""
TICKS_PER_SECOND = 10
"""How often uvicorn calls `on_tick`."""

log = logging.getLogger("uvicorn.error")


class Server(uvicorn.Server):
    """uvicorn's server without signal handlers: `rex` handles signals and ends the whole venue, from the outside in."""

    def __init__(self, config: uvicorn.Config, sockets: Sockets) -> None:
        super().__init__(config)
        self.server_state: Sockets = sockets

    async def on_tick(self, counter: int) -> bool:
        """uvicorn's tick, ten times a second; once a second it also sweeps all sockets."""
        if counter % TICKS_PER_SECOND == 0:
            self.server_state.sweep()
        return await super().on_tick(counter)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Installs no signal handlers."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """uvicorn's startup, raising OSError instead of ending the process, so that the venue ends in order."""
        try:
            await super().startup(sockets)
        except SystemExit as error:
            raise OSError("the HTTP server did not start; its log says why") from error

    def end(self, seconds: float) -> None:
        """Accepts nothing more. Requests in progress may end within `seconds`; then their connections are aborted."""
        self.should_exit = True
        asyncio.get_running_loop().call_later(seconds, self._cut)

    def _cut(self) -> None:
        """Aborts every connection: a request that waits for its client ends; any other is canceled after `_LAST_SECONDS`."""
        if self.server_state.connections or self.server_state.tasks:
            log.disabled = True  # Errors from here on are consequences of the abort.
        for connection in list(self.server_state.connections):
            connection.transport.abort()
        asyncio.get_running_loop().call_later(_LAST_SECONDS, self._cancel)

    def _cancel(self) -> None:
        for task in list(self.server_state.tasks):
            task.cancel()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """uvicorn's shutdown; enables its log again."""
        try:
            await super().shutdown(sockets)
        finally:
            log.disabled = False


def make_server(
    app: FastAPI,
    *,
    max_connections: int,
    max_connections_per_address: int,
    behind_tls: bool = False,
    trusted_proxies: Sequence[str] = (),
) -> Server:
    """A server of the application; `serve` runs it. `behind_tls`: clients reach it through TLS, so it sends HSTS. Of a request
    from a trusted proxy X-Forwarded-For names the client."""
    config = uvicorn.Config(
        app,
        http=LimitedHttp,
        ws=LimitedWebSocket,
        lifespan="on",
        log_config=None,  # services/processes/log.py
        log_level="warning",
        access_log=False,
        headers=[*EVERY_ANSWER, BEHIND_TLS] if behind_tls else [*EVERY_ANSWER],
        server_header=False,
        ws_max_size=MAX_MESSAGE_BYTES,
        ws_per_message_deflate=False,  # Messages are small and networks local: compressing costs more than it saves.
        ws_ping_interval=PING_SECONDS,
        ws_ping_timeout=PING_SECONDS,
        proxy_headers=bool(trusted_proxies),
        forwarded_allow_ips=list(trusted_proxies),
        timeout_graceful_shutdown=None,  # `Server.end` says how long.
    )
    return Server(config, Sockets(_within_descriptors(max_connections), max_connections_per_address))


def _within_descriptors(max_connections: int) -> int:
    """`max_connections`, or fewer if the process may not have so many descriptors. Raises its soft limit where it can."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = max_connections + OTHER_DESCRIPTORS
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        return max(1, min(max_connections, soft - OTHER_DESCRIPTORS))
    return max_connections


async def serve(server: Server, listener: socket.socket) -> None:
    """Serves until `should_exit`. Canceled, because another part of the venue has failed, it first ends every request."""
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        await asyncio.shield(serving)
    except asyncio.CancelledError:
        server.end(FAULT_SECONDS)
        await serving
        raise


def venue_url(host: str, listener: socket.socket) -> str:
    """The venue's URL. A venue that listens on every address (in a container) is reached on loopback."""
    return f"http://{'127.0.0.1' if host == '0.0.0.0' else host}:{listener.getsockname()[1]}"


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens already: clients that connect during the start wait instead of failing.

    Raises OSError with a sentence that names the option to change.
    """
    try:
        listener = socket.create_server((host, port), backlog=2048)
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            reason = str(error.strerror).partition(" (while")[0]
            options = f"--host {host} --port {port} (REX_HOST, REX_PORT)"
            raise OSError(f"{options}: cannot listen there: {reason}") from error
        raise OSError(
            f"port {port} of {host} is in use: choose another with REX_PORT or --port (0 takes a free one)"
        ) from error
    # Accepted sockets inherit these.
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SOCKET_BUFFER_BYTES)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SOCKET_BUFFER_BYTES)
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNACKNOWLEDGED_SECONDS * 1000)
    return listener
