"""The header `Rex-As-Of`: a read whose answer may be old says so. An answer without it is at most 5 seconds old."""

from __future__ import annotations

from collections.abc import Callable

from services.gateway.browser_headers import Header
from services.gateway.freshness import Freshness
from services.values.times import time_text
from services.venue_state.state import VenueState

NAME = "Rex-As-Of"
_NAME = NAME.lower().encode()
_READS = ("GET", "HEAD")


class AsOf:
    """Makes the header for the answers of one gateway."""

    def __init__(self, state: VenueState, freshness: Freshness, clock: Callable[[], int]) -> None:
        self._state = state
        self._freshness = freshness
        self._clock = clock

    def headers(self, method: str, path: str) -> list[Header]:
        """The header of an answer to a read below /v1, if this gateway may be behind: the last seq that it has applied, and
        until when that is known to have been the venue's last. A structured field (RFC 9651)."""
        if method not in _READS or not path.startswith("/v1/"):
            return []
        seq = self._state.last_seq
        behind_s = self._freshness.behind_s(seq)
        if not behind_s:
            return []
        time = time_text(self._clock() - int(behind_s * 1e9))
        return [(_NAME, f'seq={seq}, time="{time}"'.encode())]
