"""What matching does to accounts: orders are placed in the book, and what the book says is settled and told.

The book knows no money. A buy travels with what one lot of it has reserved as its `tag`, so that each of its trades, and
its end, release exactly their part.
"""

from __future__ import annotations

import cython

from matching_engine.accounts import Accounts
from matching_engine.event_log import EventLog
from matching_engine.instruments import Instruments
from matching_engine.order_book import OrderBook
from matching_engine.records import Command

if not cython.compiled:  # when compiled, these stand in the .pxd
    from matching_engine.accounts import fee_fen
    from matching_engine.pools import NIL
    from matching_engine.records import EventKind, Reason, Side, TimeInForce


class Execution:
    """Places, cancels and ends orders; the fee rates are those of trades from now on."""

    def __init__(self, book: OrderBook, ledger: Accounts, listed: Instruments, log: EventLog) -> None:
        self.book = book
        self.ledger = ledger
        self.listed = listed
        self.log = log
        self.maker_rate_ppm = 0
        self.taker_rate_ppm = 0

    def accept(self, c: Command, lot_reserve: int) -> None:
        """Reserves, lets the book match, and says what happened. `lot_reserve` is 0 for a sell."""
        if c.side == Side.BUY:
            self.ledger.open_place(c.account, c.instrument)
            self.ledger.reserve_cash(c.account, c.quantity_lots * lot_reserve)
        else:
            self.ledger.reserve_lots(c.account, c.instrument, c.quantity_lots)
        self._say_accepted(c, c.quantity_lots * lot_reserve)
        self.book.size = 0
        self.book.place(
            c.instrument, c.side, c.order_type, c.time_in_force, c.self_trade, c.account,
            self.ledger.rows[c.account].owner, c.seq, c.price_ticks, c.quantity_lots, lot_reserve,
        )  # fmt: skip
        # The book's first event says ACCEPTED, the last of the others may end the order.
        leaves = c.quantity_lots
        for j in range(1, self.book.size):
            leaves -= self.book.out[j].quantity_lots
            if self.book.out[j].kind == EventKind.TRADE:
                self._trade(c, j, lot_reserve, leaves)
            else:
                self._end(c.seq, j, self.book.out[j].kind)
        touched = 0
        for j in range(1, self.book.size):
            if self.book.out[j].kind == EventKind.TRADE and self.book.out[j].price_ticks != touched:
                touched = self.book.out[j].price_ticks
                self._level(c.seq, c.instrument, 1 - c.side, touched)
        if leaves > 0:
            self._level(c.seq, c.instrument, c.side, c.price_ticks)

    def _say_accepted(self, c: Command, reserve_fen: int) -> None:
        i = self.log.add(c.seq, EventKind.ACCEPTED, Reason.NONE)
        self.log.rows[i].order_id = c.seq
        self.log.rows[i].account = c.account
        self.log.rows[i].instrument = c.instrument
        self.log.rows[i].side = c.side
        self.log.rows[i].order_type = c.order_type
        self.log.rows[i].price_ticks = c.price_ticks
        self.log.rows[i].quantity_lots = c.quantity_lots
        self.log.rows[i].leaves_lots = c.quantity_lots
        self.log.rows[i].reserve_fen = reserve_fen

    def cancel(self, seq: int, slot: int) -> None:
        """Ends a resting order because its owner or an operator asked."""
        self.book.size = 0
        self.book.cancel_slot(slot, Reason.REQUESTED)
        self._end(seq, 0, EventKind.CANCELED)
        self._level(seq, self.book.out[0].instrument, self.book.out[0].side, self.book.out[0].price_ticks)

    def _trade(self, c: Command, j: int, lot_reserve: int, leaves_lots: int) -> None:
        """Settles the trade in the book's event `j`, number `j` of its command."""
        lots = self.book.out[j].quantity_lots
        price = self.book.out[j].price_ticks
        maker = self.book.out[j].maker_account
        amount = lots * price * self.listed.rows[c.instrument].tick_value_fen
        fee = fee_fen(amount, self.taker_rate_ppm)
        maker_fee = fee_fen(amount, self.maker_rate_ppm)
        if c.side == Side.BUY:
            released = lots * lot_reserve
            fee = min(fee, released - amount)
            self.ledger.settle(c.instrument, c.account, maker, lots, amount, fee, maker_fee, released)
        else:
            released = lots * self.book.out[j].tag
            maker_fee = min(maker_fee, released - amount)
            self.ledger.settle(c.instrument, maker, c.account, lots, amount, maker_fee, fee, released)
        self.listed.rows[c.instrument].day_lots += lots
        self.listed.rows[c.instrument].day_amount_fen += amount
        i = self.log.add(c.seq, EventKind.TRADE, Reason.NONE)
        self.log.rows[i].order_id = c.seq
        self.log.rows[i].account = c.account
        self.log.rows[i].maker_order_id = self.book.out[j].maker_order_id
        self.log.rows[i].maker_account = maker
        self.log.rows[i].instrument = c.instrument
        self.log.rows[i].side = c.side
        self.log.rows[i].price_ticks = price
        self.log.rows[i].quantity_lots = lots
        self.log.rows[i].leaves_lots = leaves_lots
        self.log.rows[i].amount_fen = amount
        self.log.rows[i].fee_fen = fee
        self.log.rows[i].maker_fee_fen = maker_fee
        self.log.rows[i].reserve_fen = -released
        self.log.rows[i].number = j

    def _end(self, seq: int, j: int, kind: int) -> None:
        """Releases what is left of the order that the book's event `j` ended."""
        account = self.book.out[j].account
        instrument = self.book.out[j].instrument
        lots = self.book.out[j].quantity_lots
        released = lots * self.book.out[j].tag
        if self.book.out[j].side == Side.BUY:
            self.ledger.reserve_cash(account, -released)
        else:
            self.ledger.reserve_lots(account, instrument, -lots)
        i = self.log.add(seq, kind, self.book.out[j].reason)
        self.log.rows[i].order_id = self.book.out[j].order_id
        self.log.rows[i].maker_order_id = self.book.out[j].maker_order_id
        self.log.rows[i].account = account
        self.log.rows[i].instrument = instrument
        self.log.rows[i].side = self.book.out[j].side
        self.log.rows[i].price_ticks = self.book.out[j].price_ticks
        self.log.rows[i].quantity_lots = lots
        self.log.rows[i].reserve_fen = -released

    def _level(self, seq: int, instrument: int, side: int, price_ticks: int) -> None:
        """What rests at a price now."""
        level = self.book.levels.find(2 * instrument + side, price_ticks)
        i = self.log.add(seq, EventKind.LEVEL, Reason.NONE)
        self.log.rows[i].instrument = instrument
        self.log.rows[i].side = side
        self.log.rows[i].price_ticks = price_ticks
        self.log.rows[i].quantity_lots = self.book.levels.rows[level].quantity_lots
        self.log.rows[i].number = self.book.levels.rows[level].orders

    def _outside_band(self, instrument: int, price_ticks: int) -> bool:
        row = self.listed.rows[instrument]
        return price_ticks < row.low_ticks or price_ticks > row.high_ticks

    def end_of_day(self, seq: int, instrument: int, side: int) -> None:
        """Ends the orders of a side that don't live on into the new day."""
        level = self.book.levels.best(2 * instrument + side)
        while level != NIL:
            price = self.book.levels.price(2 * instrument + side, level)
            slot = self.book.levels.rows[level].head
            level = self.book.levels.next(level)
            while slot != NIL:
                ending = slot
                slot = self.book.orders[slot].next
                self.book.size = 0
                if self.book.orders[ending].time_in_force == TimeInForce.DAY:
                    self.book.cancel_slot(ending, Reason.END_OF_DAY)
                    self._end(seq, 0, EventKind.EXPIRED)
                elif self._outside_band(instrument, price):
                    self.book.cancel_slot(ending, Reason.OUTSIDE_BAND)
                    self._end(seq, 0, EventKind.CANCELED)

    def end_of_day_levels(self, seq: int, first: int) -> None:
        """One LEVEL for each price of the ended orders, whose events stand from row `first` on, level by level."""
        last = self.log.size
        for i in range(first, last):
            instrument = self.log.rows[i].instrument
            side = self.log.rows[i].side
            price = self.log.rows[i].price_ticks
            if (
                i == first
                or self.log.rows[i - 1].price_ticks != price
                or self.log.rows[i - 1].side != side
                or self.log.rows[i - 1].instrument != instrument
            ):
                self._level(seq, instrument, side, price)
