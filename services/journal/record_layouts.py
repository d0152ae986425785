"""The records of a batch that an older REX wrote, as those of today.

A batch names its record format. The fields that its format lacks read as 0, as in every record that does not use them. The
batch's own bytes, its hash and the chain stay what they were.
"""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

import numpy as np

from matching_engine.records import (
    COMMAND,
    EVENT,
    OLDEST_RECORD_FORMAT,
    RECORD_FORMAT,
    Command,
    Event,
    layout_in,
)


class Layouts(NamedTuple):
    """Those of one record format."""

    command: np.dtype[Any]
    event: np.dtype[Any]


TODAY = Layouts(COMMAND, EVENT)


@cache
def layouts_of(record_format: int) -> Layouts:
    """The layouts of a format that this version reads."""
    if record_format == RECORD_FORMAT:
        return TODAY
    return Layouts(layout_in(Command, record_format), layout_in(Event, record_format))


def is_read(record_format: int) -> bool:
    """Whether this version reads batches of the format."""
    return OLDEST_RECORD_FORMAT <= record_format <= RECORD_FORMAT


def formats_read() -> str:
    """For sentences."""
    if OLDEST_RECORD_FORMAT == RECORD_FORMAT:
        return f"record format {RECORD_FORMAT}"
    return f"record formats {OLDEST_RECORD_FORMAT} to {RECORD_FORMAT}"


def as_today(records: memoryview, was: np.dtype[Any], now: np.dtype[Any]) -> bytes:
    """An array of records of the layout `was` as bytes of the layout `now`, which has every field of it."""
    if was is now:
        return bytes(records)
    older = np.frombuffer(records, was)
    todays = np.zeros(len(older), now)
    for name in was.names or ():
        todays[name] = older[name]
    return todays.tobytes()
