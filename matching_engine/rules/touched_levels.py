"""The price levels that a command has touched, each once, in the order of first touch.

Most commands touch a few levels, which are searched one by one. Where there are more, an open-addressing table finds them. Its
cells bear the number of the command as a stamp: cells with another stamp are free, so the table is never cleared.
"""

from __future__ import annotations

from dataclasses import dataclass

import cython

from matching_engine.pools import rows
from matching_engine.records import I64, U64

if not cython.compiled:  # when compiled, these stand in the .pxd
    from matching_engine.pools import WORD, lowest_bit

    GOLDEN = 0x9E37_79B9_7F4A_7C15
    FEW = 4  # the levels that are searched one by one

    def touched_at(row: Touched) -> Touched:
        """A row of a pool for reading and writing: its address in C, the row itself here."""
        return row


@dataclass(slots=True)
class Touched:
    """A touched level. `side_number` is 2 * instrument + side."""

    price_ticks: I64 = 0
    side_number: I64 = 0


@dataclass(slots=True)
class TableCell:
    """A cell of the table: `entry` is a row of a touched level. Free unless `stamp` is the one of the current command."""

    stamp: U64 = 0
    entry: I64 = 0


class TouchedLevels:
    """The touched levels of the current command, in rows 0 to `count` - 1."""

    def __init__(self) -> None:
        self.count = 0
        self.rows = rows(Touched, 64)
        self._table = rows(TableCell, 128)
        self._shift = 64 - 7
        self._stamp = 1

    def reserve(self, levels: int) -> int:
        """Makes room for `levels` levels, between commands; returns the number of rows. Raises MemoryError."""
        size = len(self.rows)
        while size <= levels:  # A level is written to the next row before the search shows that it is new.
            size *= 2
        if size > len(self.rows):
            table = rows(TableCell, 2 * size)
            self.rows = rows(Touched, size)
            self._table = table
            self._shift = 64 - lowest_bit(2 * size)
            self.clear()
        return size

    def clear(self) -> None:
        """Drops the levels: another command begins."""
        self.count = 0
        self._stamp += 1

    def touch(self, side_number: int, price_ticks: int) -> None:
        """Adds a level, unless it has been added before."""
        count = self.count
        for n in range(min(count, FEW)):
            row = touched_at(self.rows[n])
            if row.price_ticks == price_ticks and row.side_number == side_number:
                return
        row = touched_at(self.rows[count])
        row.price_ticks = price_ticks
        row.side_number = side_number
        if count < FEW or self._is_new(count):
            self.count = count + 1

    def _is_new(self, count: int) -> bool:
        """Whether the level in row `count` is missing from the table; adds it."""
        level = touched_at(self.rows[count])
        mask = len(self._table) - 1
        i = (((level.price_ticks << 12 ^ level.side_number) * GOLDEN) & WORD) >> self._shift
        while self._table[i].stamp == self._stamp:
            row = touched_at(self.rows[self._table[i].entry])
            if row.price_ticks == level.price_ticks and row.side_number == level.side_number:
                return False
            i = (i + 1) & mask
        self._table[i].stamp = self._stamp
        self._table[i].entry = count
        return True
