"""A walk through the open orders of one side of an instrument, in the order of rulebook 3.8."""

from __future__ import annotations

import cython

from matching_engine.book.order_book import Book

if not cython.compiled:  # when compiled, this stands in the .pxd
    from matching_engine.pools import NIL


class OrderWalk:
    """Orders in the book come first, best price first; then waiting stops, the first to be triggered first. At one price the
    oldest comes first. Between two calls of `next` only the order that it returned may be ended."""

    def __init__(self, book: Book) -> None:
        self.book = book
        self._level = 0
        self._slot = 0
        self._waiting_side = 0  # the side number of the waiting stops, -1 once the walk has reached them

    def begin(self, instrument: int, side: int) -> None:
        """Begins a walk: the first order is the result of the following `next`."""
        self._waiting_side = 2 * (self.book.instruments + instrument) + 1 - side
        self._enter_level(self.book.levels.best(2 * instrument + side))

    def next(self) -> int:
        """The slot of the next order, or NIL after the last."""
        if self._slot == NIL and self._waiting_side >= 0:
            self._enter_level(self.book.levels.best(self._waiting_side))
            self._waiting_side = -1
        slot = self._slot
        if slot != NIL:
            self._slot = self.book.orders[slot].next
            if self._slot == NIL:
                self._enter_level(self._level)
        return slot

    def _enter_level(self, level: int) -> None:
        """Goes to the first order of a level and keeps the level after it, since this one may close during the walk."""
        self._slot = NIL
        self._level = NIL
        if level != NIL:
            self._slot = self.book.levels.rows[level].head
            self._level = self.book.levels.next(level)
