"""When GTD orders expire: a heap of (instant, order id), the earliest first.

An order that ends otherwise leaves its entry behind: such entries are skipped when they come to the top, and dropped
together before the heap would grow.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import cython

from matching_engine.book.order_book import Book
from matching_engine.pools import MOST_ORDERS, grown, rows

if not cython.compiled:  # when compiled, these stand in the .pxd
    from matching_engine.pools import NIL


@dataclass(slots=True)
class Expiry:
    """An entry: the order of this id expires at this second since 1970 UTC."""

    LAYOUT: ClassVar[str] = "u8 u4 u4"

    order_id: int = 0
    time_s: int = 0
    unused: int = 0


class Expiries:
    """The heap, in rows 1 to `count`; the children of row i are 2 i and 2 i + 1."""

    def __init__(self, book: Book) -> None:
        self.book = book
        self.count = 0
        self.rows = rows(Expiry, 64, 2 * MOST_ORDERS)

    def reserve(self, commands: int) -> int:
        """Makes room for an entry of each command; returns the rows there are. Raises MemoryError, nothing lost."""
        if self.count + commands >= len(self.rows):
            self._drop_ended()
            size = len(self.rows)
            while size < 2 * (self.count + commands + 1):
                size *= 2
            if size > len(self.rows):
                self.rows = grown(self.rows, self.count + 1, size)
        return len(self.rows)

    def add(self, order_id: int, time_s: int) -> None:
        """An order that expires at an instant."""
        i = self.count + 1
        self.count = i
        while i > 1 and self._before(order_id, time_s, i // 2):
            self._copy(i // 2, i)
            i //= 2
        self.rows[i].order_id = order_id
        self.rows[i].time_s = time_s

    def first(self) -> int:
        """The slot of the order that expires first, or NIL; those that have ended are dropped on the way."""
        while self.count > 0:
            slot = self.book.find(self.rows[1].order_id)
            if slot != NIL:
                return slot
            self.drop_first()
        return NIL

    def drop_first(self) -> None:
        """Takes the first entry away."""
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
        """Whether an order expires before the one of a row."""
        if time_s != self.rows[row].time_s:
            return time_s < self.rows[row].time_s
        return order_id < self.rows[row].order_id

    def _copy(self, row: int, to: int) -> None:
        self.rows[to].order_id = self.rows[row].order_id
        self.rows[to].time_s = self.rows[row].time_s

    def _drop_ended(self) -> None:
        """Keeps the entries of open orders only: those kept enter a heap that grows behind the one that is read."""
        before = self.count
        self.count = 0
        for row in range(1, before + 1):
            order_id = self.rows[row].order_id
            if self.book.find(order_id) != NIL:
                self.add(order_id, self.rows[row].time_s)
