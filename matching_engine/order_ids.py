"""Which slot holds the order of an id: an open-addressing table sized to the *live* orders.

Linear probing, at most half full. An erased entry leaves no tombstone: the entries behind it move up, so a table that
has seen a billion ids is as fast as a new one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import cython

from matching_engine.pools import rows

if not cython.compiled:  # when compiled, these stand in the .pxd
    from matching_engine.pools import NIL, WORD, lowest_bit

    GOLDEN = 0x9E37_79B9_7F4A_7C15


@dataclass(slots=True)
class Entry:
    """One place of the table; free while `slot` is NIL."""

    LAYOUT: ClassVar[str] = "u8 i4 u4"

    order_id: int = 0
    slot: int = 0
    unused: int = 0


class OrderIds:
    """The index of live orders by id."""

    def __init__(self) -> None:
        self.count = 0
        self._table = rows(Entry, 64)
        self._shift = 64 - 6

    def find(self, order_id: int) -> int:
        """The slot of an order, or NIL."""
        return self._table[self._locate(order_id)].slot

    def expect(self, order_id: int) -> None:
        """The processor fetches what will be looked at for an id that comes soon."""
        if cython.compiled:
            prefetch(cython.address(self._table[self._home(order_id)]))  # type: ignore[name-defined] # noqa: F821

    def insert(self, order_id: int, slot: int) -> None:
        """Adds an id that is not in the table; `reserve` must have made room for it."""
        i = self._locate(order_id)
        self._table[i].order_id = order_id
        self._table[i].slot = slot
        self.count += 1

    def erase(self, order_id: int) -> int:
        """Removes an id and returns its slot, or NIL when the table doesn't hold it."""
        mask = len(self._table) - 1
        hole = self._locate(order_id)
        slot = self._table[hole].slot
        if slot == NIL:
            return NIL
        i = (hole + 1) & mask
        while self._table[i].slot != NIL:
            # An entry may move up as long as it doesn't pass its home.
            if ((i - self._home(self._table[i].order_id)) & mask) >= ((i - hole) & mask):
                self._table[hole].order_id = self._table[i].order_id
                self._table[hole].slot = self._table[i].slot
                hole = i
            i = (i + 1) & mask
        self._table[hole].slot = NIL
        self.count -= 1
        return slot

    def reserve(self, orders: int) -> int:
        """Makes room for `orders` live orders in all; returns the table's size. Raises MemoryError, nothing changed."""
        size = len(self._table)
        while size < 2 * orders:
            size *= 2
        if size > len(self._table):
            old = self._table
            self._table = rows(Entry, size)
            self._shift = 64 - lowest_bit(size)
            for i in range(len(old)):
                if old[i].slot != NIL:
                    self.insert(old[i].order_id, old[i].slot)
                    self.count -= 1
        return size

    def _home(self, order_id: int) -> int:
        return ((order_id * GOLDEN) & WORD) >> self._shift

    def _locate(self, order_id: int) -> int:
        """Where the id stands, or else the free place where it would."""
        mask = len(self._table) - 1
        i = self._home(order_id)
        while self._table[i].slot != NIL and self._table[i].order_id != order_id:
            i = (i + 1) & mask
        return i
