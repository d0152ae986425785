"""Fills the parts of a new engine from a state that has passed `state_checks.check`."""

from __future__ import annotations

from typing import Any

import cython
import numpy as np

from matching_engine.book.order_book import Book
from matching_engine.ledger.accounts import Accounts
from matching_engine.ledger.client_ids import ClientIds
from matching_engine.ledger.day_trades import DayTrades
from matching_engine.ledger.fees import Fees
from matching_engine.ledger.instruments import Instruments
from matching_engine.ledger.turnover import Turnover
from matching_engine.rules.expiries import Expiries
from matching_engine.snapshot.state import fill

if not cython.compiled:  # when compiled, these stand in the .pxd
    from matching_engine.records import Side, TimeInForce

    CHUNK = 16  # orders that room is made for at a time; more when compiled


def restore_fees(fees: Fees, rows: Any) -> None:
    """Restores the fee rates."""
    for account_class, maker, taker in rows.tolist():
        fees.set(account_class, maker, taker)


def restore_turnover(turnover: Turnover, rows: Any) -> None:
    """Restores the turnover by year."""
    turnover.reserve(len(rows))
    fill(turnover.rows, 1, rows)
    turnover.count = len(rows)


def restore_instruments(listed: Instruments, book: Book, rows: Any) -> None:
    """Restores the instruments: terms, phases, the day's volume and last price."""
    fill(listed.rows, 0, rows)
    listed.count = len(rows)
    # Python's integers: numpy's would overflow in the uncompiled engine.
    for i, last_ticks in enumerate(rows["last_ticks"].tolist()):
        listed.set_reference(i, listed.rows[i].reference_ticks)
        listed.enforce(i)
        book.last[i].price_ticks = last_ticks
        book.last[i].traded = last_ticks > 0


def restore_accounts(ledger: Accounts, accounts: Any, holdings: Any, orders: Any) -> None:
    """Restores the accounts: their cash, their lots and the numbers of their open orders.

    Each buyer with an open order also gets a holding, even an empty one: one command may fill any number of such orders.
    """
    buys = orders[orders["side"] == Side.BUY]
    buyers = np.unique(buys["account"].astype("u8") << 16 | buys["instrument"])
    ledger.reserve(len(accounts) + len(holdings) + len(buyers))
    open_orders = np.bincount(orders["account"], minlength=len(accounts) + 1)[1:]
    fill(ledger.rows, 1, accounts, open_orders=open_orders)
    ledger.count = len(accounts)
    ledger.cash_fen = ledger.deposited_fen = sum(accounts["cash_fen"].tolist())
    for account, instrument, lots, reserved in holdings.tolist():
        ledger.change_lots(account, instrument, lots)
        ledger.reserve_lots(account, instrument, reserved)
    for key in buyers.tolist():
        ledger.open_holding(key >> 16, key & 0xFFFF)


def restore_orders(book: Book, expiries: Expiries, orders: Any, accounts: Any) -> None:
    """Restores the open orders, each at the end of its queue."""
    expiries.reserve(len(orders))
    for first in range(0, len(orders), CHUNK):
        part = orders[first : first + CHUNK]
        # In chunks, as the engine does: `reserve` makes room for the worst case, far more than the orders take.
        book.reserve(len(part))
        fill(book.orders, 1 + first, part, owner=accounts["owner"][part["account"] - 1])
        for trigger, lot_reserve_fen in part[["trigger_ticks", "lot_reserve_fen"]].tolist():
            slot = book.new_slot()
            book.order_tags[slot] = lot_reserve_fen
            book.resume(slot, trigger)
            if book.orders[slot].time_in_force == TimeInForce.GTD:
                expiries.add(book.orders[slot].order_id, book.orders[slot].time_s)


def restore_trades(day_trades: DayTrades, trades: Any) -> None:
    """Restores the day's trades."""
    day_trades.reserve(len(trades))
    fill(day_trades.rows, 1, trades)
    day_trades.count = len(trades)


def restore_client_ids(client_ids: ClientIds, rows: Any) -> None:
    """Restores the client order ids, each with its day."""
    client_ids.reserve(len(rows))
    today = client_ids.day
    for text, account, order_id, digest, day in rows.tolist():
        client_ids.day = day
        client_ids.remember(account, text.ljust(36, b"\0"), order_id, digest)
    client_ids.day = today
