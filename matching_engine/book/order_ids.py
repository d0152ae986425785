"""Which slot holds the order of an id: an open-addressing table sized to the *live* orders.

Linear probing, at most a quarter full. An entry is four bytes: the slot of an order, which has its id. Wherever the table is
looked at it tells an id that isn't there mostly by an empty entry, and one that is by the first order read. An erased entry
leaves no tombstone: the entries behind it move up, so a table that has seen a billion ids is as fast as a new one.
"""

from __future__ import annotations

import cython

from matching_engine.book.orders import Order
from matching_engine.pools import words

if not cython.compiled:  # when compiled, these stand in the .pxd
    from matching_engine.book.orders import order_at
    from matching_engine.pools import NIL, WORD, lowest_bit, prefetch

    AHEAD = 64  # entries from asking for an order to reading it, when a table is filled anew

    def hash_of(order_id: int) -> int:
        """64 bits, the upper ones of which say where an id stands: neither strides nor close ids crowd a part of the table."""
        return ((order_id ^ (order_id >> 32)) * 0x9E37_79B9_7F4A_7C15) & WORD

    def entry_at(row: int) -> int:
        """An entry to be read: in C its address, here itself."""
        return row


class OrderIds:
    """The index of live orders by id. `orders` is the pool they stand in."""

    def __init__(self, orders: list[Order]) -> None:
        self.count = 0
        self.orders = orders
        self._table = words(256, "i4")
        self._shift = 64 - 8
        self._sought = 0
        self._place = -1  # of the id sought last, while it still is its place

    def find(self, order_id: int) -> int:
        """The slot of an order, or NIL."""
        mask = len(self._table) - 1
        i = hash_of(order_id) >> self._shift
        while self._table[i] != NIL and self.orders[self._table[i]].order_id != order_id:
            i = (i + 1) & mask
        self._sought = order_id
        self._place = i
        return self._table[i]

    def expect(self, order_id: int) -> None:
        """Asks for the memory of the entry of an id that comes soon."""
        prefetch(entry_at(self._table[hash_of(order_id) >> self._shift]))

    def insert(self, order_id: int, slot: int) -> None:
        """Adds an id that is not in the table, of the order in a slot; `reserve` must have made room for it."""
        self._table[self._place_of(order_id)] = slot
        self.count += 1

    def erase(self, order_id: int) -> int:
        """Removes an id and returns its slot, or NIL when the table doesn't hold it."""
        mask = len(self._table) - 1
        hole = self._place_of(order_id)
        slot = self._table[hole]
        if slot == NIL:
            return NIL
        i = (hole + 1) & mask
        while self._table[i] != NIL:
            # An entry may move up as long as it doesn't pass its home.
            home = hash_of(self.orders[self._table[i]].order_id) >> self._shift
            if ((i - home) & mask) >= ((i - hole) & mask):
                self._table[hole] = self._table[i]
                hole = i
            i = (i + 1) & mask
        self._table[hole] = NIL
        self.count -= 1
        return slot

    def reserve(self, count: int) -> int:
        """Makes room for `count` live orders in all; returns the entries there are. Raises MemoryError, nothing changed."""
        size = len(self._table)
        while size < 4 * count:
            size *= 2
        if size > len(self._table):
            old = self._table
            self._place = -1
            self._table = words(size, "i4")
            self._shift = 64 - lowest_bit(size)
            for i in range(len(old)):
                if i + AHEAD < len(old):
                    prefetch(order_at(self.orders[old[i + AHEAD]]))
                if old[i] != NIL:
                    self._table[self._place_of(self.orders[old[i]].order_id)] = old[i]
        return size

    def _place_of(self, order_id: int) -> int:
        """Where the id stands, or else the free place where it would, just before the table changes."""
        if self._place < 0 or self._sought != order_id:
            self.find(order_id)
        place = self._place
        self._place = -1
        return place
