"""Times and dates as text: integers inside, RFC 3339 in UTC outside."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache


@lru_cache(maxsize=64)
def _second_text(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S.")


def time_text(time_ns: int) -> str:
    """Nanoseconds since 1970 UTC as an RFC 3339 time in UTC, cut to microseconds."""
    second, nanoseconds = divmod(time_ns, 1_000_000_000)
    return f"{_second_text(second)}{nanoseconds // 1000:06d}Z"


def second_text(second: int) -> str:
    """Seconds since 1970 UTC as an RFC 3339 time in UTC, in whole seconds."""
    return f"{_second_text(second)[:-1]}Z"


@lru_cache(maxsize=1024)
def date_text(date: int) -> str:
    """A trading date yyyymmdd as yyyy-mm-dd; 0, before the first day roll, as an empty string."""
    return f"{date // 10000:04d}-{date // 100 % 100:02d}-{date % 100:02d}" if date else ""
