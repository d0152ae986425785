"""Times and dates as text: integers inside, RFC 3339 in UTC outside."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Annotated

from pydantic import BeforeValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

_WRITTEN_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


@lru_cache(maxsize=64)
def _second_text(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S.")


@lru_cache(maxsize=256)  # The commands of a journal batch have one time.
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


def check_written_date(value: object) -> object:
    """The value, for pydantic, which reads numbers as seconds since 1970 and times as dates. Raises its error for a text
    that is not written yyyy-mm-dd."""
    if isinstance(value, str) and not _WRITTEN_DATE.fullmatch(value):
        raise PydanticCustomError("written_date", "must be written yyyy-mm-dd")
    return value


DATE_FORM = {"type": "string", "format": "date", "pattern": "^[1-9][0-9]{3}-[0-9]{2}-[0-9]{2}$"}
"""The schema of a date in a request. JSON Schema knows a year 0, the calendar does not."""
WrittenDate = Annotated[date, BeforeValidator(check_written_date), WithJsonSchema(DATE_FORM)]
