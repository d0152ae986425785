"""The trades of the trading day, which an operator may still bust."""

from __future__ import annotations

from dataclasses import dataclass

import cython

from matching_engine.pools import grown, rows
from matching_engine.records import I64, U8, U16, U32, U64

if not cython.compiled:  # when compiled, these stand in the .pxd
    from matching_engine.pools import NIL

    def trade_at(row: DayTrade) -> DayTrade:
        """A row of a pool for reading and writing: its address in C, the row itself here."""
        return row


MOST_TRADES = 2**23
"""Address space is reserved for so many rows: up to there they grow without being copied."""


@dataclass(slots=True)
class DayTrade:
    """A trade; its fields mean what they mean in the TRADE event. `trade_id` is seq << 20 | number."""

    trade_id: U64 = 0
    price_ticks: I64 = 0
    quantity_lots: I64 = 0
    amount_fen: I64 = 0
    fee_fen: I64 = 0
    maker_fee_fen: I64 = 0
    account: U32 = 0
    maker_account: U32 = 0
    instrument: U16 = 0
    side: U8 = 0
    busted: U8 = 0
    unused: U32 = 0


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
