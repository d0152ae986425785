"""Whether the gateway's memory is the venue's present.

In one process it always is. In the scaled mode the gateway may be behind, or cut off from a venue that goes on.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


def _never() -> bool:
    return False


def _not_behind(_applied_seq: int) -> float:
    return 0.0


@dataclass(frozen=True)
class Freshness:
    """What a gateway knows about its own age."""

    is_cut_off: Callable[[], bool] = _never
    """Whether the venue may go on without this gateway: it has heard nothing for seconds. A quiet venue is heard."""
    behind_s: Callable[[int], float] = _not_behind
    """For how many seconds a gateway that has applied the journal up to this seq may have been behind; 0: it is not."""


ALWAYS_FRESH = Freshness()
