"""Why an order is refused: flat ladders of checks, in the order of `Reason`. They read and change nothing.

An order passes three: can it be read at all, does the venue take it now, can its account stand for it. No product here
leaves 64 bits, whatever the command's fields hold.
"""

from __future__ import annotations

import cython

from matching_engine.book.order_book import Book
from matching_engine.ledger.accounts import Accounts
from matching_engine.ledger.instruments import Instruments
from matching_engine.records import Command
from matching_engine.rules.order_terms import OrderTerms

if not cython.compiled:  # when compiled, these stand in the .pxd
    from matching_engine.book.orders import refills_of
    from matching_engine.ledger.accounts import account_at
    from matching_engine.ledger.instruments import SECOND_NS, instrument_at
    from matching_engine.limits import MAX_DAY_AMOUNT_FEN, MAX_OPEN_ORDERS
    from matching_engine.records import (
        MAX_AMOUNT_FEN,
        MAX_PRICE_TICKS,
        MAX_SLICES,
        Flag,
        OrderType,
        Reason,
        SelfTrade,
        Side,
        TimeInForce,
    )
    from matching_engine.rules.order_terms import may_rest
    from matching_engine.rules.price_limits import anchor_of, outside_collar

    # As a number: the complement of a Flag has only the bits that are flags.
    CHANGES = int(Flag.CHANGE_PRICE | Flag.CHANGE_QUANTITY | Flag.CHANGE_DISPLAY | Flag.CHANGE_TRIGGER)


def unreadable(c: Command, listed: Instruments) -> int:
    """Why a NEW_ORDER cannot be read, whatever the market does; NONE if it can."""
    if c.instrument >= listed.count:
        return Reason.UNKNOWN_INSTRUMENT
    if c.side > Side.SELL:
        return Reason.INVALID_SIDE
    if c.order_type < OrderType.LIMIT or c.order_type > OrderType.STOP_LIMIT:
        return Reason.INVALID_ORDER_TYPE
    if c.time_in_force < TimeInForce.DAY or c.time_in_force > TimeInForce.GTD:
        return Reason.INVALID_TIME_IN_FORCE
    rests = may_rest(c.order_type, c.time_in_force)
    if c.order_type == OrderType.MARKET:
        if c.time_in_force != TimeInForce.IOC and c.time_in_force != TimeInForce.FOK:
            return Reason.INVALID_TIME_IN_FORCE
    elif c.order_type != OrderType.LIMIT and not rests:
        return Reason.INVALID_TIME_IN_FORCE
    if c.self_trade > SelfTrade.DECREMENT:
        return Reason.INVALID_SELF_TRADE
    shows = rests and c.order_type == OrderType.LIMIT  # It can be seen: only then it may be post-only or an iceberg.
    if c.number != 0 or (c.flags != 0 and not (shows and c.flags == Flag.POST_ONLY)):
        return Reason.INVALID_OPTION
    if c.time_in_force == TimeInForce.GTD:
        expiry: int = c.time_s
        if expiry * SECOND_NS <= c.time_ns:
            return Reason.INVALID_EXPIRY
    elif c.time_s != 0:
        return Reason.INVALID_EXPIRY
    if c.quantity_lots < 1 or c.quantity_lots > listed.rows[c.instrument].max_quantity_lots:
        return Reason.INVALID_QUANTITY
    if c.display_lots != 0 and not (shows and display_fits(c.display_lots, c.quantity_lots)):
        return Reason.INVALID_DISPLAY
    return unreadable_prices(c)


def unreadable_prices(c: Command) -> int:
    """Why the price or the trigger of a NEW_ORDER cannot be read; NONE if they can."""
    if c.order_type == OrderType.LIMIT or c.order_type == OrderType.STOP_LIMIT:
        if c.price_ticks < 1 or c.price_ticks > MAX_PRICE_TICKS:
            return Reason.INVALID_PRICE
    elif c.price_ticks != 0:
        return Reason.INVALID_PRICE
    if c.order_type >= OrderType.STOP:
        if c.trigger_ticks < 1 or c.trigger_ticks > MAX_PRICE_TICKS:
            return Reason.INVALID_TRIGGER
    elif c.trigger_ticks != 0:
        return Reason.INVALID_TRIGGER
    return Reason.NONE


def unreadable_amend(c: Command, t: OrderTerms, listed: Instruments, shown: int, display_changes: bool) -> int:
    """Why an AMEND cannot be read, whose result is `t`; NONE if it can. `shown`: the order stands in the book, and
    `display_changes`: its quantity grows or its display quantity will be another."""
    if c.flags & CHANGES == 0 or c.flags & ~CHANGES != 0 or has_unflagged(c):
        return Reason.INVALID_OPTION
    changes_quantity = c.flags & Flag.CHANGE_QUANTITY
    if changes_quantity and (c.quantity_lots < 1 or c.quantity_lots > listed.rows[t.instrument].max_quantity_lots):
        return Reason.INVALID_QUANTITY
    if c.flags & Flag.CHANGE_DISPLAY and not shown:
        return Reason.INVALID_DISPLAY
    if display_changes and t.display_lots != 0 and not display_fits(t.display_lots, t.quantity_lots):
        return Reason.INVALID_DISPLAY
    if c.flags & Flag.CHANGE_PRICE and (
        t.order_type == OrderType.STOP or c.price_ticks < 1 or c.price_ticks > MAX_PRICE_TICKS
    ):
        return Reason.INVALID_PRICE
    if c.flags & Flag.CHANGE_TRIGGER and (shown or c.trigger_ticks < 1 or c.trigger_ticks > MAX_PRICE_TICKS):
        return Reason.INVALID_TRIGGER
    return Reason.NONE


