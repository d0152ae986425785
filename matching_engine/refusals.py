"""Why a command is refused: flat ladders of checks, in the order of `Reason`. They read and change nothing.

An order passes three: can it be read at all, does the venue take it now, can its account stand for it. No product here
leaves 64 bits, whatever the command's fields hold.
"""

from __future__ import annotations

import cython

from matching_engine.accounts import Accounts
from matching_engine.instruments import Instruments
from matching_engine.records import Command

if not cython.compiled:  # when compiled, these stand in the .pxd
    from matching_engine.limits import (
        MAX_DAY_AMOUNT_FEN,
        MAX_HELD_LOTS,
        MAX_INSTRUMENTS,
        MAX_OPEN_ORDERS,
        MAX_TICK_VALUE_FEN,
    )
    from matching_engine.records import (
        ALL_INSTRUMENTS,
        MAX_AMOUNT_FEN,
        MAX_PRICE_TICKS,
        MAX_QUANTITY_LOTS,
        MAX_RATE_PPM,
        CommandKind,
        OrderType,
        Phase,
        Reason,
        SelfTrade,
        Side,
        TimeInForce,
    )


def unreadable(c: Command, listed: Instruments) -> int:
    """Why an order cannot be read, whatever the market does; NONE if it can."""
    if c.instrument >= listed.count:
        return Reason.UNKNOWN_INSTRUMENT
    if c.side > Side.SELL:
        return Reason.INVALID_SIDE
    if c.order_type != OrderType.LIMIT and c.order_type != OrderType.MARKET:
        return Reason.INVALID_ORDER_TYPE
    if c.time_in_force < TimeInForce.DAY or c.time_in_force > TimeInForce.IOC:
        return Reason.INVALID_TIME_IN_FORCE
    if c.order_type == OrderType.MARKET and c.time_in_force != TimeInForce.IOC:
        return Reason.INVALID_TIME_IN_FORCE
    if c.self_trade != SelfTrade.CANCEL_NEWEST:
        return Reason.INVALID_SELF_TRADE
    if c.flags != 0 or c.display_lots != 0 or c.trigger_ticks != 0 or c.reserved_u2 != 0 or c.reserved_u4 != 0:
        return Reason.INVALID_OPTION
    if c.quantity_lots < 1 or c.quantity_lots > listed.rows[c.instrument].max_quantity_lots:
        return Reason.INVALID_QUANTITY
    if c.order_type == OrderType.MARKET and c.price_ticks != 0:
        return Reason.INVALID_PRICE
    if c.order_type == OrderType.LIMIT and (c.price_ticks < 1 or c.price_ticks > MAX_PRICE_TICKS):
        return Reason.INVALID_PRICE
    return Reason.NONE


def declined(c: Command, listed: Instruments, open_orders: int) -> int:
    """Why the venue doesn't take a readable order now, whoever sends it; NONE if it does."""
    if c.time_in_force != TimeInForce.IOC and open_orders >= MAX_OPEN_ORDERS:
        return Reason.TOO_MANY
    if listed.rows[c.instrument].phase != Phase.CONTINUOUS:
        return Reason.MARKET_CLOSED
    if listed.rows[c.instrument].halted:
        return Reason.INSTRUMENT_HALTED
    if c.order_type == OrderType.LIMIT:
        if c.price_ticks > listed.rows[c.instrument].high_ticks:
            return Reason.PRICE_ABOVE_BAND
        if c.price_ticks < listed.rows[c.instrument].low_ticks:
            return Reason.PRICE_BELOW_BAND
    return Reason.NONE


