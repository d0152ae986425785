"""limit-order-book 3 (Cython over C++): integer prices; the caller chooses the ids.

It has no immediate-or-cancel order, so the adapter sends a limit order and a cancel. It reports no trades, so the traded
quantity is computed in a second run from the book's volume before and after each order.
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
        for action, number, side, price, lots in messages:
            if action != 2:
                prepared.append((book.limit_sell if side else book.limit_buy, (number, lots, price)))
            if action:
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
