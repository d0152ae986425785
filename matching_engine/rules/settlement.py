"""Settlement: turns each event of the book into movements of cash and lots, and into an event of the engine.

The book knows no money. The `tag` of a buy is what it has reserved for one lot, in fen: each of its trades, and its end,
release exactly their part.
"""

from __future__ import annotations

import cython

from matching_engine.book.order_book import Book
from matching_engine.event_log import EventLog
from matching_engine.ledger.accounts import Accounts
from matching_engine.ledger.day_trades import DayTrades
from matching_engine.ledger.fees import Fees
from matching_engine.ledger.instruments import Instruments
from matching_engine.record_rows import EventOut

if not cython.compiled:  # when compiled, these stand in the .pxd
    from matching_engine.book.orders import event_at
    from matching_engine.ledger.day_trades import trade_at
    from matching_engine.ledger.instruments import instrument_at
    from matching_engine.records import EventKind, Phase, Reason, Side


class Settlement:
    """Settles the event at `index` of the book's `out`. `trades` counts the trades of the current command."""

    def __init__(
        self,
        book: Book,
        ledger: Accounts,
        fees: Fees,
        instruments: Instruments,
        day_trades: DayTrades,
        log: EventLog,
    ) -> None:
        self.book = book
        self.ledger = ledger
        self.fees = fees
        self.instruments = instruments
        self.day_trades = day_trades
        self.log = log
        self.trades = 0

    def settle_trade(self, index: int, buy_reserve: int, phase: int) -> None:
        """Settles a TRADE: delivery versus payment. `buy_reserve` is what the buy has reserved for one lot, in fen."""
        book_event = event_at(self.book.out[index])
        row = instrument_at(self.instruments.rows[book_event.instrument])
        account = book_event.account
        maker = book_event.maker_account
        lots = book_event.quantity_lots
        amount = lots * book_event.price_ticks * row.tick_value_fen
        fee = self._taker_fee(account, amount, phase)
        maker_fee = self.fees.maker_fee(self.ledger.rows[maker].account_class, amount)
        released = lots * buy_reserve
        # Rates may have risen since the buy reserved: its fee is at most what its reserve holds.
        if book_event.side == Side.BUY:
            fee = min(fee, released - amount)
            self.ledger.settle_trade(book_event.instrument, account, maker, lots, amount, fee, maker_fee, released)
        else:
            maker_fee = min(maker_fee, released - amount)
            self.ledger.settle_trade(book_event.instrument, maker, account, lots, amount, maker_fee, fee, released)
        row.day_lots += lots
        row.day_amount_fen += amount
        self.ledger.count_traded(account, amount)
        self.ledger.count_traded(maker, amount)
        self.trades += 1
        event = self.log.add(EventKind.TRADE, Reason.NONE)
        event.order_id = book_event.order_id
        event.account = account
        event.maker_order_id = book_event.maker_order_id
        event.maker_account = maker
        event.instrument = book_event.instrument
        event.side = book_event.side
        event.price_ticks = book_event.price_ticks
        event.quantity_lots = lots
        event.leaves_lots = book_event.leaves_lots
        event.amount_fen = amount
        event.fee_fen = fee
        event.maker_fee_fen = maker_fee
        event.reserve_fen = -released
        event.number = self.trades
        event.phase = phase
        self._keep_for_the_day(event)

    def settle_end(self, index: int) -> None:
        """Settles a CANCELED, EXPIRED or SELF_TRADE_PREVENTED: releases the reserve of the quantity that the order lost."""
        book_event = event_at(self.book.out[index])
        lots = book_event.quantity_lots
        released = lots * self.book.tags[index]
        if book_event.side == Side.BUY:
            self.ledger.reserve_cash(book_event.account, -released)
        else:
            self.ledger.reserve_lots(book_event.account, book_event.instrument, -lots)
        event = self.log.add(book_event.kind, book_event.reason)
        event.order_id = book_event.order_id
        event.maker_order_id = book_event.maker_order_id
        event.account = book_event.account
        event.instrument = book_event.instrument
        event.side = book_event.side
        event.price_ticks = book_event.price_ticks
        event.quantity_lots = lots
        event.leaves_lots = book_event.leaves_lots
        event.reserve_fen = -released

    def _taker_fee(self, account: int, amount_fen: int, phase: int) -> int:
        """The taker's fee in fen. An auction has no taker: both sides pay the maker's rate."""
        if phase == Phase.CALL_AUCTION:
            return self.fees.maker_fee(self.ledger.rows[account].account_class, amount_fen)
        return self.fees.taker_fee(self.ledger.rows[account].account_class, amount_fen)

    def _keep_for_the_day(self, event: EventOut) -> None:
        """Adds a TRADE to the trades of the day."""
        trade = trade_at(self.day_trades.rows[self.day_trades.add(event.seq << 20 | self.trades)])
        trade.price_ticks = event.price_ticks
        trade.quantity_lots = event.quantity_lots
        trade.amount_fen = event.amount_fen
        trade.fee_fen = event.fee_fen
        trade.maker_fee_fen = event.maker_fee_fen
        trade.account = event.account
        trade.maker_account = event.maker_account
        trade.instrument = event.instrument
        trade.side = event.side
