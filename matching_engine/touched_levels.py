"""The price levels that a command has touched, each once, in the order of first touch.

A touch is most often the same as the last one. Otherwise an open-addressing table finds it, whose places are stamped
with the number of the command: those of earlier commands count as free, so nothing is cleared between commands.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import cython

from matching_engine.pools import rows

if not cython.compiled:  # when compiled, these stand in the .pxd
    from matching_engine.pools import WORD, lowest_bit

    GOLDEN = 0x9E37_79B9_7F4A_7C15


@dataclass(slots=True)
class Touched:
    """A level. `side_number` is 2 * instrument + side."""

    LAYOUT: ClassVar[str] = "i8 i8"

    price_ticks: int = 0
    side_number: int = 0


@dataclass(slots=True)
class Place:
    """A place of the table; free unless `stamp` is the present command's."""

    LAYOUT: ClassVar[str] = "u8 i8"

    stamp: int = 0
    entry: int = 0


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
        while size < levels:
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
        last = self.count - 1
        if last >= 0 and self.rows[last].price_ticks == price_ticks and self.rows[last].side_number == side_number:
            return
        mask = len(self._table) - 1
        i = (((price_ticks << 12 ^ side_number) * GOLDEN) & WORD) >> self._shift
        while self._table[i].stamp == self._stamp:
            entry = self._table[i].entry
            if self.rows[entry].price_ticks == price_ticks and self.rows[entry].side_number == side_number:
                return
            i = (i + 1) & mask
        self._table[i].stamp = self._stamp
        self._table[i].entry = self.count
        self.rows[self.count].price_ticks = price_ticks
        self.rows[self.count].side_number = side_number
        self.count += 1
