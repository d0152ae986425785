"""The key of a request, by its secret: known, not expired, and allowed to come from this address."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from services.gateway.problems import ProblemError
from services.venue_state.keys import ApiKey
from services.venue_state.state import VenueState


class KnownKeys:
    """Finds keys. `clock` is the venue's wall clock, in nanoseconds."""

    def __init__(self, state: VenueState, clock: Callable[[], int]) -> None:
        self._state = state
        self.clock = clock

    def find(self, secret: str, address: str) -> ApiKey:
        """The key; raises 401 `unknown_key`, 401 `key_expired` or 403 `address_not_allowed`."""
        key = self._state.find_key(secret)
        if key is None:
            raise unknown_key()
        if key.expires_ns and key.has_expired(self.clock()):
            raise key_expired()
        if key.addresses and not key.may_come_from(address):
            raise ProblemError(403, "address_not_allowed", "This key may not be used from the address of this request.")
        return key


def address_of(scope: Any) -> str:
    """The IP address of a request's peer; behind a proxy that the settings trust, the one that the proxy names."""
    client = scope.get("client")
    return "" if client is None else str(client[0])


def unknown_key() -> ProblemError:
    """401: no key has this secret, or it was revoked."""
    return ProblemError(401, "unknown_key", "The venue does not know this key, or it was revoked.")


def key_expired() -> ProblemError:
    """401: the key was valid until a time that has passed."""
    return ProblemError(401, "key_expired", "This key has expired.")
