"""Why a bare book cannot read a command: the first reason that holds, in the order of `Reason`'s numbers."""

from __future__ import annotations

import cython

from matching_engine.book.orders import Order
from matching_engine.records import BookCommand

if not cython.compiled:  # when compiled, these stand in the .pxd
    from matching_engine import records
    from matching_engine.pools import codes
    from matching_engine.records import MAX_BOOK_PRICE_TICKS, MAX_QUANTITY_LOTS, MAX_SLICES

    Flag = codes(records.Flag)
    OrderType = codes(records.OrderType)
    Reason = codes(records.Reason)
    SelfTrade = codes(records.SelfTrade)
    Side = codes(records.Side)
    TimeInForce = codes(records.TimeInForce)


def order_refusal(c: BookCommand, instruments: int) -> int:
    """Of a NEW_ORDER; NONE if it can be read."""
    if c.instrument >= instruments:
        return Reason.UNKNOWN_INSTRUMENT
    if c.side > Side.SELL:
        return Reason.INVALID_SIDE
    if c.order_type < OrderType.LIMIT or c.order_type > OrderType.STOP_LIMIT:
        return Reason.INVALID_ORDER_TYPE
    if c.time_in_force < TimeInForce.DAY or c.time_in_force > TimeInForce.FOK:
        return Reason.INVALID_TIME_IN_FORCE
    if c.time_in_force <= TimeInForce.GTC:
        if c.order_type == OrderType.MARKET:
            return Reason.INVALID_TIME_IN_FORCE
    elif c.order_type >= OrderType.STOP:
        return Reason.INVALID_TIME_IN_FORCE
    if c.self_trade > SelfTrade.DECREMENT:
        return Reason.INVALID_SELF_TRADE
    if c.flags != 0 and (c.flags != Flag.POST_ONLY or not rests(c)):
        return Reason.INVALID_OPTION
    if not is_quantity(c.quantity_lots):
        return Reason.INVALID_QUANTITY
    if c.display_lots != 0 and not (rests(c) and is_display(c.display_lots, c.quantity_lots)):
        return Reason.INVALID_DISPLAY
    if c.order_type == OrderType.MARKET or c.order_type == OrderType.STOP:
        if c.price_ticks != 0:
            return Reason.INVALID_PRICE
    elif not is_price(c.price_ticks):
        return Reason.INVALID_PRICE
    if c.order_type >= OrderType.STOP:
        if not is_price(c.trigger_ticks):
            return Reason.INVALID_TRIGGER
    elif c.trigger_ticks != 0:
        return Reason.INVALID_TRIGGER
    return Reason.NONE


def amend_refusal(c: BookCommand, order: Order, display_counts: bool) -> int:
    """Of an AMEND of an open order; NONE if it can be read. `display_counts`: its quantity grows or its display changes."""
    changes = Flag.CHANGE_PRICE | Flag.CHANGE_QUANTITY | Flag.CHANGE_DISPLAY | Flag.CHANGE_TRIGGER
    if c.flags & changes == 0 or c.flags & changes != c.flags or names_too_much(c):
        return Reason.INVALID_OPTION
    if c.flags & Flag.CHANGE_QUANTITY and not is_quantity(c.quantity_lots):
        return Reason.INVALID_QUANTITY
    if c.flags & Flag.CHANGE_DISPLAY and order.waiting:
        return Reason.INVALID_DISPLAY
    total = (
        c.quantity_lots if c.flags & Flag.CHANGE_QUANTITY else order.filled_lots + order.shown_lots + order.hidden_lots
    )
    display = c.display_lots if c.flags & Flag.CHANGE_DISPLAY else order.display_lots
    if display_counts and display != 0 and not is_display(display, total):
        return Reason.INVALID_DISPLAY
    if c.flags & Flag.CHANGE_PRICE and (order.order_type == OrderType.STOP or not is_price(c.price_ticks)):
        return Reason.INVALID_PRICE
    if c.flags & Flag.CHANGE_TRIGGER and (not order.waiting or not is_price(c.trigger_ticks)):
        return Reason.INVALID_TRIGGER
    return Reason.NONE


def names_too_much(c: BookCommand) -> bool:
    """Whether a field of an AMEND has a value that its flags don't name."""
    return (
        (c.price_ticks != 0 and c.flags & Flag.CHANGE_PRICE == 0)
        or (c.quantity_lots != 0 and c.flags & Flag.CHANGE_QUANTITY == 0)
        or (c.display_lots != 0 and c.flags & Flag.CHANGE_DISPLAY == 0)
        or (c.trigger_ticks != 0 and c.flags & Flag.CHANGE_TRIGGER == 0)
    )


def rests(c: BookCommand) -> bool:
    """Whether a NEW_ORDER is a LIMIT order that may rest."""
    return c.order_type == OrderType.LIMIT and c.time_in_force <= TimeInForce.GTC


def is_price(price_ticks: int) -> bool:
    """Whether a bare book takes a price."""
    return -MAX_BOOK_PRICE_TICKS - 1 <= price_ticks <= MAX_BOOK_PRICE_TICKS


def is_quantity(quantity_lots: int) -> bool:
    """Whether it is a quantity at all."""
    return 1 <= quantity_lots <= MAX_QUANTITY_LOTS


def is_display(display_lots: int, quantity_lots: int) -> bool:
    """Whether an iceberg of a quantity may show so much of it."""
    return (quantity_lots + MAX_SLICES - 1) // MAX_SLICES <= display_lots <= quantity_lots
