"""The WebSocket: one endpoint, /v1/ws, for market data, own orders and order entry. docs/websocket.md is its contract.

A plain ASGI application behind access_middleware.py, which checks Host, Origin and the Authorization header in the handshake.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from fastapi import APIRouter
from starlette.routing import WebSocketRoute
from starlette.types import Receive, Scope, Send

from services.gateway.http.access_middleware import KEY, refuse_handshake
from services.gateway.http.known_keys import KnownKeys, address_of
from services.gateway.http.session_cookie import SESSION
from services.gateway.limits.rate_limits import RateLimits
from services.gateway.order_entry.order_entry import OrderEntry
from services.gateway.problems import ProblemError, cut_off
from services.gateway.request_ids import HEADER, REQUEST_ID
from services.gateway.resume.missed import MissedReader
from services.gateway.sockets import COLLECT, RECEIVE_NOW, SEND_NOW, PublicSockets
from services.gateway.websocket.channels import Channels
from services.gateway.websocket.connection import Connection, SocketParts
from services.gateway.websocket.resumes import Resumes
from services.gateway.websocket.subscriber import CLOSE_KEY_REVOKED
from services.people.sessions import Session
from services.venue_state.keys import ApiKey
from services.venue_state.state import VenueState

PATH = "/v1/ws"


class WebSocketEndpoint:
    """The ASGI application behind /v1/ws. `GatewayReader` calls the `publish` of the same `channels`.

    A gateway that `is_cut_off` refuses handshakes."""

    def __init__(
        self,
        *,
        state: VenueState,
        order_entry: OrderEntry,
        channels: Channels,
        clock: Callable[[], int],
        max_websockets_per_key: int,
        known_keys: KnownKeys,
        limits: RateLimits,
        missed: MissedReader,
        public: PublicSockets | None = None,
        is_cut_off: Callable[[], bool],
    ) -> None:
        self._state = state
        self._max_per_key = max_websockets_per_key
        self._is_cut_off = is_cut_off
        resumes = Resumes(state, channels, missed)
        self._parts = SocketParts(state, order_entry, channels, clock, known_keys, limits, resumes, public)
        self._open_by_key: defaultdict[int, dict[Connection, Session | None]] = defaultdict(dict)
        state.key_listeners.append(self._key_changed)

    def router(self) -> APIRouter:
        """The route, for `create_app`."""
        return APIRouter(routes=[WebSocketRoute(PATH, self)])

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one connection, from handshake to close."""
        key: ApiKey | None = scope.get(KEY)

        def admit_late(key: ApiKey) -> None:
            self._admit(key, connection, None)
            scope[KEY] = key  # From now on websocket_limits.py applies the limits of the key.

        connection = Connection(self._parts, key, admit_late, address_of(scope))
        connection.queue.send_now, connection.queue.collect = scope.get(SEND_NOW), scope.get(COLLECT)
        try:
            if self._is_cut_off():
                raise cut_off()
            if key is not None:
                self._admit(key, connection, scope.get(SESSION))
        except ProblemError as problem:
            await refuse_handshake(problem, scope, send)
            return
        try:
            with _closed_with(scope.get(SESSION), connection):
                await receive()  # websocket.connect
                await send({"type": "websocket.accept", "headers": [(HEADER, scope[REQUEST_ID])]})
                await connection.run(receive, send, scope.get(RECEIVE_NOW))
        finally:
            # The server's side is freed at once, not with the next full collection.
            connection.queue.send_now = connection.queue.collect = None
            if connection.key is not None:
                self._leave(connection.key, connection)

    def _admit(self, key: ApiKey, connection: Connection, session: Session | None) -> None:
        """Counts a connection of the key, or of one log-in of a person; raises a 429 problem where that is at its bound."""
        own = list(self._open_by_key.get(key.key_id, {}).values())
        if own.count(session) >= self._max_per_key:
            who = "key" if session is None else "log-in"
            detail = f"This {who} has {self._max_per_key} WebSocket connections already, as many as it may."
            raise ProblemError(429, "too_many_websockets", detail)
        self._open_by_key[key.key_id][connection] = session

    def _leave(self, key: ApiKey, connection: Connection) -> None:
        del self._open_by_key[key.key_id][connection]
        if not self._open_by_key[key.key_id]:
            del self._open_by_key[key.key_id]

    def _key_changed(self, key_id: int) -> None:
        """Closes the connections of a key that was revoked."""
        if self._state.key(key_id) is None:
            for connection in self._open_by_key.get(key_id, ()):
                connection.queue.close(CLOSE_KEY_REVOKED, "the key was revoked")


@contextmanager
def _closed_with(session: Session | None, connection: Connection) -> Iterator[None]:
    """Closes the connection when the session ends, by which its caller is known."""
    if session is None:
        yield
        return

    def close() -> None:
        connection.queue.close(CLOSE_KEY_REVOKED, "the session has ended")

    session.on_end.add(close)
    at_the_latest = asyncio.get_running_loop().call_later(session.most_seconds_left(), close)
    try:
        yield
    finally:
        at_the_latest.cancel()
        session.on_end.discard(close)
        session.use()
