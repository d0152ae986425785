"""What time brings: phases, halts, ends of volatility auctions and of GTD orders, the day roll (rulebook 1.5, 2.3 and 4)."""

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
    from matching_engine.ledger.instruments import SECOND_NS
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


class SessionCommands:
    """Each of the first methods answers one command, which it gets as `c`."""

    def __init__(
        self,
        book: Book,
        ledger: Accounts,
        listed: Instruments,
        client_ids: ClientIds,
        day_trades: DayTrades,
        expiries: Expiries,
        execution: Execution,
        log: EventLog,
    ) -> None:
        self.book = book
        self.ledger = ledger
        self.listed = listed
        self.client_ids = client_ids
        self.day_trades = day_trades
        self.expiries = expiries
        self.execution = execution
        self.log = log
        self.turnover = Turnover()
        self.walk = OrderWalk(book)
        self.trading_date = 0

    # Phases

    def change_phase(self, c: Command) -> None:
        """SET_PHASE, HALT, RESUME."""
        reason = self._phase_refusal(c)
        if reason != Reason.NONE:
            self.log.reject(c, reason, 0)
            return
        self.listed.note_phases()
        if c.instrument != ALL_INSTRUMENTS:
            if c.kind == CommandKind.SET_PHASE:
                self.listed.set_phase(c.instrument, c.phase)
            else:
                self.listed.set_halted(c.instrument, c.kind == CommandKind.HALT)
            self.say_phase(c.instrument, self.listed.phase(c.instrument))
            self._enter_phase(c.instrument)
            return
        if c.kind == CommandKind.SET_PHASE:
            self.listed.set_all_phases(c.phase)
        else:
            self.listed.set_all_halted(c.kind == CommandKind.HALT)
        self.say_phase(ALL_INSTRUMENTS, self.listed.initial_phase())
        for i in range(self.listed.count):
            if self.listed.phase(i) != self.listed.initial_phase():
                self.say_phase(i, self.listed.phase(i))
        self._enter_phases()

    def _phase_refusal(self, c: Command) -> int:
        if c.instrument != ALL_INSTRUMENTS and c.instrument >= self.listed.count:
            return Reason.UNKNOWN_INSTRUMENT
        if c.kind == CommandKind.SET_PHASE and (c.phase == Phase.HALTED or c.phase > Phase.AUCTION_MATCHING):
            return Reason.INVALID_PHASE
        return Reason.NONE

    def say_phase(self, instrument: int, phase: int) -> None:
        """PHASE_CHANGED: what is true from now on."""
        event = self.log.add(EventKind.PHASE_CHANGED, Reason.NONE)
        event.instrument = instrument
        event.phase = phase

    def _enter_phases(self) -> None:
        for i in range(self.listed.count):
            self._enter_phase(i)

    def _enter_phase(self, instrument: int) -> None:
        """A phase that must not be crossed begins with an uncrossing, one that trades with the triggers reached by then, a call
        auction with its indicative price."""
        phase = self.listed.phase(instrument)
        if phase == self.listed.rows[instrument].phase_before:
            return
        if not self.listed.rules[phase].may_be_crossed:
            self.execution.uncross(instrument)
        if self.listed.rules[phase].trades and self.book.last[instrument].traded:
            last = self.book.last[instrument].price_ticks
            self.book.trigger(instrument, last, last)
            self.execution.cascade()
        if phase == Phase.CALL_AUCTION:
            self.execution.indicate(instrument)

    # Time

    def pass_time(self, c: Command) -> None:
        """TIME: what was due by then (1.5, 4.9)."""
        self.log.add(EventKind.TIME_PASSED, Reason.NONE)
        slot = self.expiries.first()
        while slot != NIL and self._expiry_ns(slot) <= c.time_ns:
            self.expiries.drop_first()
            self.execution.end(slot, EventKind.EXPIRED, Reason.EXPIRY_TIME)
            slot = self.expiries.first()
        self.listed.note_phases()
        for i in range(self.listed.count):
            if self.listed.rows[i].in_auction and self.listed.rows[i].auction_ends_ns <= c.time_ns:
                self.listed.end_auction(i)
                if self.listed.phase(i) != self.listed.rows[i].phase_before:
                    self.say_phase(i, self.listed.phase(i))
        self._enter_phases()

    def next_deadline_ns(self) -> int:
        """The earliest instant at which a TIME command is due; 0 for none."""
        slot = self.expiries.first()
        deadline = self._expiry_ns(slot) if slot != NIL else 0
        for i in range(self.listed.count):
            ends = self.listed.rows[i].auction_ends_ns
            if self.listed.rows[i].in_auction and (deadline == 0 or ends < deadline):
                deadline = ends
        return deadline

    def _expiry_ns(self, slot: int) -> int:
        return self.book.orders[slot].time_s * SECOND_NS

    # The day roll

    def roll_day(self, c: Command) -> None:
        """DAY_ROLL (4.8): `date` is the trading day that begins."""
        if c.date <= self.trading_date or not is_date(c.date):
            self.log.reject(c, Reason.INVALID_DATE, 0)
            return
        year = self.trading_date // 10_000
        self.trading_date = c.date
        self.client_ids.day += 1
        event = self.log.add(EventKind.DAY_ROLLED, Reason.NONE)
        event.date = c.date
        for instrument in range(self.listed.count):
            self._settle(instrument, year)
        for instrument in range(self.listed.count):
            self._end_orders(instrument, 0)
            self._end_orders(instrument, 1)
        for instrument in range(self.listed.count):
            if self.listed.phase(instrument) == Phase.CALL_AUCTION:
                self.execution.indicate(instrument)
        self.ledger.begin_day()
        self.day_trades.clear()
        self._forget_client_ids()

    def _settle(self, instrument: int, year: int) -> None:
        """Ends an instrument's day and adds its turnover to the year's."""
        lots = self.listed.rows[instrument].day_lots
        amount = self.listed.rows[instrument].day_amount_fen
        self.turnover.add(year, amount)
        self.book.forget_last(instrument)
        reference = self.listed.end_day(instrument)
        event = self.log.add(EventKind.SETTLED, Reason.NONE)
        event.instrument = instrument
        event.price_ticks = reference
        event.quantity_lots = lots
        event.amount_fen = amount

    def _end_orders(self, instrument: int, side: int) -> None:
        """Ends the orders of a side that don't live on into the new day."""
        self.walk.begin(instrument, side)
        slot = self.walk.next()
        while slot != NIL:
            if self.book.orders[slot].time_in_force == TimeInForce.DAY:
                self.execution.end(slot, EventKind.EXPIRED, Reason.END_OF_DAY)
            elif self._outside_band(instrument, slot):
                self.execution.end(slot, EventKind.CANCELED, Reason.OUTSIDE_BAND)
            slot = self.walk.next()

    def _outside_band(self, instrument: int, slot: int) -> bool:
        """Whether what the order names, price or trigger, is outside the day's band."""
        low = self.listed.rows[instrument].low_ticks
        high = self.listed.rows[instrument].high_ticks
        if self.book.orders[slot].order_type != OrderType.STOP:
            price = self.book.orders[slot].price_ticks
            if price < low or price > high:
                return True
        if not self.book.orders[slot].waiting:
            return False
        trigger = self.book.trigger_ticks(slot)
        return trigger < low or trigger > high

    def _forget_client_ids(self) -> None:
        """Notes which ids belong to orders open today, and drops those that are too old."""
        for row in range(1, self.client_ids.count + 1):
            if self.book.find(self.client_ids.rows[row].order_id) != NIL:
                self.client_ids.rows[row].day = self.client_ids.day
        if self.client_ids.day > CLIENT_ID_TRADING_DAYS:
            self.client_ids.forget_before(self.client_ids.day - CLIENT_ID_TRADING_DAYS)


def is_date(date: int) -> bool:
    """Whether yyyymmdd can be a date; the calendar is the venue's."""
    return date <= 9999_12_31 and 1 <= date // 100 % 100 <= 12 and 1 <= date % 100 <= 31
