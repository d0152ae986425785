"""What requests for reports have in common: a year, a sequence number, and the answer of a venue that has recorded nothing."""

from __future__ import annotations

from typing import Annotated, TypeVar

from fastapi import HTTPException, Path, Query
from fastapi.exceptions import RequestValidationError

Year = Annotated[int, Path(ge=2000, le=2099, description="Calendar year of the trading days.")]
Seq = Annotated[int, Query(ge=0, le=2**63 - 1)]
AtLeast = Annotated[Seq, Query(description="Waits until this sequence number is in the answer; 422 after 5 seconds.")]
PastSeq = Annotated[
    Seq | None,
    Query(
        description="The report as it was after this sequence number, with the bytes of the day; not with at_least_seq."
    ),
]

Found = TypeVar("Found")


def recorded(found: Found | None) -> Found:
    """What was read; a 409 problem where the venue has recorded nothing yet."""
    if found is None:
        raise HTTPException(409, "The venue has recorded nothing yet.")
    return found


def refuse_past(seq: int, at_least_seq: int) -> None:
    """Raises a 422 problem where no report can be of the past `seq`."""
    if at_least_seq:
        raise invalid_query("seq", "cannot be combined with at_least_seq: a report of the past waits for nothing")
    if not seq:
        raise invalid_query("seq", "must be at least 1: before its first command the venue had recorded nothing")


def invalid_query(field: str, message: str) -> RequestValidationError:
    """The 422 problem of a query parameter."""
    return RequestValidationError([{"type": "value_error", "loc": ("query", field), "msg": message}])
