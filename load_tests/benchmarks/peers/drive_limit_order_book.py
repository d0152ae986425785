"""limit-order-book 3 (Cython over C++): integer prices, ids of the caller's.

It has no immediate-or-cancel order, so one is a limit order and a cancel; it tells nobody of trades, so the traded quantity
comes from the book's volume around each order in a second run.
"""

from collections.abc import Callable
from importlib import import_module
from typing import Any

Message = tuple[int, int, int, int, int]


def prepare(messages: list[Message]) -> tuple[Callable[[], None], Callable[[], int]]:
    """See run.py."""
    new_book: Any = import_module("limit_order_book").LimitOrderBook

    def calls(book: Any) -> list[tuple[Any, ...]]:
        prepared: list[tuple[Any, ...]] = []
        for what, number, side, price, lots in messages:
            if what != 2:
                prepared.append((book.limit_sell if side else book.limit_buy, (number, lots, price)))
            if what:
                prepared.append((book.cancel, (number,)))
        return prepared

    timed = calls(new_book())

    def run() -> None:
        for call, arguments in timed:
            call(*arguments)

    def traded() -> int:
        book = new_book()
        twice = 0
        for call, arguments in calls(book):
            before = book.volume()
            call(*arguments)
            if call != book.cancel:
                twice += before + arguments[1] - book.volume()
        return twice // 2

    return run, traded
