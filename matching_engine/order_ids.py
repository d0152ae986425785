"""Which slot holds the order of an id: an open-addressing table sized to the *live* orders.

Linear probing, at most half full. An entry is eight bytes: a slot, and the upper half of the id's hash. Its upper bits say
where the entry belongs, the others tell it from its neighbours: a look-up reads an order itself (which has the whole id)
hardly ever but where it is the one sought. An erased entry leaves no tombstone: the entries behind it move up, so a table
that has seen a billion ids is as fast as a new one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import cython

from matching_engine.orders import Order
from matching_engine.pools import rows

if not cython.compiled:  # when compiled, these stand in the .pxd
    from matching_engine.pools import NIL, WORD, lowest_bit, prefetch

    def mark_of(order_id: int) -> int:
        """32 bits, the upper ones of which say where an id stands: neither strides nor close ids crowd a part of the table."""
        return (((order_id ^ (order_id >> 32)) * 0x9E37_79B9_7F4A_7C15) & WORD) >> 32

    def entry_at(row: Entry) -> Entry:
        """A row to be read: in C its address, here itself."""
        return row


@dataclass(slots=True)
class Entry:
    """One place of the table; free while `slot` is NIL."""

    LAYOUT: ClassVar[str] = "i4 u4"

    slot: int = 0
    mark: int = 0


class OrderIds:
    """The index of live orders by id. `orders` is the pool they stand in."""

    def __init__(self, orders: list[Order]) -> None:
        self.count = 0
        self.orders = orders
        self._table = rows(Entry, 64)
        self._shift = 32 - 6
        self._sought = 0
        self._place = -1  # of the id sought last, while it still is its place

    def find(self, order_id: int) -> int:
        """The slot of an order, or NIL."""
        self._sought = order_id
        self._place = self._locate(order_id)
        return self._table[self._place].slot

    def expect(self, order_id: int) -> None:
        """Asks for the memory of the entry of an id that comes soon."""
        prefetch(entry_at(self._table[mark_of(order_id) >> self._shift]))

    def insert(self, order_id: int, slot: int) -> None:
        """Adds an id that is not in the table, of the order in a slot; `reserve` must have made room for it."""
        i = self._place_of(order_id)
        self._table[i].slot = slot
        self._table[i].mark = mark_of(order_id)
        self.count += 1

    def erase(self, order_id: int) -> int:
        """Removes an id and returns its slot, or NIL when the table doesn't hold it."""
        mask = len(self._table) - 1
        hole = self._place_of(order_id)
        slot = self._table[hole].slot
        if slot == NIL:
            return NIL
        i = (hole + 1) & mask
        while self._table[i].slot != NIL:
            # An entry may move up as long as it doesn't pass its home.
            home = self._table[i].mark >> self._shift
            if ((i - home) & mask) >= ((i - hole) & mask):
                self._table[hole].slot = self._table[i].slot
                self._table[hole].mark = self._table[i].mark
                hole = i
            i = (i + 1) & mask
        self._table[hole].slot = NIL
        self.count -= 1
        return slot

    def reserve(self, count: int) -> int:
        """Makes room for `count` live orders in all; returns the table's size. Raises MemoryError, nothing changed."""
        size = len(self._table)
        while size < 2 * count:
            size *= 2
        if size > len(self._table):
            old = self._table
            self._place = -1
            self._table = rows(Entry, size)
            self._shift = 32 - lowest_bit(size)
            for i in range(len(old)):
                if old[i].slot != NIL:
                    place = old[i].mark >> self._shift
                    while self._table[place].slot != NIL:
                        place = (place + 1) & (size - 1)
                    self._table[place].slot = old[i].slot
                    self._table[place].mark = old[i].mark
        return size

    def _place_of(self, order_id: int) -> int:
        """Where the id stands or would stand, just before the table changes."""
        known = self._place if self._sought == order_id else -1
        self._place = -1
        return known if known >= 0 else self._locate(order_id)

    def _locate(self, order_id: int) -> int:
        """Where the id stands, or else the free place where it would."""
        mask = len(self._table) - 1
        mark = mark_of(order_id)
        i = mark >> self._shift
        while self._table[i].slot != NIL:
            if self._table[i].mark == mark and self.orders[self._table[i].slot].order_id == order_id:
                return i
            i = (i + 1) & mask
        return i
