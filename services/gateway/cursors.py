"""Lists in pages: the query parameters of a span of time and of the order, and the page that a request asks for."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated, Literal

from fastapi import Query
from pydantic import WithJsonSchema

from services.gateway.problems import field_problem
from services.gateway.schemas import time_form
from services.read_model.past_trades import ListPage
from services.read_model.spans import Span
from services.values.cursors import Cursors

_TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)", re.ASCII)
_YEARS = range(1970, 2200)
"""Nanoseconds since 1970 fit 63 bits in all of them."""

OrderQuery = Annotated[
    Literal["newest", "oldest"], Query(description="Which come first. Keep it while you follow a cursor.")
]
_TimeText = Annotated[
    str, WithJsonSchema(time_form("19(7[1-9]|[89][0-9])|20[0-9]{2}|21[0-8][0-9]|219[0-8]", r"\.[0-9]{1,9}"))
]
StartQuery = Annotated[_TimeText | None, Query(description="RFC 3339 with a zone: from this time on.")]
EndQuery = Annotated[_TimeText | None, Query(description="RFC 3339 with a zone: before this time.")]


def time_ns_of(text: str, field: str) -> int:
    """Nanoseconds since 1970 UTC of an RFC 3339 time; raises a 422 problem for any other text."""
    found = _TIME.fullmatch(text)
    if found is None:
        raise field_problem(
            "validation_failed", field, "must be RFC 3339 with a zone, as 2023-12-01T02:00:00Z (+ is %2B)"
        )
    second, fraction, zone = found.groups()
    try:
        time = datetime.fromisoformat(f"{second}{zone}").astimezone(UTC)
    except (ValueError, OverflowError):
        raise field_problem("validation_failed", field, "is no time of the calendar") from None
    if time.year not in _YEARS:
        raise field_problem("validation_failed", field, f"must be of the years {_YEARS[0]} to {_YEARS[-1]}")
    return int(time.timestamp()) * 10**9 + int((fraction or "").ljust(9, "0"))


def span_of(start: str | None, end: str | None) -> Span:
    """The span of two texts; raises a 422 problem where it is empty."""
    span = Span(*(None if text is None else time_ns_of(text, name) for name, text in (("start", start), ("end", end))))
    if span.start_ns is not None and span.end_ns is not None and span.start_ns >= span.end_ns:
        raise field_problem("validation_failed", "end", "must be after start")
    return span


def page_of(limit: int, cursor: str | None, order: str, cursors: Cursors) -> ListPage:
    """The page after the cursor; raises InvalidCursor for a text that is no cursor of the list."""
    return ListPage(limit, None if cursor is None else cursors.id_of(cursor), order == "oldest")
