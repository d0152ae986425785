"""A model of the resting orders while a flow is made, matched as the engine will match them, so that cancels name live orders.

An order's number is that of the message that places it. A *key* is the price of a sell or the negated price of a buy, so the
best order of either side has the lowest key. An order with key k trades with the other side's keys up to −k. A *book* is 2 ×
instrument + side.
"""

from __future__ import annotations

from heapq import heappop, heappush

_SERIAL_BITS = 40
_SERIAL_MASK = (1 << _SERIAL_BITS) - 1


class RestingOrders:
    """Both sides of `instruments` instruments, for a flow of `messages` messages."""

    def __init__(self, messages: int, instruments: int = 1) -> None:
        # An item of a heap is key and serial in one integer: lower keys first, at one key the older order first. An order that
        # ends or enters again leaves a stale item behind, which is removed when it comes to the top.
        self._heaps: list[list[int]] = [[] for _ in range(2 * instruments)]
        self._number_of: list[int] = []
        self._serial_of = [-1] * messages
        self._index_of = [0] * messages
        self.resting: list[int] = []
        """The numbers of the resting orders, unsorted, to pick one by chance."""
        self.lots = [0] * messages
        """The open lots of each order."""
        self.account = [0] * messages
        self.book = [0] * messages
        """2 × instrument + side of each order."""

    def best(self, book: int) -> int:
        """The number of the best resting order of a side, or −1."""
        heap = self._heaps[book]
        while heap:
            serial = heap[0] & _SERIAL_MASK
            number = self._number_of[serial]
            if self._serial_of[number] == serial:
                return number
            heappop(heap)
        return -1

    def best_key(self, book: int) -> int | None:
        """The key of the best resting order of a side."""
        return None if self.best(book) < 0 else self._heaps[book][0] >> _SERIAL_BITS

    def enter(self, number: int, book: int, key: int, lots: int, account: int = 0, rests: bool = True) -> int:
        """Enters an order: it trades, and the remainder rests if `rests`. Returns the traded lots.

        The order ends where it would trade with an order of its own account (CANCEL_NEWEST); account 0 is exempt.
        """
        left = lots
        while left and (maker := self.best(book ^ 1)) >= 0 and self._heaps[book ^ 1][0] >> _SERIAL_BITS <= -key:
            if account and self.account[maker] == account:
                return lots - left
            traded = min(left, self.lots[maker])
            left -= traded
            self.lots[maker] -= traded
            if not self.lots[maker]:
                self.remove(maker)
        if left and rests:
            self._rest(number, book, key, left, account)
        return lots - left

    def _rest(self, number: int, book: int, key: int, lots: int, account: int) -> None:
        serial = len(self._number_of)
        heappush(self._heaps[book], (key << _SERIAL_BITS) | serial)
        self._number_of.append(number)
        self._serial_of[number] = serial
        self._index_of[number] = len(self.resting)
        self.resting.append(number)
        self.lots[number] = lots
        self.account[number] = account
        self.book[number] = book

    def remove(self, number: int) -> None:
        """Removes a resting order."""
        self._serial_of[number] = -1
        last = self.resting.pop()
        if last != number:
            index = self._index_of[number]
            self.resting[index] = last
            self._index_of[last] = index
