"""Refusals of orders: flat lists of checks, in the order of `Reason`. They change nothing.

An order passes three ladders: can it be read, does the venue accept it now, can its account afford it. No product here
exceeds 64 bits, whatever the command's fields hold.
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


def unreadable(command: Command, instruments: Instruments) -> int:
    """Why a NEW_ORDER cannot be read, whatever the state of the market; NONE if it can."""
    if command.instrument >= instruments.count:
        return Reason.UNKNOWN_INSTRUMENT
    if command.side > Side.SELL:
        return Reason.INVALID_SIDE
    if command.order_type < OrderType.LIMIT or command.order_type > OrderType.STOP_LIMIT:
        return Reason.INVALID_ORDER_TYPE
    if command.time_in_force < TimeInForce.DAY or command.time_in_force > TimeInForce.GTD:
        return Reason.INVALID_TIME_IN_FORCE
    rests = may_rest(command.order_type, command.time_in_force)
    if command.order_type == OrderType.MARKET:
        if command.time_in_force != TimeInForce.IOC and command.time_in_force != TimeInForce.FOK:
            return Reason.INVALID_TIME_IN_FORCE
    elif command.order_type != OrderType.LIMIT and not rests:
        return Reason.INVALID_TIME_IN_FORCE
    if command.self_trade > SelfTrade.DECREMENT:
        return Reason.INVALID_SELF_TRADE
    # Only an order that others can see may be post-only or an iceberg.
    shows = rests and command.order_type == OrderType.LIMIT
    if command.number != 0 or (command.flags != 0 and not (shows and command.flags == Flag.POST_ONLY)):
        return Reason.INVALID_OPTION
    if command.time_in_force == TimeInForce.GTD:
        expiry: int = command.time_s
        if expiry * SECOND_NS <= command.time_ns:
            return Reason.INVALID_EXPIRY
    elif command.time_s != 0:
        return Reason.INVALID_EXPIRY
    if command.quantity_lots < 1 or command.quantity_lots > instruments.rows[command.instrument].max_quantity_lots:
        return Reason.INVALID_QUANTITY
    if command.display_lots != 0 and not (shows and display_fits(command.display_lots, command.quantity_lots)):
        return Reason.INVALID_DISPLAY
    return unreadable_prices(command)


def unreadable_prices(command: Command) -> int:
    """Why the price or the trigger of a NEW_ORDER cannot be read; NONE if they can."""
    if command.order_type == OrderType.LIMIT or command.order_type == OrderType.STOP_LIMIT:
        if command.price_ticks < 1 or command.price_ticks > MAX_PRICE_TICKS:
            return Reason.INVALID_PRICE
    elif command.price_ticks != 0:
        return Reason.INVALID_PRICE
    if command.order_type >= OrderType.STOP:
        if command.trigger_ticks < 1 or command.trigger_ticks > MAX_PRICE_TICKS:
            return Reason.INVALID_TRIGGER
    elif command.trigger_ticks != 0:
        return Reason.INVALID_TRIGGER
    return Reason.NONE


def unreadable_amend(
    command: Command, terms: OrderTerms, instruments: Instruments, shown: int, display_changes: bool
) -> int:
    """Why an AMEND that results in `terms` cannot be read; NONE if it can. `shown`: the order rests in the book.
    `display_changes`: its quantity grows, or its display quantity changes."""
    if command.flags & CHANGES == 0 or command.flags & ~CHANGES != 0 or has_unflagged(command):
        return Reason.INVALID_OPTION
    changes_quantity = command.flags & Flag.CHANGE_QUANTITY
    if changes_quantity and (
        command.quantity_lots < 1 or command.quantity_lots > instruments.rows[terms.instrument].max_quantity_lots
    ):
        return Reason.INVALID_QUANTITY
    if command.flags & Flag.CHANGE_DISPLAY and not shown:
        return Reason.INVALID_DISPLAY
    if display_changes and terms.display_lots != 0 and not display_fits(terms.display_lots, terms.quantity_lots):
        return Reason.INVALID_DISPLAY
    if command.flags & Flag.CHANGE_PRICE and (
        terms.order_type == OrderType.STOP or command.price_ticks < 1 or command.price_ticks > MAX_PRICE_TICKS
    ):
        return Reason.INVALID_PRICE
    if command.flags & Flag.CHANGE_TRIGGER and (
        shown or command.trigger_ticks < 1 or command.trigger_ticks > MAX_PRICE_TICKS
    ):
        return Reason.INVALID_TRIGGER
    return Reason.NONE


def has_unflagged(command: Command) -> bool:
    """Whether an AMEND has a value without its CHANGE_* flag."""
    if command.price_ticks != 0 and not command.flags & Flag.CHANGE_PRICE:
        return True
    if command.quantity_lots != 0 and not command.flags & Flag.CHANGE_QUANTITY:
        return True
    if command.display_lots != 0 and not command.flags & Flag.CHANGE_DISPLAY:
        return True
    return command.trigger_ticks != 0 and not command.flags & Flag.CHANGE_TRIGGER


def display_fits(display_lots: int, quantity_lots: int) -> bool:
    """Whether an iceberg of a valid quantity may show `display_lots`."""
    return 1 <= display_lots <= quantity_lots and display_lots * MAX_SLICES >= quantity_lots


def shut(terms: OrderTerms, instruments: Instruments, ledger: Accounts) -> int:
    """The reason that refuses every order and amend of this account and instrument now (kill switch, phase, halt); or NONE."""
    if ledger.rows[0].kill_switch:
        return Reason.VENUE_KILL_SWITCH
    if ledger.rows[terms.account].kill_switch:
        return Reason.ACCOUNT_KILL_SWITCH
    return instruments.rows[terms.instrument].refusal


def declined(terms: OrderTerms, instruments: Instruments, ledger: Accounts, book: Book) -> int:
    """Why the venue does not accept a readable order now, whatever its account holds; NONE if it does."""
    if terms.rests:
        others = book.ids.count - terms.own_orders + book.refills - terms.own_refills
        if others + 1 + refills_of(terms.open_lots - terms.display_lots, terms.display_lots) > MAX_OPEN_ORDERS:
            return Reason.TOO_MANY
    reason = shut(terms, instruments, ledger)
    if reason != Reason.NONE:
        return reason
    if not instruments.rows[terms.instrument].trades and (
        terms.order_type != OrderType.LIMIT or terms.flags != 0 or not terms.rests
    ):
        return Reason.NOT_IN_AUCTION
    return out_of_range(terms, instruments, book) if terms.moves_price else Reason.NONE


def out_of_range(terms: OrderTerms, instruments: Instruments, book: Book) -> int:
    """The reason if the order's price or trigger is outside the daily band or the collar; NONE if not."""
    row = instrument_at(instruments.rows[terms.instrument])
    low = row.low_ticks
    high = row.high_ticks
    priced = terms.order_type == OrderType.LIMIT or terms.order_type == OrderType.STOP_LIMIT
    stop = terms.order_type >= OrderType.STOP
    if priced and (terms.price_ticks > high or terms.price_ticks < low):
        return Reason.PRICE_ABOVE_BAND if terms.price_ticks > high else Reason.PRICE_BELOW_BAND
    if stop and (terms.trigger_ticks > high or terms.trigger_ticks < low):
        return Reason.PRICE_ABOVE_BAND if terms.trigger_ticks > high else Reason.PRICE_BELOW_BAND
    if priced and row.collar_ppm != 0:
        anchor = terms.trigger_ticks if stop else anchor_of(terms.instrument, instruments, book)
        if outside_collar(terms.instrument, terms.side, terms.price_ticks, anchor, instruments):
            return Reason.PRICE_OUTSIDE_COLLAR
    return Reason.NONE


