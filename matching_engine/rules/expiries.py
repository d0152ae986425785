"""When GTD orders expire: a heap of (instant, order id), the earliest first.

An order that ends otherwise leaves its entry behind: such entries are skipped when they come to the top, and dropped
together before the heap would grow.
"""

from __future__ import annotations

from dataclasses import dataclass

import cython

from matching_engine.book.order_book import Book
from matching_engine.pools import MOST_ORDERS, grown, rows
from matching_engine.records import U32, U64

if not cython.compiled:  # when compiled, these stand in the .pxd
    from matching_engine.pools import NIL


@dataclass(slots=True)
class Expiry:
    """An entry of the heap: the order `order_id` expires at `time_s`, in seconds since 1970 UTC."""

    order_id: U64 = 0
    time_s: U32 = 0
    unused: U32 = 0


class Expiries:
    """The heap in rows 1 to `count`; the children of row i are the rows 2 i and 2 i + 1."""

    def __init__(self, book: Book) -> None:
        self.book = book
        self.count = 0
        self.rows = rows(Expiry, 64, 2 * MOST_ORDERS)

    def reserve(self, commands: int) -> int:
        """Makes room for one entry a command; returns the number of rows. Where it raises MemoryError, no entry is lost."""
        if self.count + commands >= len(self.rows):
            self._drop_ended()
            size = len(self.rows)
            while size < 2 * (self.count + commands + 1):
                size *= 2
            if size > len(self.rows):
                self.rows = grown(self.rows, self.count + 1, size)
        return len(self.rows)

    def add(self, order_id: int, time_s: int) -> None:
        """Adds an order that expires at `time_s`."""
        i = self.count + 1
        self.count = i
        while i > 1 and self._before(order_id, time_s, i // 2):
            self._copy(i // 2, i)
            i //= 2
        self.rows[i].order_id = order_id
        self.rows[i].time_s = time_s

    def first(self) -> int:
        """The slot of the open order that expires first, or NIL. Drops the entries before it, whose orders have ended."""
        while self.count > 0:
            slot = self.book.find(self.rows[1].order_id)
            if slot != NIL:
                return slot
            self.drop_first()
        return NIL

    def drop_first(self) -> None:
        """Removes the first entry."""
        last = self.count
        self.count = last - 1
        i = 1
        while 2 * i < last:
            child = 2 * i
            if child + 1 < last and self._before(self.rows[child + 1].order_id, self.rows[child + 1].time_s, child):
                child += 1
            if not self._before(self.rows[child].order_id, self.rows[child].time_s, last):
                break
            self._copy(child, i)
            i = child
        self._copy(last, i)

    def _before(self, order_id: int, time_s: int, row: int) -> bool:
        """Whether an order expires before the order of a row; of the same second, the lower id does."""
        if time_s != self.rows[row].time_s:
            return time_s < self.rows[row].time_s
        return order_id < self.rows[row].order_id

    def _copy(self, row: int, to: int) -> None:
        self.rows[to].order_id = self.rows[row].order_id
        self.rows[to].time_s = self.rows[row].time_s

    def _drop_ended(self) -> None:
        """Removes the entries of ended orders: the others form a new heap in the rows that have been read already."""
        before = self.count
        self.count = 0
        for row in range(1, before + 1):
            order_id = self.rows[row].order_id
            if self.book.find(order_id) != NIL:
                self.add(order_id, self.rows[row].time_s)
