"""Trading dates: integers yyyymmdd inside, ISO 8601 text outside."""

from __future__ import annotations

from functools import lru_cache


@lru_cache(maxsize=1024)
def date_text(date: int) -> str:
    """A trading date yyyymmdd as yyyy-mm-dd; empty before the first day roll, where it is 0."""
    return f"{date // 10_000:04d}-{date // 100 % 100:02d}-{date % 100:02d}" if date else ""
