"""What requests for reports have in common: a year, a sequence number, and the answer of a venue that has recorded nothing."""

from __future__ import annotations

from typing import Annotated, TypeVar

from fastapi import HTTPException, Path, Query

Year = Annotated[int, Path(ge=2000, le=2099, description="Calendar year of the trading days.")]
Seq = Annotated[int, Query(ge=0, le=2**63 - 1)]
AtLeast = Annotated[Seq, Query(description="Waits until this sequence number is in the answer; 422 after 5 seconds.")]

Found = TypeVar("Found")


def recorded(found: Found | None) -> Found:
    """What was read; a 409 problem where the venue has recorded nothing yet."""
    if found is None:
        raise HTTPException(409, "The venue has recorded nothing yet.")
    return found
