"""Whether an order can be filled completely and at once (rulebook 1.7), counted before anything changes."""

from __future__ import annotations

import cython

from matching_engine.book.orders import Order
from matching_engine.book.price_levels import PriceLevels

if not cython.compiled:  # when compiled, these stand in the .pxd
    from matching_engine.book.orders import order_at
    from matching_engine.pools import NIL
    from matching_engine.records import SelfTrade


def fillable(levels: PriceLevels, orders: list[Order], slot: int, limit: int) -> bool:
    """Whether an incoming order would get its whole quantity up to the key `limit` of the other side.

    The order trades with a level's shown lots in queue order, and then with its hidden lots. It passes over orders of its own
    group with CANCEL_OLDEST; with any other self-trade prevention it stops at the first of them.
    """
    order = order_at(orders[slot])
    makers = 2 * order.instrument + 1 - order.side
    wanted = order.shown_lots
    if not enough(levels, makers, limit, wanted):
        return False
    level = levels.best(makers)
    while level != NIL and levels.key(makers, levels.price(makers, level)) <= limit:
        hidden = levels.rows[level].hidden_lots
        maker_slot = levels.rows[level].head
        while maker_slot != NIL:
            maker = order_at(orders[maker_slot])
            if order.owner == 0 or maker.owner != order.owner:
                wanted -= maker.shown_lots
            elif order.self_trade == SelfTrade.CANCEL_OLDEST:
                hidden -= maker.hidden_lots
            else:
                return wanted <= 0
            if wanted <= 0:
                return True
            maker_slot = maker.next
        wanted -= hidden
        if wanted <= 0:
            return True
        level = levels.next(level)
    return False


def enough(levels: PriceLevels, makers: int, limit: int, wanted: int) -> bool:
    """Whether `wanted` lots rest up to a key, of any group. It reads the levels only, which are far fewer than the orders."""
    level = levels.best(makers)
    while level != NIL and wanted > 0 and levels.key(makers, levels.price(makers, level)) <= limit:
        wanted -= levels.rows[level].quantity_lots + levels.rows[level].hidden_lots
        level = levels.next(level)
    return wanted <= 0
