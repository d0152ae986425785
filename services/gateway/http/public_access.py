"""Which requests the venue answers without a key, where its market data is public (setting `public_market_data`)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from services.gateway.problems import ProblemError
from services.venue_state.keys import ApiKey

PUBLIC = ApiKey(0, 0, "public", frozenset({"read"}))
"""Who sends a request without a key. Only the paths below take it; limits hold for its address."""

REPORTS = "/v1/reports/"
PUBLIC_REPORTS = 8
"""How many reports may be under way at once without a key. Reports are made one at a time: more would keep members waiting."""

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


class PublicReports:
    """Counts the reports under way without a key."""

    def __init__(self) -> None:
        self._under_way = 0

    @contextmanager
    def one(self) -> Iterator[None]:
        """One more, while the block runs; raises a 503 problem at the bound."""
        if self._under_way >= PUBLIC_REPORTS:
            detail = "As many reports as may are under way for who has no key: ask again, or use a key."
            raise ProblemError(503, "not_ready", detail)
        self._under_way += 1
        try:
            yield
        finally:
            self._under_way -= 1
