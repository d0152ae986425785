"""lightmatchingengine (Python): it numbers its orders itself, from 1.

It has no immediate-or-cancel limit order, so the adapter sends an order and, if any of it is left, a cancel.
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
    for action, number, side, price, lots in messages:
        if action != 2:
            own[number] = len(own) + 1
        steps.append((action, own[number], price, lots, 1 + side))
    outcome: list[list[Any]] = []

    def run() -> None:
        add, cancel = engine.add_order, engine.cancel_order
        for action, number, price, lots, side in steps:
            if action == 2:
                cancel(number, 1)
                continue
            order, trades = add(1, price, lots, side)
            outcome.append(trades)
            if action == 1 and order.leaves_qty:
                cancel(number, 1)

    # Each trade is in the list twice, once for each side.
    return run, lambda: sum(trade.trade_qty for trades in outcome for trade in trades) // 2
