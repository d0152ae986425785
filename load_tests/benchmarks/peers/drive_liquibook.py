"""liquibook (a SWIG wrapper of the C++ library): an order is an object, without an id.

It is timed without a listener, which is fastest but reports no trades; the traded quantity comes from a second run with one.
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
        for action, number, side, price, lots in messages:
            if action == 2:
                prepared.append((book.cancel, (orders[number],)))
                continue
            orders[number] = liquibook.SimpleOrder(side == 0, price, lots)
            prepared.append((book.add, (orders[number], conditions[action])))
        return prepared

    class Listener(liquibook.OrderListener):  # type: ignore[misc]
        traded = 0

        def on_fill(self, _order: Any, _matched_order: Any, fill_qty: int, _fill_cost: int) -> None:
            self.traded += fill_qty

        def ignore(self, *details: object) -> None:
            """Does nothing: the wrapper demands every method."""

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
