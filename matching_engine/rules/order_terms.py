"""The terms of an order, new or as an AMEND would make it: what `refusals` checks."""

from __future__ import annotations

import cython

if not cython.compiled:  # when compiled, these stand in the .pxd
    from matching_engine.records import OrderType, TimeInForce

    def may_rest(order_type: int, time_in_force: int) -> bool:
        """Whether an order may rest in the book or wait for its trigger."""
        return order_type != OrderType.MARKET and time_in_force not in (TimeInForce.IOC, TimeInForce.FOK)


class OrderTerms:
    """The terms of one order. The fields `own_…` are what an open order has already; the checks count it as free. 0 for a new
    one."""

    def __init__(self) -> None:
        self.account = 0
        self.instrument = 0
        self.side = 0
        self.order_type = 0
        self.time_in_force = 0
        self.flags = 0
        self.price_ticks = 0  # for MARKET and STOP the protection price, once `_price_terms` has set it
        self.trigger_ticks = 0
        self.quantity_lots = 0  # the total, filled lots included
        self.open_lots = 0
        self.display_lots = 0
        self.lot_value_fen = 0
        self.lot_reserve_fen = 0  # what a buy reserves for one lot; 0 for a sell
        self.own_orders = 0
        self.own_refills = 0
        self.own_lots = 0
        self.own_fen = 0
        self.rests = False  # the part that does not trade at once may stay open
        self.moves_price = True  # price or trigger are new: band and collar are checked
