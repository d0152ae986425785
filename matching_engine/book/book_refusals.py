"""The reasons why a bare book refuses a command: the first that applies, in the order of `Reason`'s numbers."""

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


def order_refusal(command: BookCommand, instruments: int) -> int:
    """The reason to refuse a NEW_ORDER whose fields are invalid; NONE if they are valid."""
    if command.instrument >= instruments:
        return Reason.UNKNOWN_INSTRUMENT
    if command.side > Side.SELL:
        return Reason.INVALID_SIDE
    if command.order_type < OrderType.LIMIT or command.order_type > OrderType.STOP_LIMIT:
        return Reason.INVALID_ORDER_TYPE
    if command.time_in_force < TimeInForce.DAY or command.time_in_force > TimeInForce.FOK:
        return Reason.INVALID_TIME_IN_FORCE
    if command.time_in_force <= TimeInForce.GTC:
        if command.order_type == OrderType.MARKET:
            return Reason.INVALID_TIME_IN_FORCE
    elif command.order_type >= OrderType.STOP:
        return Reason.INVALID_TIME_IN_FORCE
    if command.self_trade > SelfTrade.DECREMENT:
        return Reason.INVALID_SELF_TRADE
    if command.flags != 0 and (command.flags != Flag.POST_ONLY or not rests(command)):
        return Reason.INVALID_OPTION
    if not is_quantity(command.quantity_lots):
        return Reason.INVALID_QUANTITY
    if command.display_lots != 0 and not (rests(command) and is_display(command.display_lots, command.quantity_lots)):
        return Reason.INVALID_DISPLAY
    if command.order_type == OrderType.MARKET or command.order_type == OrderType.STOP:
        if command.price_ticks != 0:
            return Reason.INVALID_PRICE
    elif not is_price(command.price_ticks):
        return Reason.INVALID_PRICE
    if command.order_type >= OrderType.STOP:
        if not is_price(command.trigger_ticks):
            return Reason.INVALID_TRIGGER
    elif command.trigger_ticks != 0:
        return Reason.INVALID_TRIGGER
    return Reason.NONE


def amend_refusal(command: BookCommand, order: Order, display_counts: bool) -> int:
    """The reason to refuse an AMEND of an open order whose fields are invalid; NONE if they are valid. `display_counts` says
    whether the quantity grows or the display changes."""
    changes = Flag.CHANGE_PRICE | Flag.CHANGE_QUANTITY | Flag.CHANGE_DISPLAY | Flag.CHANGE_TRIGGER
    if command.flags & changes == 0 or command.flags & changes != command.flags or names_too_much(command):
        return Reason.INVALID_OPTION
    if command.flags & Flag.CHANGE_QUANTITY and not is_quantity(command.quantity_lots):
        return Reason.INVALID_QUANTITY
    if command.flags & Flag.CHANGE_DISPLAY and order.waiting:
        return Reason.INVALID_DISPLAY
    total = (
        command.quantity_lots
        if command.flags & Flag.CHANGE_QUANTITY
        else order.filled_lots + order.shown_lots + order.hidden_lots
    )
    display = command.display_lots if command.flags & Flag.CHANGE_DISPLAY else order.display_lots
    if display_counts and display != 0 and not is_display(display, total):
        return Reason.INVALID_DISPLAY
    if command.flags & Flag.CHANGE_PRICE and (order.order_type == OrderType.STOP or not is_price(command.price_ticks)):
        return Reason.INVALID_PRICE
    if command.flags & Flag.CHANGE_TRIGGER and (not order.waiting or not is_price(command.trigger_ticks)):
        return Reason.INVALID_TRIGGER
    return Reason.NONE


def names_too_much(command: BookCommand) -> bool:
    """Whether an AMEND has a value in a field that its flags do not name."""
    return (
        (command.price_ticks != 0 and command.flags & Flag.CHANGE_PRICE == 0)
        or (command.quantity_lots != 0 and command.flags & Flag.CHANGE_QUANTITY == 0)
        or (command.display_lots != 0 and command.flags & Flag.CHANGE_DISPLAY == 0)
        or (command.trigger_ticks != 0 and command.flags & Flag.CHANGE_TRIGGER == 0)
    )


def rests(command: BookCommand) -> bool:
    """Whether a NEW_ORDER is a LIMIT order with a time in force that lets it rest."""
    return command.order_type == OrderType.LIMIT and command.time_in_force <= TimeInForce.GTC


def is_price(price_ticks: int) -> bool:
    """Whether a price is within the bounds of a bare book."""
    return -MAX_BOOK_PRICE_TICKS - 1 <= price_ticks <= MAX_BOOK_PRICE_TICKS


def is_quantity(quantity_lots: int) -> bool:
    """Whether a quantity is within 1 and MAX_QUANTITY_LOTS."""
    return 1 <= quantity_lots <= MAX_QUANTITY_LOTS


def is_display(display_lots: int, quantity_lots: int) -> bool:
    """Whether an iceberg of `quantity_lots` may show `display_lots`: at most all of it, and at most MAX_SLICES slices."""
    return (quantity_lots + MAX_SLICES - 1) // MAX_SLICES <= display_lots <= quantity_lots
