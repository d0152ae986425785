"""What orders reserved and gave back: a checksum of each account's rows, from the journal's events and from the read database.

The rows of an account are mixed one by one and added up, modulo 2**64, so neither side sorts them or keeps them in memory.
"""

from __future__ import annotations

import sqlite3
import struct
from collections import defaultdict
from collections.abc import Iterator
from itertools import chain
from typing import Any

import numpy as np

from matching_engine.records import EventKind, Side
from services.read_database import tables

COLUMNS = [column.name for column in tables.reserve_changes.columns]
_AT_ONCE = 4_096
_KINDS = np.zeros(256, bool)
_KINDS[[EventKind.REPLACED, EventKind.CANCELED, EventKind.EXPIRED, EventKind.PREVENTED]] = True
_ODD = np.array([2 * number + 0x9E3779B97F4A7C15 for number in range(1, len(COLUMNS) + 1)], np.uint64)
_MIX = np.uint64(0xBF58476D1CE4E5B9)
_MODULO = 2**64

Sums = dict[int, tuple[int, int]]
"""By account: number of rows, and their checksum."""


class ReserveSums:
    """Takes the journal's events in order (`add`)."""

    def __init__(self) -> None:
        self._sums: dict[int, list[int]] = defaultdict(lambda: [0, 0])

    @property
    def accounts(self) -> Sums:
        """The sums so far."""
        return {account: (rows, checksum) for account, (rows, checksum) in self._sums.items()}

    def add(self, events: Any, commands: Any, first_seq: int) -> None:
        """Takes whole commands; `commands` begins with that of first_seq."""
        some = events[_KINDS[events["kind"]]]
        is_buy = some["side"] == Side.BUY
        lots = some["quantity_lots"].astype(np.int64)
        lots[some["kind"] != EventKind.REPLACED] *= -1
        changes = np.stack([np.where(is_buy, some["reserve_fen"], 0), np.where(is_buy, 0, lots)], axis=1)
        some, changes = some[changes.any(axis=1)], changes[changes.any(axis=1)]
        names = ("account", "seq", "order_id", "kind")
        keys, first, place = np.unique(
            np.stack([some[name].astype(np.int64) for name in names], axis=1),
            axis=0,
            return_index=True,
            return_inverse=True,
        )
        sums = np.zeros((len(keys), 2), np.int64)
        np.add.at(sums, place.reshape(-1), changes)
        times = commands["time_ns"][some["seq"][first] - np.uint64(first_seq)]
        self.add_rows(np.column_stack([keys, times, some["instrument"][first].astype(np.int64), sums]))

    def add_rows(self, rows: Any) -> None:
        """Takes an int64 array with a row of COLUMNS for each row of the table."""
        mixed = (rows.astype(np.uint64) * _ODD).sum(axis=1, dtype=np.uint64)
        mixed = (mixed ^ (mixed >> np.uint64(29))) * _MIX
        mixed ^= mixed >> np.uint64(32)
        accounts, place, counts = np.unique(rows[:, 0], return_inverse=True, return_counts=True)
        sums = np.zeros(len(accounts), np.uint64)
        np.add.at(sums, place.reshape(-1), mixed)
        for account, count, more in zip(accounts.tolist(), counts.tolist(), sums.tolist(), strict=True):
            known = self._sums[account]
            known[0] += count
            known[1] = (known[1] + more) % _MODULO


def differing_reserves(connection: sqlite3.Connection, true: Sums) -> Iterator[str]:
    """The accounts whose rows differ, a sentence each. Raises sqlite3.Error."""
    found = ReserveSums()
    cursor = connection.execute(f"SELECT {', '.join(COLUMNS)} FROM reserve_changes")
    try:
        while rows := cursor.fetchmany(_AT_ONCE):
            packed = struct.pack(f"<{len(rows) * len(COLUMNS)}q", *chain.from_iterable(rows))
            found.add_rows(np.frombuffer(packed, "<i8").reshape(-1, len(COLUMNS)))
    except struct.error as error:
        yield f"a column of a reserve change in the read database is no whole number: {error}"
        return
    ours = found.accounts
    for account in sorted(ours.keys() | true.keys()):
        if ours.get(account) != true.get(account):
            yield f"what orders of account {account} reserved and gave back is other in the read database than in the journal"
