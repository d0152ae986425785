"""The key of a request, by its secret: known, not expired, and allowed to come from this address.

And which requests need none, where the venue's market data is public (setting `public_market_data`).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from services.gateway.problems import ProblemError
from services.venue_state.keys import ApiKey
from services.venue_state.state import VenueState

PUBLIC = ApiKey(0, 0, "public", frozenset({"read"}))
"""Who sends a request without a key. Only the paths below take it; limits hold for its address."""

_PATHS = frozenset({"/v1/time", "/v1/venue", "/v1/calendar", "/v1/instruments", "/v1/fees"})
_BELOW = "/v1/market/"
_READS = frozenset({"GET", "HEAD", "OPTIONS"})
_FIGURE = re.compile(r"/v1/reports/turnover/[^/]+(/days|/last_day|/months)?")
_FIGURE_QUERY = re.compile(rb"|format=(json|csv)|product=[\w.-]{1,32}")
"""What may be asked of the figure without a key: a report of the present that takes some ten milliseconds, or a hundred. Files,
moments of the past and waits for a sequence number take longer."""


def is_public(method: str, path: str, query: bytes = b"") -> bool:
    """Whether the request needs no key."""
    if method not in _READS:
        return False
    if path in _PATHS or path.startswith(_BELOW):
        return True
    return bool(_FIGURE.fullmatch(path) and _FIGURE_QUERY.fullmatch(query))


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