def adds_one(terms: OrderTerms) -> bool:
    """Whether the account may have one more open order afterwards."""
    return terms.own_orders == 0 and terms.rests


def unaffordable(terms: OrderTerms, instruments: Instruments, ledger: Accounts, book: Book) -> int:
    """Why the account cannot afford the order, or (last) why post-only refuses it; NONE if neither does."""
    account = account_at(ledger.rows[terms.account])
    if account.max_order_lots and terms.quantity_lots > account.max_order_lots:
        return Reason.ORDER_QUANTITY_LIMIT
    if account.max_open_orders and account.open_orders >= account.max_open_orders and adds_one(terms):
        return Reason.OPEN_ORDERS_LIMIT
    per_lot = terms.lot_reserve_fen if terms.side == Side.BUY else terms.lot_value_fen
    if terms.quantity_lots > MAX_AMOUNT_FEN // per_lot:
        return Reason.VALUE_TOO_LARGE
    if instruments.rows[terms.instrument].day_amount_fen > MAX_DAY_AMOUNT_FEN:
        return Reason.VALUE_TOO_LARGE
    if account.max_order_fen and terms.quantity_lots * terms.lot_value_fen > account.max_order_fen:
        return Reason.ORDER_VALUE_LIMIT
    if account.max_day_fen and account.day_fen + terms.open_lots * terms.lot_value_fen > account.max_day_fen:
        return Reason.TURNOVER_LIMIT
    if terms.side == Side.BUY:
        if terms.open_lots * terms.lot_reserve_fen > ledger.free_fen(terms.account) + terms.own_fen:
            return Reason.INSUFFICIENT_FUNDS
    elif terms.open_lots > ledger.free_lots(terms.account, terms.instrument) + terms.own_lots:
        return Reason.INSUFFICIENT_INVENTORY
    if terms.flags & Flag.POST_ONLY and book.crosses(terms.instrument, terms.side, terms.price_ticks):
        return Reason.POST_ONLY_WOULD_TRADE
    return Reason.NONE
