"""The turnover of the ended trading days by calendar year, in 128 bits."""

from __future__ import annotations

from dataclasses import dataclass

import cython

from matching_engine.pools import grown, rows
from matching_engine.records import U32, U64

if not cython.compiled:  # when compiled, these stand in the .pxd
    from matching_engine.pools import WORD


@dataclass(slots=True)
class Year:
    """A year's turnover in fen, as two 64-bit words."""

    turnover_low: U64 = 0
    turnover_high: U64 = 0
    year: U32 = 0
    unused: U32 = 0


class Turnover:
    """The years with turnover, in rows 1 to `count`, ascending."""

    def __init__(self) -> None:
        self.count = 0
        self.rows = rows(Year, 8)

    def of(self, year: int) -> int:
        """A year's turnover in fen."""
        for i in range(1, self.count + 1):
            if self.rows[i].year == year:
                return (int(self.rows[i].turnover_high) << 64) + int(self.rows[i].turnover_low)
        return 0

    def reserve(self, years: int) -> int:
        """Makes room for `years` more; returns the rows there are. Raises MemoryError, nothing changed."""
        size = len(self.rows)
        while size <= self.count + years:
            size *= 2
        if size > len(self.rows):
            self.rows = grown(self.rows, self.count + 1, size)
        return size

    def add(self, year: int, amount_fen: int) -> None:
        """Adds an amount to a year, which is never before the last one."""
        if amount_fen == 0:
            return
        if self.count == 0 or self.rows[self.count].year != year:
            self.count += 1
            self.rows[self.count].year = year
        low = (self.rows[self.count].turnover_low + amount_fen) & WORD
        if low < self.rows[self.count].turnover_low:
            self.rows[self.count].turnover_high += 1
        self.rows[self.count].turnover_low = low
