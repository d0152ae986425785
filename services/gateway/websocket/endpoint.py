"""The WebSocket: one endpoint, /v1/ws, for market data, own orders and order entry. docs/websocket.md is its contract.

A plain ASGI application behind doorway.py, which checks Host, Origin and the Authorization header in the handshake.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from fastapi import APIRouter
from starlette.routing import WebSocketRoute
from starlette.types import Receive, Scope, Send

from services.gateway.http.doorway import KEY, refuse_handshake
from services.gateway.order_entry.order_entry import OrderEntry
from services.gateway.problems import ProblemError
from services.gateway.websocket.channels import Channels
from services.gateway.websocket.connection import Connection
from services.venue_state.keys import ApiKey
from services.venue_state.state import VenueState

PATH = "/v1/ws"


class WebSocketEndpoint:
    """The ASGI application behind /v1/ws."""

    def __init__(
        self,
        *,
        state: VenueState,
        order_entry: OrderEntry,
        channels: Channels,
        clock: Callable[[], int],
        max_websockets_per_key: int,
    ) -> None:
        self._state = state
        self._order_entry = order_entry
        self._channels = channels
        self._clock = clock
        self._max_per_key = max_websockets_per_key
        self._open_by_key: Counter[int] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one connection, from handshake to close."""
        key: ApiKey | None = scope.get(KEY)
        try:
            if key is not None:
                self._admit(key)
        except ProblemError as problem:
            await refuse_handshake(problem, scope, send)
            return

        def admit_late(key: ApiKey) -> None:
            self._admit(key)
            scope[KEY] = key  # From now on websocket_limits.py applies the limits of the key.

        connection = Connection(self._state, self._order_entry, self._channels, self._clock, key, admit_late)
        try:
            await receive()  # websocket.connect
            await send({"type": "websocket.accept"})
            await connection.run(receive, send)
        finally:
            if connection.key is not None:
                self._leave(connection.key)

    def _admit(self, key: ApiKey) -> None:
        """Counts a connection of the key; raises a 429 problem where the key is at its bound."""
        if self._open_by_key[key.key_id] >= self._max_per_key:
            detail = f"This key has {self._max_per_key} WebSocket connections already, as many as it may."
            raise ProblemError(429, "too_many_websockets", detail)
        self._open_by_key[key.key_id] += 1

    def _leave(self, key: ApiKey) -> None:
        self._open_by_key[key.key_id] -= 1
        if not self._open_by_key[key.key_id]:
            del self._open_by_key[key.key_id]


def router(
    *,
    state: VenueState,
    order_entry: OrderEntry,
    channels: Channels,
    clock: Callable[[], int],
    max_websockets_per_key: int,
) -> APIRouter:
    """The route /v1/ws, for `create_app`. `GatewayReader` calls the `publish` of the same `channels`."""
    endpoint = WebSocketEndpoint(
        state=state,
        order_entry=order_entry,
        channels=channels,
        clock=clock,
        max_websockets_per_key=max_websockets_per_key,
    )
    return APIRouter(routes=[WebSocketRoute(PATH, endpoint)])