def has_unflagged(c: Command) -> bool:
    """Whether an AMEND has a value whose flag isn't set."""
    if c.price_ticks != 0 and not c.flags & Flag.CHANGE_PRICE:
        return True
    if c.quantity_lots != 0 and not c.flags & Flag.CHANGE_QUANTITY:
        return True
    if c.display_lots != 0 and not c.flags & Flag.CHANGE_DISPLAY:
        return True
    return c.trigger_ticks != 0 and not c.flags & Flag.CHANGE_TRIGGER


def display_fits(display_lots: int, quantity_lots: int) -> bool:
    """Whether an iceberg of a valid quantity may show so much."""
    return 1 <= display_lots <= quantity_lots and display_lots * MAX_SLICES >= quantity_lots


def shut(t: OrderTerms, listed: Instruments, ledger: Accounts) -> int:
    """The kill switch, phase or halt that holds off every order and amend now; or NONE."""
    if ledger.rows[0].kill_switch:
        return Reason.VENUE_KILL_SWITCH
    if ledger.rows[t.account].kill_switch:
        return Reason.ACCOUNT_KILL_SWITCH
    return listed.rows[t.instrument].refusal


def declined(t: OrderTerms, listed: Instruments, ledger: Accounts, book: Book) -> int:
    """Why the venue doesn't take a readable order now, whatever its account holds; NONE if it does."""
    if t.rests:
        others = book.ids.count - t.own_orders + book.refills - t.own_refills
        if others + 1 + refills_of(t.open_lots - t.display_lots, t.display_lots) > MAX_OPEN_ORDERS:
            return Reason.TOO_MANY
    reason = shut(t, listed, ledger)
    if reason != Reason.NONE:
        return reason
    if not listed.rows[t.instrument].trades and (t.order_type != OrderType.LIMIT or t.flags != 0 or not t.rests):
        return Reason.NOT_IN_AUCTION
    return out_of_range(t, listed, book) if t.moves_price else Reason.NONE


def out_of_range(t: OrderTerms, listed: Instruments, book: Book) -> int:
    """Whether what an order names, price or trigger, is outside band or collar; NONE if not."""
    row = instrument_at(listed.rows[t.instrument])
    low = row.low_ticks
    high = row.high_ticks
    priced = t.order_type == OrderType.LIMIT or t.order_type == OrderType.STOP_LIMIT
    stop = t.order_type >= OrderType.STOP
    if priced and (t.price_ticks > high or t.price_ticks < low):
        return Reason.PRICE_ABOVE_BAND if t.price_ticks > high else Reason.PRICE_BELOW_BAND
    if stop and (t.trigger_ticks > high or t.trigger_ticks < low):
        return Reason.PRICE_ABOVE_BAND if t.trigger_ticks > high else Reason.PRICE_BELOW_BAND
    if priced and row.collar_ppm != 0:
        anchor = t.trigger_ticks if stop else anchor_of(t.instrument, listed, book)
        if outside_collar(t.instrument, t.side, t.price_ticks, anchor, listed):
            return Reason.PRICE_OUTSIDE_COLLAR
    return Reason.NONE


def adds_one(t: OrderTerms) -> bool:
    """Whether there may be an open order more afterwards."""
    return t.own_orders == 0 and t.rests


def unaffordable(t: OrderTerms, listed: Instruments, ledger: Accounts, book: Book) -> int:
    """Why the account cannot stand for the order, or (last) why the book doesn't take it; NONE if they do."""
    account = account_at(ledger.rows[t.account])
    if account.max_order_lots and t.quantity_lots > account.max_order_lots:
        return Reason.ORDER_QUANTITY_LIMIT
    if account.max_open_orders and account.open_orders >= account.max_open_orders and adds_one(t):
        return Reason.OPEN_ORDERS_LIMIT
    per_lot = t.lot_reserve_fen if t.side == Side.BUY else t.lot_value_fen
    if t.quantity_lots > MAX_AMOUNT_FEN // per_lot:
        return Reason.VALUE_TOO_LARGE
    if listed.rows[t.instrument].day_amount_fen > MAX_DAY_AMOUNT_FEN:
        return Reason.VALUE_TOO_LARGE
    if account.max_order_fen and t.quantity_lots * t.lot_value_fen > account.max_order_fen:
        return Reason.ORDER_VALUE_LIMIT
    if account.max_day_fen and account.day_fen + t.open_lots * t.lot_value_fen > account.max_day_fen:
        return Reason.TURNOVER_LIMIT
    if t.side == Side.BUY:
        if t.open_lots * t.lot_reserve_fen > ledger.free_fen(t.account) + t.own_fen:
            return Reason.INSUFFICIENT_FUNDS
    elif t.open_lots > ledger.free_lots(t.account, t.instrument) + t.own_lots:
        return Reason.INSUFFICIENT_INVENTORY
    if t.flags & Flag.POST_ONLY and book.crosses(t.instrument, t.side, t.price_ticks):
        return Reason.POST_ONLY_WOULD_TRADE
    return Reason.NONE
