"""Which requests the venue answers without a key, where its market data is public (setting `public_market_data`)."""

from __future__ import annotations

import re

from services.venue_state.keys import ApiKey

PUBLIC = ApiKey(0, 0, "public", frozenset({"read"}))
"""Who sends a request without a key. Only the paths below take it; limits hold for its address."""

_PATHS = frozenset({"/v1/time", "/v1/venue", "/v1/calendar", "/v1/instruments", "/v1/fees"})
_BELOW = "/v1/market/"
_READS = frozenset({"GET", "HEAD", "OPTIONS"})
_FIGURE = re.compile(r"/v1/reports/turnover/[^/]+(/days|/months)?")
_FIGURE_QUERY = re.compile(rb"|format=(json|csv)|product=[\w.-]{1,32}")
"""What may be asked of the figure without a key: a report of the present that takes some milliseconds. Files, moments of the
past and waits for a sequence number take longer."""


def is_public(method: str, path: str, query: bytes = b"") -> bool:
    """Whether the request needs no key."""
    if method not in _READS:
        return False
    if path in _PATHS or path.startswith(_BELOW):
        return True
    return bool(_FIGURE.fullmatch(path) and _FIGURE_QUERY.fullmatch(query))