def unaffordable(c: Command, listed: Instruments, ledger: Accounts, lot_value_fen: int, lot_reserve: int) -> int:
    """Why the account cannot stand for the order; NONE if it can."""
    per_lot = lot_reserve if c.side == Side.BUY else lot_value_fen
    if c.quantity_lots > MAX_AMOUNT_FEN // per_lot:
        return Reason.VALUE_TOO_LARGE
    if listed.rows[c.instrument].day_amount_fen > MAX_DAY_AMOUNT_FEN:
        return Reason.VALUE_TOO_LARGE
    if c.side == Side.BUY:
        free = ledger.rows[c.account].cash_fen - ledger.rows[c.account].reserved_fen
        return Reason.INSUFFICIENT_FUNDS if c.quantity_lots * lot_reserve > free else Reason.NONE
    place = ledger.place(c.account, c.instrument)
    free = ledger.holdings[place].lots - ledger.holdings[place].reserved_lots
    return Reason.INSUFFICIENT_INVENTORY if c.quantity_lots > free else Reason.NONE


def cash_refusal(c: Command, ledger: Accounts) -> int:
    """Why a DEPOSIT or WITHDRAW is refused; NONE if it is not."""
    if not ledger.knows(c.account):
        return Reason.UNKNOWN_ACCOUNT
    if c.amount_fen < 1 or c.amount_fen > MAX_AMOUNT_FEN:
        return Reason.INVALID_AMOUNT
    if c.kind == CommandKind.DEPOSIT:
        room = MAX_AMOUNT_FEN - ledger.deposited_fen
        return Reason.INVALID_AMOUNT if c.amount_fen > room else Reason.NONE
    free = ledger.rows[c.account].cash_fen - ledger.rows[c.account].reserved_fen
    return Reason.INSUFFICIENT_FUNDS if c.amount_fen > free else Reason.NONE


def lots_refusal(c: Command, listed: Instruments, ledger: Accounts) -> int:
    """Why a RECEIVE or RELEASE is refused; NONE if it is not."""
    if not ledger.knows(c.account):
        return Reason.UNKNOWN_ACCOUNT
    if c.instrument >= listed.count:
        return Reason.UNKNOWN_INSTRUMENT
    if c.quantity_lots < 1 or c.quantity_lots > MAX_HELD_LOTS:
        return Reason.INVALID_QUANTITY
    if c.kind == CommandKind.RECEIVE:
        room = MAX_HELD_LOTS - ledger.received_lots[c.instrument]
        return Reason.INVALID_QUANTITY if c.quantity_lots > room else Reason.NONE
    place = ledger.place(c.account, c.instrument)
    free = ledger.holdings[place].lots - ledger.holdings[place].reserved_lots
    return Reason.INSUFFICIENT_INVENTORY if c.quantity_lots > free else Reason.NONE


def listing_refusal(c: Command, listed: Instruments) -> int:
    """Why a LIST_INSTRUMENT is refused; NONE if it is not."""
    if c.instrument != listed.count:
        return Reason.UNKNOWN_INSTRUMENT
    if c.quantity_lots < 1 or c.quantity_lots > MAX_QUANTITY_LOTS:
        return Reason.INVALID_QUANTITY
    if c.price_ticks < 1 or c.price_ticks > MAX_PRICE_TICKS:
        return Reason.INVALID_PRICE
    if c.amount_fen < 1 or c.amount_fen > MAX_TICK_VALUE_FEN:
        return Reason.INVALID_AMOUNT
    if c.rate_ppm > MAX_RATE_PPM:
        return Reason.INVALID_RATE
    if listed.count >= MAX_INSTRUMENTS:
        return Reason.TOO_MANY
    return Reason.NONE


def phase_refusal(c: Command, listed: Instruments) -> int:
    """Why a SET_PHASE, HALT or RESUME is refused; NONE if it is not."""
    if c.instrument != ALL_INSTRUMENTS and c.instrument >= listed.count:
        return Reason.UNKNOWN_INSTRUMENT
    if c.kind == CommandKind.SET_PHASE and c.phase != Phase.CLOSED and c.phase != Phase.CONTINUOUS:
        return Reason.INVALID_PHASE
    return Reason.NONE


def is_date(date: int) -> bool:
    """Whether yyyymmdd can be a date; the calendar is the venue's."""
    return date <= 9999_12_31 and 1 <= date // 100 % 100 <= 12 and 1 <= date % 100 <= 31
