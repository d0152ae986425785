"""bourse (Rust): the book numbers its orders itself, from 0; it keeps a list of all trades.

It has no immediate-or-cancel limit order, so the adapter sends a limit order and a cancel. The adapter advances bourse's clock
with each message, because bourse merges orders of one price and one instant.
"""

from collections.abc import Callable
from importlib import import_module
from typing import Any

Message = tuple[int, int, int, int, int]


def prepare(messages: list[Message]) -> tuple[Callable[[], None], Callable[[], int]]:
    """See run.py."""
    book: Any = import_module("bourse.core").OrderBook(0, 1, True)
    own: dict[int, int] = {}
    calls: list[tuple[Any, ...]] = []
    for now, (action, number, side, price, lots) in enumerate(messages):
        calls.append((book.set_time, (now,)))
        if action != 2:
            own[number] = len(own)
            calls.append((book.place_order, (side == 0, lots, 0, price)))
        if action:
            calls.append((book.cancel_order, (own[number],)))

    def run() -> None:
        for call, arguments in calls:
            call(*arguments)

    return run, lambda: sum(trade[3] for trade in book.get_trades())
