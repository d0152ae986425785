"""Operators' commands of the naive engine: accounts, listings, limits, kill switches and rates."""

from __future__ import annotations

from matching_engine import limits
from matching_engine.records import (
    MAX_AMOUNT_FEN,
    MAX_PRICE_TICKS,
    MAX_QUANTITY_LOTS,
    MAX_RATE_PPM,
    Command,
    CommandKind,
    EventKind,
    Flag,
    Phase,
    Reason,
)
from tests.model.naive_phases import Phases
from tests.model.naive_tables import Account, Holding, Instrument


class NaiveOperators(Phases):
    # Accounts

    def open_account(self, c: Command) -> None:
        if len(self.ledger) >= limits.MAX_ACCOUNTS:
            self.reject(c, Reason.TOO_MANY)
            return
        account = len(self.ledger) + 1
        self.ledger[account] = Account(owner=c.owner or account, account_class=c.account_class)
        self.emit(EventKind.ACCOUNT_OPENED, account=account)

    def deposit(self, c: Command) -> None:
        if c.account not in self.ledger:
            self.reject(c, Reason.UNKNOWN_ACCOUNT)
        elif c.amount_fen < 1 or self.deposited + c.amount_fen > MAX_AMOUNT_FEN:
            self.reject(c, Reason.INVALID_AMOUNT)
        else:
            self.change_cash(c, c.amount_fen)

    def withdraw(self, c: Command) -> None:
        account = self.ledger.get(c.account)
        if account is None:
            self.reject(c, Reason.UNKNOWN_ACCOUNT)
        elif not 1 <= c.amount_fen <= MAX_AMOUNT_FEN:
            self.reject(c, Reason.INVALID_AMOUNT)
        elif account.cash - account.reserved < c.amount_fen:
            self.reject(c, Reason.INSUFFICIENT_FUNDS)
        else:
            self.change_cash(c, -c.amount_fen)

    def change_cash(self, c: Command, amount: int) -> None:
        self.ledger[c.account].cash += amount
        self.deposited += amount
        self.emit(EventKind.BALANCE_CHANGED, account=c.account, amount_fen=amount)

    def receive(self, c: Command) -> None:
        if c.account not in self.ledger:
            self.reject(c, Reason.UNKNOWN_ACCOUNT)
        elif c.instrument >= len(self.listed):
            self.reject(c, Reason.UNKNOWN_INSTRUMENT)
        elif c.quantity_lots < 1 or self.listed[c.instrument].received + c.quantity_lots > limits.MAX_HELD_LOTS:
            self.reject(c, Reason.INVALID_QUANTITY)
        else:
            self.change_lots(c, c.quantity_lots)

    def release(self, c: Command) -> None:
        lots, reserved = self.holding(c.account, c.instrument)
        if c.account not in self.ledger:
            self.reject(c, Reason.UNKNOWN_ACCOUNT)
        elif c.instrument >= len(self.listed):
            self.reject(c, Reason.UNKNOWN_INSTRUMENT)
        elif not 1 <= c.quantity_lots <= limits.MAX_HELD_LOTS:
            self.reject(c, Reason.INVALID_QUANTITY)
        elif lots - reserved < c.quantity_lots:
            self.reject(c, Reason.INSUFFICIENT_INVENTORY)
        else:
            self.change_lots(c, -c.quantity_lots)

    def change_lots(self, c: Command, lots: int) -> None:
        self.held.setdefault((c.account, c.instrument), Holding()).lots += lots
        self.listed[c.instrument].received += lots
        self.emit(EventKind.BALANCE_CHANGED, account=c.account, instrument=c.instrument, quantity_lots=lots)

    # The venue

    def list_instrument(self, c: Command) -> None:
        if c.instrument != len(self.listed):
            self.reject(c, Reason.UNKNOWN_INSTRUMENT)
        elif not 1 <= c.quantity_lots <= MAX_QUANTITY_LOTS:
            self.reject(c, Reason.INVALID_QUANTITY)
        elif not 1 <= c.price_ticks <= MAX_PRICE_TICKS:
            self.reject(c, Reason.INVALID_PRICE)
        elif not 1 <= c.amount_fen <= limits.MAX_TICK_VALUE_FEN:
            self.reject(c, Reason.INVALID_AMOUNT)
        elif c.rate_ppm > MAX_RATE_PPM:
            self.reject(c, Reason.INVALID_RATE)
        elif len(self.listed) >= limits.MAX_INSTRUMENTS:
            self.reject(c, Reason.TOO_MANY)
        else:
            self.listed.append(
                Instrument(
                    tick_value=c.amount_fen,
                    reference=c.price_ticks,
                    band_ppm=c.rate_ppm,
                    max_quantity=c.quantity_lots,
                    phase=self.venue_phase,
                    halted=self.venue_halted,
                )
            )
            self.emit(EventKind.INSTRUMENT_LISTED, instrument=c.instrument, price_ticks=c.price_ticks)
            if self.phase(c.instrument) != Phase.CLOSED:  # 8.7
                self.emit(EventKind.PHASE_CHANGED, instrument=c.instrument, phase=self.phase(c.instrument))

    def change_instrument(self, c: Command) -> None:
        """8.9"""
        if c.instrument >= len(self.listed):
            self.reject(c, Reason.UNKNOWN_INSTRUMENT)
            return
        values = {
            Flag.CHANGE_BAND: c.rate_ppm,
            Flag.CHANGE_COLLAR: c.taker_rate_ppm,
            Flag.CHANGE_QUANTITY: c.quantity_lots,
        }
        new = {flag: value for flag, value in values.items() if c.flags & flag}
        if sum(new) != c.flags or any(value for flag, value in values.items() if flag not in new):
            self.reject(c, Reason.INVALID_OPTION)
        elif not 1 <= new.get(Flag.CHANGE_QUANTITY, 1) <= MAX_QUANTITY_LOTS:
            self.reject(c, Reason.INVALID_QUANTITY)
        elif c.rate_ppm > MAX_RATE_PPM or c.taker_rate_ppm > MAX_RATE_PPM:
            self.reject(c, Reason.INVALID_RATE)
        elif self.is_delisted(c.instrument):
            self.reject(c, Reason.NO_LONGER_LISTED)
        else:
            row = self.listed[c.instrument]
            row.band_ppm = new.get(Flag.CHANGE_BAND, row.band_ppm)
            row.collar_ppm = new.get(Flag.CHANGE_COLLAR, row.collar_ppm)
            row.max_quantity = new.get(Flag.CHANGE_QUANTITY, row.max_quantity)
            self.emit(EventKind.INSTRUMENT_CHANGED, instrument=c.instrument)
            for o in self.open_orders():
                if o.instrument == c.instrument and self.is_outside_band(o):
                    self.end(o, EventKind.CANCELED, Reason.OUTSIDE_BAND)

    def delist_instrument(self, c: Command) -> None:
        """8.10"""
        if c.instrument >= len(self.listed):
            self.reject(c, Reason.UNKNOWN_INSTRUMENT)
            return
        if self.is_delisted(c.instrument):
            self.reject(c, Reason.NO_LONGER_LISTED)
            return
        row, orders = self.listed[c.instrument], [o for o in self.open_orders() if o.instrument == c.instrument]
        if self.phase(c.instrument) == Phase.CONTINUOUS:
            row.quotes_until_ns = self.time_ns  # 4.10
        row.phase, row.halted = int(Phase.DELISTED), False
        self.end_auction(row)
        self.emit(EventKind.INSTRUMENT_DELISTED, instrument=c.instrument, number=len(orders))
        self.emit(EventKind.PHASE_CHANGED, instrument=c.instrument, phase=Phase.DELISTED)
        for o in orders:
            self.end(o, EventKind.CANCELED, Reason.INSTRUMENT_DELISTED)

    # Limits, kill switches, rates

    def set_order_limits(self, c: Command) -> None:
        if c.account not in self.ledger:
            self.reject(c, Reason.UNKNOWN_ACCOUNT)
        elif not 0 <= c.quantity_lots <= MAX_QUANTITY_LOTS:
            self.reject(c, Reason.INVALID_QUANTITY)
        elif not 0 <= c.amount_fen <= MAX_AMOUNT_FEN:
            self.reject(c, Reason.INVALID_AMOUNT)
        else:
            row = self.ledger[c.account]
            row.max_order_lots, row.max_order_fen, row.max_open_orders = c.quantity_lots, c.amount_fen, c.number
            self.emit(EventKind.LIMITS_SET, account=c.account)

    def set_turnover_limit(self, c: Command) -> None:
        if c.account not in self.ledger:
            self.reject(c, Reason.UNKNOWN_ACCOUNT)
        elif not 0 <= c.amount_fen <= limits.MAX_DAY_AMOUNT_FEN:
            self.reject(c, Reason.INVALID_AMOUNT)
        else:
            self.ledger[c.account].max_day_fen = c.amount_fen
            self.emit(EventKind.LIMITS_SET, account=c.account)

    def set_kill_switch(self, c: Command) -> None:
        on = c.kind == CommandKind.KILL_SWITCH_ON
        if c.account and c.account not in self.ledger:
            self.reject(c, Reason.UNKNOWN_ACCOUNT)
            return
        if c.account:
            self.ledger[c.account].kill_switch = on
        else:
            self.venue_kill_switch = on
        self.emit(EventKind.KILL_SWITCH_SET, account=c.account, number=on)

    def set_fees(self, c: Command) -> None:
        if c.rate_ppm > MAX_RATE_PPM or c.taker_rate_ppm > MAX_RATE_PPM:
            self.reject(c, Reason.INVALID_RATE)
        else:
            self.fees[c.account_class] = (c.rate_ppm, c.taker_rate_ppm)
            self.emit(EventKind.FEES_SET)

    def set_collar(self, c: Command) -> None:
        if c.instrument >= len(self.listed):
            self.reject(c, Reason.UNKNOWN_INSTRUMENT)
        elif c.rate_ppm > MAX_RATE_PPM:
            self.reject(c, Reason.INVALID_RATE)
        elif self.is_delisted(c.instrument):
            self.reject(c, Reason.NO_LONGER_LISTED)
        else:
            self.listed[c.instrument].collar_ppm = c.rate_ppm
            self.emit(EventKind.COLLAR_SET, instrument=c.instrument)

    def set_volatility_band(self, c: Command) -> None:
        if c.instrument >= len(self.listed):
            self.reject(c, Reason.UNKNOWN_INSTRUMENT)
        elif not 1 <= c.time_s <= limits.MAX_AUCTION_S if c.rate_ppm else c.time_s:
            self.reject(c, Reason.INVALID_EXPIRY)
        elif c.rate_ppm > MAX_RATE_PPM:
            self.reject(c, Reason.INVALID_RATE)
        elif self.is_delisted(c.instrument):
            self.reject(c, Reason.NO_LONGER_LISTED)
        else:
            row = self.listed[c.instrument]
            row.volatility_ppm, row.auction_s = c.rate_ppm, c.time_s
            self.emit(EventKind.VOLATILITY_BAND_SET, instrument=c.instrument)

    def record(self, c: Command) -> None:
        self.emit(EventKind.RECORDED)
