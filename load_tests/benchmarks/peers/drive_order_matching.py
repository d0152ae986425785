"""order-matching (Python): orders are placed, then matched by timestamp; prices and sizes are floats.

It has no immediate-or-cancel limit order, so the adapter places, matches and cancels one.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from importlib import import_module
from typing import Any

Message = tuple[int, int, int, int, int]


def prepare(messages: list[Message]) -> tuple[Callable[[], None], Callable[[], int]]:
    """See run.py."""
    import_module("loguru").logger.remove()  # Otherwise it writes a line for each order.
    limit_order: Any = import_module("order_matching.order").LimitOrder
    orders: Any = import_module("order_matching.orders").Orders
    enums: Any = import_module("order_matching.enums")
    engine: Any = import_module("order_matching.matching_engine").MatchingEngine(seed=1)
    steps = []
    for second, (action, number, side, price, lots) in enumerate(messages):
        now = datetime(2024, 1, 1) + timedelta(seconds=second)
        order = limit_order(
            side=enums.Side.SELL if side else enums.Side.BUY,
            price=float(price),
            size=float(lots),
            timestamp=now,
            order_id=str(number),
            trader_id="1",
        )
        steps.append((action, orders([order]), now, str(number)))
    outcome: list[Any] = []

    def run() -> None:
        for action, placed, now, order_id in steps:
            if action != 2:
                engine.place(placed)
                outcome.append(engine.match(now))
            if action == 2 or (action == 1 and engine.unprocessed_orders.find_order_by_id(order_id)):
                engine.cancel_order(order_id)

    return run, lambda: int(sum(trade.size for trades in outcome for trade in trades.trades))
