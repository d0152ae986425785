"""A BLAKE2b-256 digest of each day's trades in order of their ids: equal digests, equal trades.

The journal's digests are computed while a recovery reads the batches, the read database's in one scan. So a start compares
every trade and keeps 32 bytes a day in memory.
"""

from __future__ import annotations

import sqlite3
import struct
from hashlib import blake2b
from itertools import chain
from typing import Any

import numpy as np

from services.read_database import tables

COLUMNS = [column.name for column in tables.trades.columns if column.name not in ("busted_seq", "excluded_seq")]
"""The columns of a trade that never change; all are integers."""
_DATE = COLUMNS.index("trading_date")
_AT_ONCE = 4_096


class TradeDigests:
    """Takes the trades in the order of their ids (`add`)."""

    def __init__(self) -> None:
        self._days: dict[int, Any] = {}

    def add(self, trades: Any) -> None:
        """Takes an int64 array with a row of COLUMNS for each trade."""
        new_days = np.flatnonzero(np.diff(trades[:, _DATE])) + 1
        for part in np.split(trades, new_days):
            if len(part):
                day = self._days.setdefault(int(part[0, _DATE]), blake2b(digest_size=32))
                day.update(np.ascontiguousarray(part, "<i8"))

    @property
    def days(self) -> dict[int, bytes]:
        """The digests by trading date."""
        return {date: day.digest() for date, day in self._days.items()}


def digests_of(connection: sqlite3.Connection) -> dict[int, bytes]:
    """The digests of a read database. Raises struct.error where a value is no 8-byte integer."""
    digests = TradeDigests()
    cursor = connection.execute(f"SELECT {', '.join(COLUMNS)} FROM trades ORDER BY trade_id")
    while rows := cursor.fetchmany(_AT_ONCE):
        packed = struct.pack(f"<{len(rows) * len(COLUMNS)}q", *chain.from_iterable(rows))
        digests.add(np.frombuffer(packed, "<i8").reshape(-1, len(COLUMNS)))
    return digests.days
