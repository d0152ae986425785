"""What an order asks for: a new one, or an open one as an AMEND would make it. The ladder of refusals looks at this."""

from __future__ import annotations

import cython

if not cython.compiled:  # when compiled, these stand in the .pxd
    from matching_engine.records import OrderType, TimeInForce

    def may_rest(order_type: int, time_in_force: int) -> bool:
        """Whether an order may be in the book or wait for its trigger."""
        return order_type != OrderType.MARKET and time_in_force not in (TimeInForce.IOC, TimeInForce.FOK)


class OrderTerms:
    """One order. The fields with `own_` are what the order has already, all 0 for a new one: that counts as free."""

    def __init__(self) -> None:
        self.account = 0
        self.instrument = 0
        self.side = 0
        self.order_type = 0
        self.time_in_force = 0
        self.flags = 0
        self.price_ticks = 0  # of MARKET and STOP the protection price, as soon as it is known
        self.trigger_ticks = 0
        self.quantity_lots = 0  # all of it, filled too
        self.open_lots = 0
        self.display_lots = 0
        self.lot_value_fen = 0
        self.lot_reserve_fen = 0  # what a buy reserves for a lot; 0 for a sell
        self.own_orders = 0
        self.own_refills = 0
        self.own_lots = 0
        self.own_fen = 0
        self.rests = False  # what of it doesn't trade may stay open
        self.moves_price = True  # price or trigger are new: they are held against band and collar
