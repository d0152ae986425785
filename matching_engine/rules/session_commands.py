"""Commands of the trading session: phases, halts, time (volatility auctions and GTD orders end), day roll (rulebook 1.5, 2.3,
4)."""

from __future__ import annotations

import cython

from matching_engine.book.order_book import Book
from matching_engine.event_log import EventLog
from matching_engine.ledger.accounts import Accounts
from matching_engine.ledger.client_ids import ClientIds
from matching_engine.ledger.day_trades import DayTrades
from matching_engine.ledger.instruments import Instruments
from matching_engine.ledger.turnover import Turnover
from matching_engine.records import Command
from matching_engine.rules.execution import Execution
from matching_engine.rules.expiries import Expiries
from matching_engine.rules.order_walk import OrderWalk

if not cython.compiled:  # when compiled, these stand in the .pxd
    from matching_engine.ledger.day_trades import trade_at
    from matching_engine.ledger.instruments import SECOND_NS, instrument_at
    from matching_engine.limits import CLIENT_ID_TRADING_DAYS
    from matching_engine.pools import NIL
    from matching_engine.records import (
        ALL_INSTRUMENTS,
        CommandKind,
        EventKind,
        OrderType,
        Phase,
        Reason,
        TimeInForce,
    )

    INSTRUMENT_DELISTED_REASON = Reason.INSTRUMENT_DELISTED


