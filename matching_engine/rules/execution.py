"""Runs accepted orders: the phase decides whether they match or rest; trades trigger stops. Emits LEVEL and INDICATIVE events.

New, amended and triggered orders all run through `_run`, then `cascade` (rulebook 2 and 4).
"""

from __future__ import annotations

import cython

from matching_engine.book.order_book import Book
from matching_engine.event_log import EventLog
from matching_engine.ledger.accounts import Accounts
from matching_engine.ledger.instruments import Instrument, Instruments
from matching_engine.rules.settlement import Settlement
from matching_engine.rules.touched_levels import TouchedLevels

if not cython.compiled:  # when compiled, these stand in the .pxd
    from matching_engine.book.orders import event_at, order_at, release
    from matching_engine.book.price_levels import level_at
    from matching_engine.ledger.instruments import instrument_at
    from matching_engine.limits import MAX_INSTRUMENTS
    from matching_engine.pools import NIL
    from matching_engine.records import EventKind, OrderType, Phase, Reason, Side
    from matching_engine.rules.price_limits import worst_ticks


class Execution:
    """Runs orders in the book and emits their events. `time_ns` is the timestamp of the current command."""

    def __init__(
        self, book: Book, ledger: Accounts, instruments: Instruments, settlement: Settlement, log: EventLog
    ) -> None:
        self.book = book
        self.ledger = ledger
        self.instruments = instruments
        self.settlement = settlement
        self.log = log
        self.touched = TouchedLevels()
        # INDICATIVE events are due for the instruments in this range that have the current command's seq as `touched_seq`.
        self.first_indicated = MAX_INSTRUMENTS
        self.last_indicated = -1
        self.time_ns = 0

    # Orders enter and end

    def run_or_hold(self, slot: int, trigger_ticks: int) -> None:
        """Runs an accepted order. Holds a stop instead, unless the phase has trades and the last price has reached the
        trigger. Then runs the triggered stops."""
        instrument = self.book.orders[slot].instrument
        if self.book.orders[slot].order_type < OrderType.STOP:
            self._run(slot)
        elif self.instruments.rows[instrument].trades and self.book.reached(
            instrument, self.book.orders[slot].side, trigger_ticks
        ):
            release(order_at(self.book.orders[slot]))
            self._emit_triggered(slot)
            self._run(slot)
        else:
            self.book.hold(slot, trigger_ticks)
        self.cascade()

    def cascade(self) -> None:
        """Runs the triggered stops one by one, and the stops that they trigger (rulebook 2.2)."""
        slot = self.book.next_triggered()
        while slot != NIL:
            self._emit_triggered(slot)
            order = order_at(self.book.orders[slot])
            if order.order_type == OrderType.MARKET and not self.instruments.rows[order.instrument].trades:
                self.end(slot, EventKind.CANCELED, Reason.VOLATILITY)
            else:
                self._run(slot)
            slot = self.book.next_triggered()

    def end(self, slot: int, kind: int, reason: int) -> None:
        """Ends an open order, in the book or waiting for its trigger. `kind` is CANCELED or EXPIRED."""
        order = order_at(self.book.orders[slot])
        if order.level != NIL and order.waiting == 0:
            self.touch(slot)
        self.ledger.rows[order.account].open_orders -= 1
        self.book.size = 0
        self.book.end(slot, kind, reason)
        self.settlement.settle_end(0)

    def _run(self, slot: int) -> None:
        """Runs an incoming order: in a phase with trades the order matches; in other phases it rests."""
        order = order_at(self.book.orders[slot])
        instrument = order.instrument
        side = order.side
        account = order.account
        order_id = order.order_id
        price = order.price_ticks
        tag = self.book.order_tags[slot]
        left = order.shown_lots
        self.book.size = 0
        if not self.instruments.rows[instrument].trades:
            self.book.collect(slot)
            self._settle_book_events(order_id, tag, left, account, instrument, side, price)
            return
        self.book.enter(slot, worst_ticks(instrument, side, self.instruments, self.book))
        self._settle_book_events(order_id, tag, left, account, instrument, side, price)
        if self.book.bounded:
            self._begin_auction(instrument)
        elif self.book.traded:
            self.book.trigger(instrument, self.book.low_ticks, self.book.high_ticks)

    def _settle_book_events(
        self, order_id: int, tag: int, left: int, account: int, instrument: int, side: int, price_ticks: int
    ) -> None:
        """Settles the book events that the incoming order `order_id` caused, and notes the price levels that they touched.
        `left` is the order's open lots before these events."""
        for index in range(self.book.size):
            book_event = event_at(self.book.out[index])
            if book_event.kind == EventKind.TRADE:
                left -= book_event.quantity_lots
                self.touched.touch(2 * instrument + 1 - side, book_event.price_ticks)
                if self.book.maker_leaves[index] == 0:
                    self.ledger.rows[book_event.maker_account].open_orders -= 1
                self.settlement.settle_trade(
                    index, tag if side == Side.BUY else self.book.tags[index], Phase.CONTINUOUS
                )
                continue
            if book_event.order_id == order_id:
                left -= book_event.quantity_lots
            else:
                self.touched.touch(2 * instrument + book_event.side, book_event.price_ticks)
                if book_event.leaves_lots == 0:
                    self.ledger.rows[book_event.account].open_orders -= 1
            self.settlement.settle_end(index)
        if left > 0:
            self.touched.touch(2 * instrument + side, price_ticks)
        else:
            self.ledger.rows[account].open_orders -= 1

    def _emit_triggered(self, slot: int) -> None:
        event = self.log.add(EventKind.TRIGGERED, Reason.NONE)
        order = order_at(self.book.orders[slot])
        event.order_id = order.order_id
        event.account = order.account
        event.instrument = order.instrument
        event.side = order.side
        event.order_type = order.order_type
        event.price_ticks = order.price_ticks
        event.quantity_lots = order.shown_lots
        event.leaves_lots = order.shown_lots

    # Auctions

    def _begin_auction(self, instrument: int) -> None:
        self.instruments.end_quotes(instrument, self.time_ns)
        self.instruments.begin_auction(instrument, self.time_ns)
        event = self.log.add(EventKind.PHASE_CHANGED, Reason.VOLATILITY)
        event.instrument = instrument
        event.phase = Phase.CALL_AUCTION
        event.number = self.instruments.rows[instrument].auction_s

    def uncross(self, instrument: int) -> None:
        """Uncrosses a call auction: trades the collected orders at one price (rulebook 4.4, 4.5)."""
        self.book.auction(instrument, self.instruments.rows[instrument].reference_ticks)
        if self.book.auction_lots == 0:
            return
        self._touch_crossed(instrument, self.book.auction_lots)
        self.book.size = 0
        self.book.uncross(instrument)
        for index in range(self.book.size):
            if self.book.out[index].leaves_lots == 0:
                self.ledger.rows[self.book.out[index].account].open_orders -= 1
            if self.book.maker_leaves[index] == 0:
                self.ledger.rows[self.book.out[index].maker_account].open_orders -= 1
            self.settlement.settle_trade(index, self.book.tags[index], Phase.CALL_AUCTION)
        self.instruments.rows[instrument].closing_seq = self.log.seq

    def _touch_crossed(self, instrument: int, lots: int) -> None:
        """Notes the price levels at which `lots` lots will trade, in the order of the trades, for each trade the buy first."""
        buys = self.book.levels.best(2 * instrument)
        sells = self.book.levels.best(2 * instrument + 1)
        bought = 0  # remaining lots of the current buy level; `sold` likewise
        sold = 0
        while lots > 0 and (bought > 0 or buys != NIL) and (sold > 0 or sells != NIL):
            if bought == 0:
                self.touched.touch(2 * instrument, self.book.levels.price(2 * instrument, buys))
                bought = self._all_lots(buys)
                buys = self.book.levels.next(buys)
            if sold == 0:
                self.touched.touch(2 * instrument + 1, self.book.levels.price(2 * instrument + 1, sells))
                sold = self._all_lots(sells)
                sells = self.book.levels.next(sells)
            trading = min(lots, bought, sold)
            lots -= trading
            bought -= trading
            sold -= trading

    def _all_lots(self, level: int) -> int:
        """The resting lots of a price level, hidden lots included."""
        return self.book.levels.rows[level].quantity_lots + self.book.levels.rows[level].hidden_lots

    # Touched prices and indicative prices

    def touch(self, slot: int) -> None:
        """Notes the price of a resting order as touched."""
        order = order_at(self.book.orders[slot])
        self.touched.touch(2 * order.instrument + order.side, order.price_ticks)

    def indicate(self, instrument: int) -> None:
        """Makes an INDICATIVE due if the call auction, which begins or has a new reference price, would trade."""
        self.book.auction(instrument, self.instruments.rows[instrument].reference_ticks)
        if self.book.auction_lots > 0:
            self._note_indicated(instrument)

    def _note_indicated(self, instrument: int) -> None:
        self.instruments.rows[instrument].touched_seq = self.log.seq
        self.first_indicated = min(self.first_indicated, instrument)
        self.last_indicated = max(self.last_indicated, instrument)

    def emit_levels(self) -> None:
        """Emits one LEVEL for each touched price, then one INDICATIVE for each instrument in a call auction that has one due
        (rulebook 4.6)."""
        for n in range(self.touched.count):
            number = self.touched.rows[n].side_number
            price = self.touched.rows[n].price_ticks
            orders = self._emit_level(number, price)
            row = instrument_at(self.instruments.rows[number >> 1])
            if row.trades:
                self._note_touched(row, number, price, orders)
            elif row.in_force == Phase.CALL_AUCTION:
                self._note_indicated(number >> 1)
        if self.last_indicated >= 0:
            self._emit_indicatives()
        self.touched.clear()

    def _emit_level(self, side_number: int, price_ticks: int) -> int:
        """Emits the LEVEL of a price; returns the number of orders there."""
        level = level_at(self.book.levels.rows[self.book.levels.find(side_number, price_ticks)])
        event = self.log.add(EventKind.LEVEL, Reason.NONE)
        event.instrument = side_number >> 1
        event.side = side_number & 1
        event.price_ticks = price_ticks
        event.quantity_lots = level.quantity_lots
        event.number = level.orders
        return level.orders

    def _note_touched(self, row: Instrument, side_number: int, price_ticks: int, orders: int) -> None:
        """Notes the best prices of continuous trading after a level was touched: a better one with orders is the best now, and
        the next one is looked up if the best is gone."""
        if side_number & 1:
            if price_ticks == row.best_sell_ticks:
                if orders == 0:
                    self.note_best(side_number)
            elif orders > 0 and (price_ticks < row.best_sell_ticks or row.best_sell_ticks == 0):
                row.best_sell_ticks = price_ticks
                row.quotes_since_ns = self.time_ns
        elif price_ticks == row.best_buy_ticks:
            if orders == 0:
                self.note_best(side_number)
        elif orders > 0 and price_ticks > row.best_buy_ticks:
            row.best_buy_ticks = price_ticks
            row.quotes_since_ns = self.time_ns

    def note_best(self, side_number: int) -> None:
        """Looks up the best price of a side in continuous trading, and notes since when it stands (rulebook 4.10)."""
        level = self.book.levels.best(side_number)
        price = self.book.levels.price(side_number, level) if level != NIL else 0
        row = instrument_at(self.instruments.rows[side_number >> 1])
        if side_number & 1:
            if price != row.best_sell_ticks:
                row.best_sell_ticks = price
                row.quotes_since_ns = self.time_ns
        elif price != row.best_buy_ticks:
            row.best_buy_ticks = price
            row.quotes_since_ns = self.time_ns

    def _emit_indicatives(self) -> None:
        """Emits the INDICATIVE events that are due, in the order of the instruments."""
        for instrument in range(self.first_indicated, self.last_indicated + 1):
            row = instrument_at(self.instruments.rows[instrument])
            if row.touched_seq == self.log.seq and row.in_force == Phase.CALL_AUCTION:
                self._emit_indicative(instrument)
        self.first_indicated = MAX_INSTRUMENTS
        self.last_indicated = -1

    def _emit_indicative(self, instrument: int) -> None:
        self.book.auction(instrument, self.instruments.rows[instrument].reference_ticks)
        event = self.log.add(EventKind.INDICATIVE, Reason.NONE)
        event.instrument = instrument
        if self.book.auction_lots > 0:
            event.price_ticks = self.book.auction_ticks
            event.quantity_lots = self.book.auction_lots
            event.leaves_lots = self.book.auction_imbalance
