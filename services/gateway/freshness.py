"""Whether the gateway's memory is the venue's present.

In one process it always is. In the scaled mode the gateway may be behind, or cut off from a venue that goes on. A read whose
answer may be old says so by the header `Rex-As-Of`; an answer without it is at most 5 seconds old.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from services.gateway.browser_headers import Header
from services.values.times import time_text
from services.venue_state.state import VenueState


@dataclass(frozen=True)
class Freshness:
    """What a gateway knows about its own age."""

    is_cut_off: Callable[[], bool] = lambda: False
    """Whether the venue may go on without this gateway: it has heard nothing for seconds. A quiet venue is heard."""
    behind_s: Callable[[int], float] = lambda _applied_seq: 0.0
    """For how many seconds a gateway that has applied the journal up to this seq may have been behind; 0: it is not."""


ALWAYS_FRESH = Freshness()

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
