"""What the book's events mean for accounts: each is settled and told as an event of the engine.

The book knows no money. A buy travels with what one lot of it has reserved as its `tag`, so that each of its trades, and
its end, release exactly their part.
"""

from __future__ import annotations

import cython

from matching_engine.accounts import Accounts
from matching_engine.day_trades import DayTrades
from matching_engine.event_log import EventLog
from matching_engine.fees import Fees
from matching_engine.instruments import Instruments
from matching_engine.order_book import OrderBook

if not cython.compiled:  # when compiled, these stand in the .pxd
    from matching_engine.records import EventKind, Phase, Reason, Side


class Settlement:
    """Settles event `j` of the book's `out`. `trades` counts the present command's."""

    def __init__(
        self,
        book: OrderBook,
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
        instrument = self.book.out[j].instrument
        account = self.book.out[j].account
        maker = self.book.out[j].maker_account
        lots = self.book.out[j].quantity_lots
        amount = lots * self.book.out[j].price_ticks * self.listed.rows[instrument].tick_value_fen
        fee = self._taker_fee(account, amount, phase)
        maker_fee = self.fees.maker_fee(self.ledger.rows[maker].account_class, amount)
        released = lots * buy_reserve
        # Rates may have risen since the buy reserved: its fee is what its reserve holds, at most.
        if self.book.out[j].side == Side.BUY:
            fee = min(fee, released - amount)
            self.ledger.settle(instrument, account, maker, lots, amount, fee, maker_fee, released)
        else:
            maker_fee = min(maker_fee, released - amount)
            self.ledger.settle(instrument, maker, account, lots, amount, maker_fee, fee, released)
        self.listed.rows[instrument].day_lots += lots
        self.listed.rows[instrument].day_amount_fen += amount
        self.ledger.count_traded(account, amount)
        self.ledger.count_traded(maker, amount)
        self.trades += 1
        i = self.log.add(EventKind.TRADE, Reason.NONE)
        self.log.rows[i].order_id = self.book.out[j].order_id
        self.log.rows[i].account = account
        self.log.rows[i].maker_order_id = self.book.out[j].maker_order_id
        self.log.rows[i].maker_account = maker
        self.log.rows[i].instrument = instrument
        self.log.rows[i].side = self.book.out[j].side
        self.log.rows[i].price_ticks = self.book.out[j].price_ticks
        self.log.rows[i].quantity_lots = lots
        self.log.rows[i].leaves_lots = self.book.out[j].leaves_lots
        self.log.rows[i].amount_fen = amount
        self.log.rows[i].fee_fen = fee
        self.log.rows[i].maker_fee_fen = maker_fee
        self.log.rows[i].reserve_fen = -released
        self.log.rows[i].number = self.trades
        self.log.rows[i].phase = phase
        self._keep(i)

    def ended(self, j: int) -> None:
        """A CANCELED, EXPIRED or PREVENTED: what the order has reserved for the quantity it lost is free again."""
        account = self.book.out[j].account
        instrument = self.book.out[j].instrument
        lots = self.book.out[j].quantity_lots
        released = lots * self.book.tags[j]
        if self.book.out[j].side == Side.BUY:
            self.ledger.reserve_cash(account, -released)
        else:
            self.ledger.reserve_lots(account, instrument, -lots)
        i = self.log.add(self.book.out[j].kind, self.book.out[j].reason)
        self.log.rows[i].order_id = self.book.out[j].order_id
        self.log.rows[i].maker_order_id = self.book.out[j].maker_order_id
        self.log.rows[i].account = account
        self.log.rows[i].instrument = instrument
        self.log.rows[i].side = self.book.out[j].side
        self.log.rows[i].price_ticks = self.book.out[j].price_ticks
        self.log.rows[i].quantity_lots = lots
        self.log.rows[i].leaves_lots = self.book.out[j].leaves_lots
        self.log.rows[i].reserve_fen = -released

    def _taker_fee(self, account: int, amount_fen: int, phase: int) -> int:
        """In an auction nobody takes: both sides pay the maker's rate."""
        if phase == Phase.CALL_AUCTION:
            return self.fees.maker_fee(self.ledger.rows[account].account_class, amount_fen)
        return self.fees.taker_fee(self.ledger.rows[account].account_class, amount_fen)

    def _keep(self, i: int) -> None:
        """Keeps the TRADE in row `i` of the log for the day."""
        row = self.day_trades.add(self.log.seq << 20 | self.trades)
        self.day_trades.rows[row].price_ticks = self.log.rows[i].price_ticks
        self.day_trades.rows[row].quantity_lots = self.log.rows[i].quantity_lots
        self.day_trades.rows[row].amount_fen = self.log.rows[i].amount_fen
        self.day_trades.rows[row].fee_fen = self.log.rows[i].fee_fen
        self.day_trades.rows[row].maker_fee_fen = self.log.rows[i].maker_fee_fen
        self.day_trades.rows[row].account = self.log.rows[i].account
        self.day_trades.rows[row].maker_account = self.log.rows[i].maker_account
        self.day_trades.rows[row].instrument = self.log.rows[i].instrument
        self.day_trades.rows[row].side = self.log.rows[i].side