class SessionCommands:
    """`change_phase`, `pass_time` and `roll_day` carry out a command, or refuse it."""

    def __init__(
        self,
        book: Book,
        ledger: Accounts,
        instruments: Instruments,
        client_ids: ClientIds,
        day_trades: DayTrades,
        expiries: Expiries,
        execution: Execution,
        log: EventLog,
    ) -> None:
        self.book = book
        self.ledger = ledger
        self.instruments = instruments
        self.client_ids = client_ids
        self.day_trades = day_trades
        self.expiries = expiries
        self.execution = execution
        self.log = log
        self.turnover = Turnover()
        self.walk = OrderWalk(book)
        self.trading_date = 0

    # Phases

    def change_phase(self, command: Command) -> None:
        """SET_PHASE, HALT, RESUME."""
        reason = self._phase_refusal(command)
        if reason != Reason.NONE:
            self.log.reject(command, reason, 0)
            return
        self.instruments.note_phases()
        if command.instrument != ALL_INSTRUMENTS:
            if command.kind == CommandKind.SET_PHASE:
                self.instruments.set_phase(command.instrument, command.phase)
            else:
                self.instruments.set_halted(command.instrument, command.kind == CommandKind.HALT)
            self.emit_phase(command.instrument, self.instruments.phase(command.instrument))
            self._enter_phase(command.instrument)
            return
        if command.kind == CommandKind.SET_PHASE:
            self.instruments.set_all_phases(command.phase)
        else:
            self.instruments.set_all_halted(command.kind == CommandKind.HALT)
        self.emit_phase(ALL_INSTRUMENTS, self.instruments.initial_phase())
        for i in range(self.instruments.count):
            if self.instruments.phase(i) != self.instruments.initial_phase():
                self.emit_phase(i, self.instruments.phase(i))
        self._enter_phases()

    def _phase_refusal(self, command: Command) -> int:
        reason: int = Reason.NONE
        if command.instrument != ALL_INSTRUMENTS:
            reason = self.instruments.refusal(command.instrument)
        if (
            command.kind == CommandKind.SET_PHASE
            and reason != Reason.UNKNOWN_INSTRUMENT
            and (command.phase == Phase.HALTED or command.phase > Phase.AUCTION_MATCHING)
        ):
            return Reason.INVALID_PHASE
        return reason

    def emit_phase(self, instrument: int, phase: int) -> None:
        """Emits PHASE_CHANGED: the phase in force from now on."""
        event = self.log.add(EventKind.PHASE_CHANGED, Reason.NONE)
        event.instrument = instrument
        event.phase = phase

    def delist(self, instrument: int) -> int:
        """Takes an instrument out of trading for good, and ends its orders; returns their number."""
        if self.instruments.rows[instrument].trades:
            self.instruments.end_quotes(instrument, self.execution.time_ns)
        self.instruments.delist(instrument)
        self.emit_phase(instrument, Phase.DELISTED)
        return self._end_side(instrument, 0) + self._end_side(instrument, 1)

    def _end_side(self, instrument: int, side: int) -> int:
        """Ends every order of a side of a delisted instrument; returns their number."""
        ended = 0
        self.walk.begin(instrument, side)
        slot = self.walk.next()
        while slot != NIL:
            self.execution.end(slot, EventKind.CANCELED, INSTRUMENT_DELISTED_REASON)
            ended += 1
            slot = self.walk.next()
        return ended

    def _enter_phases(self) -> None:
        for i in range(self.instruments.count):
            self._enter_phase(i)

    def _enter_phase(self, instrument: int) -> None:
        """Begins a phase. The book is uncrossed where the phase allows no crossed book; stops that the last price has reached
        are triggered where it trades; a call auction emits its indicative price."""
        phase = self.instruments.phase(instrument)
        before = self.instruments.rows[instrument].phase_before
        if phase == before:
            return
        if self.instruments.rules[before].trades:
            self.instruments.end_quotes(instrument, self.execution.time_ns)
        if not self.instruments.rules[phase].may_be_crossed:
            self.execution.uncross(instrument)
        if self.instruments.rules[phase].trades:
            self._begin_trading(instrument)
        if phase == Phase.CALL_AUCTION:
            self.execution.indicate(instrument)

    def _begin_trading(self, instrument: int) -> None:
        """Begins continuous trading after a due uncrossing: the last price triggers stops (2.3), and the quotes stand from now
        on."""
        self.instruments.begin_quotes(instrument, self.execution.time_ns)
        if self.book.last[instrument].traded:
            last = self.book.last[instrument].price_ticks
            self.book.trigger(instrument, last, last)
            self.execution.cascade()
        if self.instruments.rows[instrument].trades:  # No stop has begun a volatility auction.
            self.execution.note_best(2 * instrument)
            self.execution.note_best(2 * instrument + 1)

    # Time

    def pass_time(self, command: Command) -> None:
        """TIME: GTD orders expire and volatility auctions end that are due (1.5, 4.9)."""
        self.log.add(EventKind.TIME_PASSED, Reason.NONE)
        slot = self.expiries.first()
        while slot != NIL and self._expiry_ns(slot) <= command.time_ns:
            self.expiries.drop_first()
            self.execution.end(slot, EventKind.EXPIRED, Reason.EXPIRY_TIME)
            slot = self.expiries.first()
        self.instruments.note_phases()
        for i in range(self.instruments.count):
            if self.instruments.rows[i].in_auction and self.instruments.rows[i].auction_ends_ns <= command.time_ns:
                self.instruments.end_auction(i)
                if self.instruments.phase(i) != self.instruments.rows[i].phase_before:
                    self.emit_phase(i, self.instruments.phase(i))
        self._enter_phases()

    def next_deadline_ns(self) -> int:
        """The earliest time at which a TIME command is due, in ns since 1970 UTC; 0 for none."""
        slot = self.expiries.first()
        deadline = self._expiry_ns(slot) if slot != NIL else 0
        for i in range(self.instruments.count):
            ends = self.instruments.rows[i].auction_ends_ns
            if self.instruments.rows[i].in_auction and (deadline == 0 or ends < deadline):
                deadline = ends
        return deadline

    def _expiry_ns(self, slot: int) -> int:
        return self.book.orders[slot].time_s * SECOND_NS

    # The day roll

    def roll_day(self, command: Command) -> None:
        """DAY_ROLL (4.8): `date` is the trading day that begins, yyyymmdd."""
        if command.date <= self.trading_date or not is_date(command.date):
            self.log.reject(command, Reason.INVALID_DATE, 0)
            return
        year = self.trading_date // 10_000
        self.trading_date = command.date
        self.client_ids.day += 1
        event = self.log.add(EventKind.DAY_ROLLED, Reason.NONE)
        event.date = command.date
        self._find_closing_prices()
        for instrument in range(self.instruments.count):
            self._end_day_of(instrument, year)
        for instrument in range(self.instruments.count):
            self._end_orders(instrument, 0, True)
            self._end_orders(instrument, 1, True)
        for instrument in range(self.instruments.count):
            if self.instruments.phase(instrument) == Phase.CALL_AUCTION:
                self.execution.indicate(instrument)
        self.ledger.begin_day()
        self.day_trades.clear()
        self._forget_client_ids()

    def _find_closing_prices(self) -> None:
        """Sets the price of each closing auction from the day's trades: one of which all trades were busted has none."""
        for row in range(1, self.day_trades.count + 1):
            trade = trade_at(self.day_trades.rows[row])
            instrument = instrument_at(self.instruments.rows[trade.instrument])
            if not trade.busted and trade.trade_id >> 20 == instrument.closing_seq:
                instrument.closing_ticks = trade.price_ticks

    def _end_day_of(self, instrument: int, year: int) -> None:
        """Ends the day of an instrument: settlement price, SETTLED, and its turnover added to the year's."""
        lots = self.instruments.rows[instrument].day_lots
        amount = self.instruments.rows[instrument].day_amount_fen
        self.turnover.add(year, amount)
        self.book.forget_last(instrument)
        reference = self.instruments.end_day(instrument, self.execution.time_ns)
        event = self.log.add(EventKind.SETTLED, Reason.NONE)
        event.instrument = instrument
        event.price_ticks = reference
        event.quantity_lots = lots
        event.amount_fen = amount
        event.number = self.instruments.rows[instrument].source

    def end_outside_band(self, instrument: int) -> None:
        """Ends the orders of an instrument that its new band leaves outside."""
        self._end_orders(instrument, 0, False)
        self._end_orders(instrument, 1, False)

    def _end_orders(self, instrument: int, side: int, ends_day: bool) -> None:
        """Ends the orders of a side that do not stay open under a new band, or on a new day."""
        self.walk.begin(instrument, side)
        slot = self.walk.next()
        while slot != NIL:
            if ends_day and self.book.orders[slot].time_in_force == TimeInForce.DAY:
                self.execution.end(slot, EventKind.EXPIRED, Reason.END_OF_DAY)
            elif self._outside_band(instrument, slot):
                self.execution.end(slot, EventKind.CANCELED, Reason.OUTSIDE_BAND)
            slot = self.walk.next()

    def _outside_band(self, instrument: int, slot: int) -> bool:
        """Whether the order's price or trigger is outside the daily band."""
        low = self.instruments.rows[instrument].low_ticks
        high = self.instruments.rows[instrument].high_ticks
        if self.book.orders[slot].order_type != OrderType.STOP:
            price = self.book.orders[slot].price_ticks
            if price < low or price > high:
                return True
        if not self.book.orders[slot].waiting:
            return False
        trigger = self.book.trigger_ticks(slot)
        return trigger < low or trigger > high

    def _forget_client_ids(self) -> None:
        """Marks the client order ids of open orders as used today, and drops those that are too old."""
        for row in range(1, self.client_ids.count + 1):
            if self.book.find(self.client_ids.rows[row].order_id) != NIL:
                self.client_ids.rows[row].day = self.client_ids.day
        if self.client_ids.day > CLIENT_ID_TRADING_DAYS:
            self.client_ids.forget_before(self.client_ids.day - CLIENT_ID_TRADING_DAYS)


def is_date(date: int) -> bool:
    """Whether yyyymmdd may be a date. The calendar itself is not the engine's."""
    return date <= 9999_12_31 and 1 <= date // 100 % 100 <= 12 and 1 <= date % 100 <= 31
