"""The trades of the trading day, which an operator may still bust."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import cython

from matching_engine.pools import grown, rows

if not cython.compiled:  # when compiled, these stand in the .pxd
    from matching_engine.pools import NIL

    def trade_at(row: DayTrade) -> DayTrade:
        """A row to be read and written: in C its address, here itself."""
        return row


MOST_TRADES = 2**23
"""Address space is reserved for so many rows: up to there they grow without being copied."""


@dataclass(slots=True)
class DayTrade:
    """A trade; its fields mean what they mean in the TRADE event. `trade_id` is seq << 20 | number."""

    LAYOUT: ClassVar[str] = "u8 i8 i8 i8 i8 i8 u4 u4 u2 u1 u1 u4"

    trade_id: int = 0
    price_ticks: int = 0
    quantity_lots: int = 0
    amount_fen: int = 0
    fee_fen: int = 0
    maker_fee_fen: int = 0
    account: int = 0
    maker_account: int = 0
    instrument: int = 0
    side: int = 0
    busted: int = 0
    unused: int = 0


class DayTrades:
    """The day's trades in rows 1 to `count`, in order of their ids."""

    def __init__(self) -> None:
        self.count = 0
        self.rows = rows(DayTrade, 64, MOST_TRADES)

    def reserve(self, trades: int) -> int:
        """Makes room for `trades` more; returns the rows there are. Raises MemoryError, nothing changed."""
        size = len(self.rows)
        while size <= self.count + trades:
            size *= 2
        if size > len(self.rows):
            self.rows = grown(self.rows, self.count + 1, size)
        return size

    def add(self, trade_id: int) -> int:
        """Adds a trade, whose id is higher than the others', and returns its row; the caller fills in the other fields."""
        self.count += 1
        self.rows[self.count].trade_id = trade_id
        self.rows[self.count].busted = 0
        return self.count

    def find(self, trade_id: int) -> int:
        """The row of a trade of this day, or NIL."""
        low = 1
        high = self.count
        while low < high:
            middle = (low + high) // 2
            if self.rows[middle].trade_id < trade_id:
                low = middle + 1
            else:
                high = middle
        return low if low <= self.count and self.rows[low].trade_id == trade_id else NIL

    def clear(self) -> None:
        """Begins another trading day."""
        self.count = 0
