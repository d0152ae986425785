"""Times as ccxt has them: milliseconds since 1970 in UTC, and ISO 8601 with milliseconds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)


def milliseconds(text: str) -> int:
    """The milliseconds of a time of the venue; its microseconds are cut off."""
    return (datetime.fromisoformat(text) - EPOCH) // MILLISECOND


def time_at(at_ms: int | None) -> datetime | None:
    """The moment, as the client takes it."""
    return None if at_ms is None else EPOCH + at_ms * MILLISECOND


def stamp(text: str | None) -> dict[str, Any]:
    """`timestamp` and `datetime` of a structure; both None where the venue tells no time."""
    if text is None:
        return {"timestamp": None, "datetime": None}
    return {"timestamp": milliseconds(text), "datetime": text[:23] + "Z"}
