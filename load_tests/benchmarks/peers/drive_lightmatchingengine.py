"""lightmatchingengine (Python): it numbers its orders itself, from 1.

It has no immediate-or-cancel limit order, so one is an order and, if any of it is left, a cancel.
"""

from collections.abc import Callable
from importlib import import_module
from typing import Any

Message = tuple[int, int, int, int, int]


def prepare(messages: list[Message]) -> tuple[Callable[[], None], Callable[[], int]]:
    """See run.py."""
    engine: Any = import_module("lightmatchingengine.lightmatchingengine").LightMatchingEngine()
    own: dict[int, int] = {}
    steps = []
    for what, number, side, price, lots in messages:
        if what != 2:
            own[number] = len(own) + 1
        steps.append((what, own[number], price, lots, 1 + side))
    outcome: list[list[Any]] = []

    def run() -> None:
        add, cancel = engine.add_order, engine.cancel_order
        for what, number, price, lots, side in steps:
            if what == 2:
                cancel(number, 1)
                continue
            order, trades = add(1, price, lots, side)
            outcome.append(trades)
            if what == 1 and order.leaves_qty:
                cancel(number, 1)

    # Each trade stands in the list twice, once for either side.
    return run, lambda: sum(trade.trade_qty for trades in outcome for trade in trades) // 2
