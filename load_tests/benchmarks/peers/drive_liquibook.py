"""liquibook (a SWIG wrapper of the C++ library): an order is an object, known to the book by itself.

Timed without a listener, which is its fastest way, and tells nobody of a trade; traded quantity comes from a second run.
"""

from collections.abc import Callable
from importlib import import_module
from typing import Any

Message = tuple[int, int, int, int, int]


def prepare(messages: list[Message]) -> tuple[Callable[[], None], Callable[[], int]]:
    """See run.py."""
    liquibook: Any = import_module("liquibook")

    conditions = (liquibook.oc_no_conditions, liquibook.oc_immediate_or_cancel)

    def calls(book: Any) -> list[tuple[Any, ...]]:
        orders: dict[int, Any] = {}
        prepared: list[tuple[Any, ...]] = []
        for what, number, side, price, lots in messages:
            if what == 2:
                prepared.append((book.cancel, (orders[number],)))
                continue
            orders[number] = liquibook.SimpleOrder(side == 0, price, lots)
            prepared.append((book.add, (orders[number], conditions[what])))
        return prepared

    class Listener(liquibook.OrderListener):  # type: ignore[misc]
        traded = 0

        def on_fill(self, order: Any, matched_order: Any, fill_qty: int, fill_cost: int) -> None:
            self.traded += fill_qty

        def ignore(self, *details: object) -> None:
            """The wrapper demands every method."""

        on_accept = on_reject = on_cancel = on_cancel_reject = on_replace = on_replace_reject = on_trigger_stop = ignore

    timed = calls(liquibook.DepthOrderBook())

    def run() -> None:
        for call, arguments in timed:
            call(*arguments)

    def traded() -> int:
        listener, book = Listener(), liquibook.DepthOrderBook()
        book.set_order_listener(listener)
        for call, arguments in calls(book):
            call(*arguments)
        return listener.traded

    return run, traded
