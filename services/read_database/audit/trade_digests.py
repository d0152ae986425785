"""A digest of each day's trades, one trade after the other: equal digests are equal trades, at 30 bytes a day.

The journal's side is added up while a recovery reads the rows, the read database's side in one scan, so a start need not keep
trades in memory to compare every one of them.
"""

from __future__ import annotations

import sqlite3
import struct
from hashlib import blake2b
from itertools import chain
from typing import Any

import numpy as np

from services.read_database import tables

COLUMNS = [column.name for column in tables.trades.columns if column.name != "busted_seq"]
"""What never changes of a trade; all of it whole numbers."""
_DATE = COLUMNS.index("trading_date")
_AT_ONCE = 4_096


class TradeDigests:
    """Add the trades in the order of their ids."""

    def __init__(self) -> None:
        self._days: dict[int, Any] = {}

    def add(self, trades: Any) -> None:
        """A row of COLUMNS for each trade, as 8-byte whole numbers."""
        new_days = np.flatnonzero(np.diff(trades[:, _DATE])) + 1
        for part in np.split(trades, new_days):
            if len(part):
                day = self._days.setdefault(int(part[0, _DATE]), blake2b(digest_size=32))
                day.update(np.ascontiguousarray(part, "<i8"))

    @property
    def days(self) -> dict[int, bytes]:
        """By trading date."""
        return {date: day.digest() for date, day in self._days.items()}


def digests_of(connection: sqlite3.Connection) -> dict[int, bytes]:
    """Those of a read database. Raises struct.error where a column holds what is no whole number of 8 bytes."""
    digests = TradeDigests()
    cursor = connection.execute(f"SELECT {', '.join(COLUMNS)} FROM trades ORDER BY trade_id")
    while rows := cursor.fetchmany(_AT_ONCE):
        packed = struct.pack(f"<{len(rows) * len(COLUMNS)}q", *chain.from_iterable(rows))
        digests.add(np.frombuffer(packed, "<i8").reshape(-1, len(COLUMNS)))
    return digests.days
