"""The WebSocket: one endpoint, /v1/ws, for market data, own orders and order entry. docs/websocket.md is its contract.

A plain ASGI application, behind the same door as every request (doorway.py): Host, Origin and the Authorization header were
checked in the handshake.
"""

from __future__ import annotations

from collections.abc import Callable

from fastapi import APIRouter
from starlette.routing import WebSocketRoute
from starlette.types import Receive, Scope, Send

from services.gateway.channels import Channels
from services.gateway.connection import Connection
from services.gateway.doorway import KEY
from services.gateway.keys import ApiKey
from services.gateway.order_entry import OrderEntry
from services.gateway.state import VenueState

PATH = "/v1/ws"


class WebSocketEndpoint:
    """The ASGI application behind /v1/ws."""

    def __init__(
        self, *, state: VenueState, order_entry: OrderEntry, channels: Channels, clock: Callable[[], int]
    ) -> None:
        self._state = state
        self._order_entry = order_entry
        self._channels = channels
        self._clock = clock
        self.connections = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One connection, from handshake to close."""
        await receive()  # websocket.connect
        await send({"type": "websocket.accept"})
        self.connections += 1
        try:
            key: ApiKey | None = scope.get(KEY)
            await Connection(self._state, self._order_entry, self._channels, self._clock, key).run(receive, send)
        finally:
            self.connections -= 1


def router(*, state: VenueState, order_entry: OrderEntry, channels: Channels, clock: Callable[[], int]) -> APIRouter:
    """/v1/ws, to be given to `create_app`; `channels.publish` is the `GatewayReader`'s fan-out."""
    endpoint = WebSocketEndpoint(state=state, order_entry=order_entry, channels=channels, clock=clock)
    return APIRouter(routes=[WebSocketRoute(PATH, endpoint)])
