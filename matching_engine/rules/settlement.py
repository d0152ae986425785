"""What the book's events mean for accounts: each is settled and told as an event of the engine.

The book knows no money. A buy travels with what one lot of it has reserved as its `tag`, so that each of its trades, and
its end, release exactly their part.
"""

from __future__ import annotations

import cython

from matching_engine.book.order_book import Book
from matching_engine.event_log import EventLog, EventOut
from matching_engine.ledger.accounts import Accounts
from matching_engine.ledger.day_trades import DayTrades
from matching_engine.ledger.fees import Fees
from matching_engine.ledger.instruments import Instruments

if not cython.compiled:  # when compiled, these stand in the .pxd
    from matching_engine.book.orders import event_at
    from matching_engine.ledger.day_trades import trade_at
    from matching_engine.ledger.instruments import instrument_at
    from matching_engine.records import EventKind, Phase, Reason, Side


class Settlement:
    """Settles event `j` of the book's `out`. `trades` counts the present command's."""

    def __init__(
        self,
        book: Book,
        ledger: Accounts,
        fees: Fees,
        listed: Instruments,
        day_trades: DayTrades,
        log: EventLog,
    ) -> None:
        self.book = book
        self.ledger = ledger
        self.fees = fees
        self.listed = listed
        self.day_trades = day_trades
        self.log = log
        self.trades = 0

    def trade(self, j: int, buy_reserve: int, phase: int) -> None:
        """A TRADE: delivery versus payment. `buy_reserve` is what the buy has reserved for a lot."""
        told = event_at(self.book.out[j])
        listed = instrument_at(self.listed.rows[told.instrument])
        account = told.account
        maker = told.maker_account
        lots = told.quantity_lots
        amount = lots * told.price_ticks * listed.tick_value_fen
        fee = self._taker_fee(account, amount, phase)
        maker_fee = self.fees.maker_fee(self.ledger.rows[maker].account_class, amount)
        released = lots * buy_reserve
        # Rates may have risen since the buy reserved: its fee is what its reserve holds, at most.
        if told.side == Side.BUY:
            fee = min(fee, released - amount)
            self.ledger.settle_trade(told.instrument, account, maker, lots, amount, fee, maker_fee, released)
        else:
            maker_fee = min(maker_fee, released - amount)
            self.ledger.settle_trade(told.instrument, maker, account, lots, amount, maker_fee, fee, released)
        listed.day_lots += lots
        listed.day_amount_fen += amount
        self.ledger.count_traded(account, amount)
        self.ledger.count_traded(maker, amount)
        self.trades += 1
        event = self.log.add(EventKind.TRADE, Reason.NONE)
        event.order_id = told.order_id
        event.account = account
        event.maker_order_id = told.maker_order_id
        event.maker_account = maker
        event.instrument = told.instrument
        event.side = told.side
        event.price_ticks = told.price_ticks
        event.quantity_lots = lots
        event.leaves_lots = told.leaves_lots
        event.amount_fen = amount
        event.fee_fen = fee
        event.maker_fee_fen = maker_fee
        event.reserve_fen = -released
        event.number = self.trades
        event.phase = phase
        self._keep(event)

    def ended(self, j: int) -> None:
        """A CANCELED, EXPIRED or PREVENTED: what the order has reserved for the quantity it lost is free again."""
        told = event_at(self.book.out[j])
        lots = told.quantity_lots
        released = lots * self.book.tags[j]
        if told.side == Side.BUY:
            self.ledger.reserve_cash(told.account, -released)
        else:
            self.ledger.reserve_lots(told.account, told.instrument, -lots)
        event = self.log.add(told.kind, told.reason)
        event.order_id = told.order_id
        event.maker_order_id = told.maker_order_id
        event.account = told.account
        event.instrument = told.instrument
        event.side = told.side
        event.price_ticks = told.price_ticks
        event.quantity_lots = lots
        event.leaves_lots = told.leaves_lots
        event.reserve_fen = -released

    def _taker_fee(self, account: int, amount_fen: int, phase: int) -> int:
        """In an auction nobody takes: both sides pay the maker's rate."""
        if phase == Phase.CALL_AUCTION:
            return self.fees.maker_fee(self.ledger.rows[account].account_class, amount_fen)
        return self.fees.taker_fee(self.ledger.rows[account].account_class, amount_fen)

    def _keep(self, event: EventOut) -> None:
        """Keeps a TRADE for the day."""
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
