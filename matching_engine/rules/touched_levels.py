"""The price levels that a command has touched, each once, in the order of first touch.

Most commands touch a few, which are looked through. Of more an open-addressing table is kept, whose places are stamped with
the number of the command: those of earlier commands count as free, so nothing is cleared between commands.
"""

from __future__ import annotations

from dataclasses import dataclass

import cython

from matching_engine.pools import rows
from matching_engine.records import I64, U64

if not cython.compiled:  # when compiled, these stand in the .pxd
    from matching_engine.pools import WORD, lowest_bit

    GOLDEN = 0x9E37_79B9_7F4A_7C15
    FEW = 4  # so many are looked through

    def touched_at(row: Touched) -> Touched:
        """A row to be read and written: in C its address, here itself."""
        return row


@dataclass(slots=True)
class Touched:
    """A level. `side_number` is 2 * instrument + side."""

    price_ticks: I64 = 0
    side_number: I64 = 0


@dataclass(slots=True)
class Place:
    """A place of the table; free unless `stamp` is the present command's."""

    stamp: U64 = 0
    entry: I64 = 0


class TouchedLevels:
    """The touched levels of the present command, in rows 0 to `count` - 1."""

    def __init__(self) -> None:
        self.count = 0
        self.rows = rows(Touched, 64)
        self._table = rows(Place, 128)
        self._shift = 64 - 7
        self._stamp = 1

    def reserve(self, levels: int) -> int:
        """Makes room for so many levels, between commands; returns the rows there are. Raises MemoryError."""
        size = len(self.rows)
        while size <= levels:  # One more is written before it is known to be new.
            size *= 2
        if size > len(self.rows):
            table = rows(Place, 2 * size)
            self.rows = rows(Touched, size)
            self._table = table
            self._shift = 64 - lowest_bit(2 * size)
            self.clear()
        return size

    def clear(self) -> None:
        """Begins another command."""
        self.count = 0
        self._stamp += 1

    def touch(self, side_number: int, price_ticks: int) -> None:
        """Notes a level unless it is noted already."""
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
        """Whether the level in row `count` isn't in the table; from now on it is."""
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
