"""A WebSocket client as the streams see it."""

from __future__ import annotations

from typing import Protocol

from services.gateway.websocket.client_queue import ClientQueue
from services.venue_state.keys import ApiKey
from services.venue_state.state import VenueState

CLOSE_KEY_REVOKED = 4001
"""The key of the connection was revoked."""


class Subscriber(Protocol):
    """A client: its key, and the queue of messages to it."""

    key: ApiKey | None
    queue: ClientQueue


def may_receive(client: Subscriber, state: VenueState) -> bool:
    """Whether the client's key is valid still. If not, the connection is closed."""
    key = client.key
    if key is not None and state.is_valid(key.key_id):
        return True
    client.queue.close(CLOSE_KEY_REVOKED, "the key was revoked")
    return False


def may_read_market(client: Subscriber, state: VenueState) -> bool:
    """The same for market data, which a client without a key is subscribed to where it is public."""
    return client.key is None or may_receive(client, state)
