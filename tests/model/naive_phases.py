"""Session commands of the naive engine: phases, halts, deadlines and the day roll."""

from __future__ import annotations

from collections.abc import Iterable

from matching_engine import limits
from matching_engine.records import (
    ALL_INSTRUMENTS,
    Command,
    CommandKind,
    EventKind,
    OrderType,
    Phase,
    Reason,
    SettlementSource,
    TimeInForce,
)
from tests.model.naive_orders import Orders
from tests.model.naive_tables import Instrument, Order

FIFTEEN_MINUTES_NS = 15 * 60 * 10**9


class Phases(Orders):
    def set_phase(self, c: Command) -> None:
        if c.instrument != ALL_INSTRUMENTS and c.instrument >= len(self.listed):
            self.reject(c, Reason.UNKNOWN_INSTRUMENT)
        elif c.phase in (Phase.HALTED, Phase.DELISTED) or c.phase not in tuple(Phase):
            self.reject(c, Reason.INVALID_PHASE)
        elif self.is_delisted(c.instrument):
            self.reject(c, Reason.NO_LONGER_LISTED)
        else:
            before = self.phases()
            if c.instrument == ALL_INSTRUMENTS:
                self.venue_phase = c.phase
            for number in self.meant(c):
                self.listed[number].phase = c.phase
                self.end_auction(self.listed[number])  # 4.7
            self.phase_changed(c, before)

    def set_halted(self, c: Command) -> None:
        if c.instrument != ALL_INSTRUMENTS and c.instrument >= len(self.listed):
            self.reject(c, Reason.UNKNOWN_INSTRUMENT)
            return
        if self.is_delisted(c.instrument):
            self.reject(c, Reason.NO_LONGER_LISTED)
            return
        before, halted = self.phases(), c.kind == CommandKind.HALT
        if c.instrument == ALL_INSTRUMENTS:
            self.venue_halted = halted
        for number in self.meant(c):
            self.listed[number].halted = halted
        self.phase_changed(c, before)

    def phases(self) -> list[int]:
        return [self.phase(number) for number in range(len(self.listed))]

    def is_delisted(self, instrument: int) -> bool:
        return instrument < len(self.listed) and self.listed[instrument].phase == Phase.DELISTED

    def meant(self, c: Command) -> Iterable[int]:
        """8.10: a delisted instrument has no other phase any more."""
        return [
            number
            for number in range(len(self.listed))
            if c.instrument in (ALL_INSTRUMENTS, number) and not self.is_delisted(number)
        ]

    def end_auction(self, row: Instrument) -> None:
        row.in_auction, row.auction_ends_ns = False, 0

    def phase_changed(self, c: Command, before: list[int]) -> None:
        """8.7: emits the phase in force; for ALL_INSTRUMENTS the venue's, then each that differs. Then 4.2."""
        if c.instrument != ALL_INSTRUMENTS:
            self.emit(EventKind.PHASE_CHANGED, instrument=c.instrument, phase=self.phase(c.instrument))
        else:
            venue = int(Phase.HALTED) if self.venue_halted else self.venue_phase
            self.emit(EventKind.PHASE_CHANGED, instrument=ALL_INSTRUMENTS, phase=venue)
            for number in range(len(self.listed)):
                if self.phase(number) != venue:
                    self.emit(EventKind.PHASE_CHANGED, instrument=number, phase=self.phase(number))
        for number in self.meant(c):
            if self.phase(number) != before[number]:
                if before[number] == Phase.CONTINUOUS:
                    self.listed[number].quotes_until_ns = self.time_ns  # 4.10
                self.come_into_force(number)

    def time(self, c: Command) -> None:
        """4.9"""
        self.emit(EventKind.TIME_PASSED)
        gtd = [o for o in self.orders.values() if o.time_in_force == TimeInForce.GTD and o.time_s * 10**9 <= c.time_ns]
        for o in sorted(gtd, key=lambda o: (o.time_s, o.order_id)):  # 1.5
            self.end(o, EventKind.EXPIRED, Reason.EXPIRY_TIME)
        changed = []
        for number, row in enumerate(self.listed):
            if row.in_auction and row.auction_ends_ns <= c.time_ns:
                before = self.phase(number)
                self.end_auction(row)
                if self.phase(number) != before:
                    changed.append(number)
                    self.emit(EventKind.PHASE_CHANGED, instrument=number, phase=self.phase(number))
        for number in changed:
            self.come_into_force(number)

    # The day roll (4.8)

    def day_roll(self, c: Command) -> None:
        year, month, day = c.date // 10_000, c.date // 100 % 100, c.date % 100
        if not (c.date > self.trading_date and year <= 9999 and 1 <= month <= 12 and 1 <= day <= 31):
            self.reject(c, Reason.INVALID_DATE)
            return
        self.trading_date = c.date
        self.trading_day += 1
        for account in self.ledger.values():
            account.day_amount = 0
        self.emit(EventKind.DAY_ROLLED, date=c.date)
        for number, instrument in enumerate(self.listed):
            self.settle_day(number, instrument)
        self.trades = {}
        for o in self.open_orders():
            if o.time_in_force == TimeInForce.DAY:
                self.end(o, EventKind.EXPIRED, Reason.END_OF_DAY)
            elif self.is_outside_band(o):
                self.end(o, EventKind.CANCELED, Reason.OUTSIDE_BAND)
        self.called = set(range(len(self.listed)))
        self.sweep_client_ids()

    def is_outside_band(self, o: Order) -> bool:
        low, high = self.listed[o.instrument].edges()
        named = [o.trigger or o.price] if o.order_type == OrderType.STOP else [o.price, o.trigger or o.price]
        return not all(low <= price <= high for price in named)

    def settle_day(self, number: int, instrument: Instrument) -> None:
        if self.phase(number) == Phase.CONTINUOUS:
            instrument.quotes_until_ns = self.time_ns
        source, instrument.reference = self.waterfall(number, instrument)
        self.emit(
            EventKind.SETTLED,
            instrument=number,
            price_ticks=instrument.reference,
            quantity_lots=instrument.day_lots,
            amount_fen=instrument.day_amount,
            number=source,
        )
        instrument.day_lots = instrument.day_amount = instrument.last = instrument.closing_seq = 0
        instrument.quotes_since_ns = instrument.quotes_until_ns = self.time_ns
        if self.phase(number) != Phase.CONTINUOUS:
            instrument.quotes = (0, 0)

    def waterfall(self, number: int, instrument: Instrument) -> tuple[int, int]:
        """4.10: the source and the price of a settlement."""
        if instrument.day_lots >= 5:
            return SettlementSource.DAY_VWAP, self.vwap(instrument)
        for trade in self.trades.values():
            if trade.instrument == number and not trade.busted and trade.trade_id >> 20 == instrument.closing_seq:
                return SettlementSource.CLOSING_AUCTION, trade.price
        buy, sell = instrument.quotes
        if buy and sell and instrument.quotes_until_ns - instrument.quotes_since_ns >= FIFTEEN_MINUTES_NS:
            return SettlementSource.STANDING_QUOTES, (buy + sell + 1) // 2
        return SettlementSource.PREVIOUS, instrument.reference

    def vwap(self, instrument: Instrument) -> int:
        """Half up to the tick."""
        value_of_a_tick = instrument.day_lots * instrument.tick_value
        return (2 * instrument.day_amount + value_of_a_tick) // (2 * value_of_a_tick)

    def sweep_client_ids(self) -> None:
        """1.11"""
        for key, entry in list(self.client_ids.items()):
            if entry.order_id in self.orders:
                entry.day = self.trading_day
            elif self.trading_day - entry.day > limits.CLIENT_ID_TRADING_DAYS:
                del self.client_ids[key]
