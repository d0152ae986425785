"""The index of the live orders by id: an open-addressing table with linear probing, sized to the *live* orders.

An entry is four bytes: the slot of an order, whose row has the id. The table is at most a quarter full, so most look-ups of an
unknown id end at an empty entry, and most of a known id at the first order read. An erased entry leaves no tombstone: the
entries behind it move up, so a table that has held a billion ids is as fast as a new one.
"""

from __future__ import annotations

import cython

from matching_engine.book.orders import Order
from matching_engine.pools import words

if not cython.compiled:  # when compiled, these stand in the .pxd
    from matching_engine.book.orders import order_at
    from matching_engine.pools import NIL, WORD, lowest_bit, prefetch

    AHEAD = 64  # entries from the prefetch of an order to its use, when a larger table is filled

    def hash_of(order_id: int) -> int:
        """A 64-bit hash whose upper bits are the index in the table: neither strides nor close ids crowd a part of it."""
        return ((order_id ^ (order_id >> 32)) * 0x9E37_79B9_7F4A_7C15) & WORD

    def entry_at(row: int) -> int:
        """An entry of the table for `prefetch`: its address in C, the entry itself here."""
        return row


class OrderIds:
    """The index of the live orders by id. `orders` is the pool of their rows."""

    def __init__(self, orders: list[Order]) -> None:
        self.count = 0
        self.orders = orders
        self._table = words(256, "i4")
        self._shift = 64 - 8
        self._sought = 0
        self._entry = -1  # the index of the entry of `_sought`, the id sought last; -1 once the table has changed

    def find(self, order_id: int) -> int:
        """The slot of an order, or NIL."""
        mask = len(self._table) - 1
        i = hash_of(order_id) >> self._shift
        while self._table[i] != NIL and self.orders[self._table[i]].order_id != order_id:
            i = (i + 1) & mask
        self._sought = order_id
        self._entry = i
        return self._table[i]

    def expect(self, order_id: int) -> None:
        """Prefetches the entry of an id that will be sought soon."""
        prefetch(entry_at(self._table[hash_of(order_id) >> self._shift]))

    def insert(self, order_id: int, slot: int) -> None:
        """Adds the id of the order in a slot. The id must not be in the table, and `reserve` must have made room for it."""
        self._table[self._entry_of(order_id)] = slot
        self.count += 1

    def erase(self, order_id: int) -> int:
        """Removes an id and returns its slot, or NIL if the id is not in the table."""
        mask = len(self._table) - 1
        hole = self._entry_of(order_id)
        slot = self._table[hole]
        if slot == NIL:
            return NIL
        i = (hole + 1) & mask
        while self._table[i] != NIL:
            # An entry may move up to its home, the index of its hash, but not beyond.
            home = hash_of(self.orders[self._table[i]].order_id) >> self._shift
            if ((i - home) & mask) >= ((i - hole) & mask):
                self._table[hole] = self._table[i]
                hole = i
            i = (i + 1) & mask
        self._table[hole] = NIL
        self.count -= 1
        return slot

    def reserve(self, count: int) -> int:
        """Makes room for `count` live orders in all and returns the number of entries. Raises MemoryError, nothing changed."""
        size = len(self._table)
        while size < 4 * count:
            size *= 2
        if size > len(self._table):
            old = self._table
            self._entry = -1
            self._table = words(size, "i4")
            self._shift = 64 - lowest_bit(size)
            for i in range(len(old)):
                if i + AHEAD < len(old):
                    prefetch(order_at(self.orders[old[i + AHEAD]]))
                if old[i] != NIL:
                    self._table[self._entry_of(self.orders[old[i]].order_id)] = old[i]
        return size

    def _entry_of(self, order_id: int) -> int:
        """The index of an id's entry, or of the free entry where it would be put; the caller then changes the table."""
        if self._entry < 0 or self._sought != order_id:
            self.find(order_id)
        entry = self._entry
        self._entry = -1
        return entry
