"""The operators' commands: accounts and their limits, instruments and their rules, fees, busts (rulebook 7.2 and 8)."""

from __future__ import annotations

import cython

from matching_engine.event_log import EventLog
from matching_engine.ledger.accounts import Accounts
from matching_engine.ledger.day_trades import DayTrades
from matching_engine.ledger.fees import Fees
from matching_engine.ledger.instruments import Instruments
from matching_engine.record_rows import EventOut
from matching_engine.records import Command
from matching_engine.rules.session_commands import SessionCommands

if not cython.compiled:  # when compiled, these stand in the .pxd
    from matching_engine.limits import (
        MAX_ACCOUNTS,
        MAX_AUCTION_S,
        MAX_DAY_AMOUNT_FEN,
        MAX_HELD_LOTS,
        MAX_INSTRUMENTS,
        MAX_TICK_VALUE_FEN,
    )
    from matching_engine.pools import NIL
    from matching_engine.records import (
        MAX_AMOUNT_FEN,
        MAX_PRICE_TICKS,
        MAX_QUANTITY_LOTS,
        MAX_RATE_PPM,
        VENUE,
        CommandKind,
        EventKind,
        Flag,
        Phase,
        Reason,
        Side,
    )

    # As a number: the complement of a Flag has only the bits that are flags.
    TERMS = int(Flag.CHANGE_BAND | Flag.CHANGE_COLLAR | Flag.CHANGE_QUANTITY)


class OperatorCommands:
    """Each public method carries out one command, or refuses it."""

    def __init__(
        self,
        ledger: Accounts,
        fees: Fees,
        instruments: Instruments,
        day_trades: DayTrades,
        session_commands: SessionCommands,
        log: EventLog,
    ) -> None:
        self.ledger = ledger
        self.fees = fees
        self.instruments = instruments
        self.day_trades = day_trades
        self.session_commands = session_commands
        self.log = log

    # Accounts

    def open_account(self, command: Command) -> None:
        """OPEN_ACCOUNT: the account gets the next number."""
        if self.ledger.count >= MAX_ACCOUNTS:
            self.log.reject(command, Reason.TOO_MANY, 0)
            return
        account = self.ledger.open_account(command.owner, command.account_class)
        event = self.log.add(EventKind.ACCOUNT_OPENED, Reason.NONE)
        event.account = account

    def change_cash(self, command: Command) -> None:
        """DEPOSIT, WITHDRAW."""
        reason = self._cash_refusal(command)
        if reason != Reason.NONE:
            self.log.reject(command, reason, 0)
            return
        amount = command.amount_fen if command.kind == CommandKind.DEPOSIT else -command.amount_fen
        self.ledger.change_cash(command.account, amount)
        event = self.log.add(EventKind.BALANCE_CHANGED, Reason.NONE)
        event.account = command.account
        event.amount_fen = amount

    def _cash_refusal(self, command: Command) -> int:
        if not self.ledger.knows(command.account):
            return Reason.UNKNOWN_ACCOUNT
        if command.amount_fen < 1 or command.amount_fen > MAX_AMOUNT_FEN:
            return Reason.INVALID_AMOUNT
        if command.kind == CommandKind.DEPOSIT:
            room = MAX_AMOUNT_FEN - self.ledger.deposited_fen
            return Reason.INVALID_AMOUNT if command.amount_fen > room else Reason.NONE
        return Reason.INSUFFICIENT_FUNDS if command.amount_fen > self.ledger.free_fen(command.account) else Reason.NONE

    def change_lots(self, command: Command) -> None:
        """RECEIVE, RELEASE."""
        reason = self._lots_refusal(command)
        if reason != Reason.NONE:
            self.log.reject(command, reason, 0)
            return
        lots = command.quantity_lots if command.kind == CommandKind.RECEIVE else -command.quantity_lots
        self.ledger.change_lots(command.account, command.instrument, lots)
        event = self.log.add(EventKind.BALANCE_CHANGED, Reason.NONE)
        event.account = command.account
        event.instrument = command.instrument
        event.quantity_lots = lots

    def _lots_refusal(self, command: Command) -> int:
        if not self.ledger.knows(command.account):
            return Reason.UNKNOWN_ACCOUNT
        if command.instrument >= self.instruments.count:
            return Reason.UNKNOWN_INSTRUMENT
        if command.quantity_lots < 1 or command.quantity_lots > MAX_HELD_LOTS:
            return Reason.INVALID_QUANTITY
        if command.kind == CommandKind.RECEIVE:
            room = MAX_HELD_LOTS - self.ledger.received_lots[command.instrument]
            return Reason.INVALID_QUANTITY if command.quantity_lots > room else Reason.NONE
        free = self.ledger.free_lots(command.account, command.instrument)
        return Reason.INSUFFICIENT_INVENTORY if command.quantity_lots > free else Reason.NONE

    def set_order_limits(self, command: Command) -> None:
        """SET_ORDER_LIMITS (8.2)."""
        reason: int = Reason.NONE
        if not self.ledger.knows(command.account):
            reason = Reason.UNKNOWN_ACCOUNT
        elif command.quantity_lots < 0 or command.quantity_lots > MAX_QUANTITY_LOTS:
            reason = Reason.INVALID_QUANTITY
        elif command.amount_fen < 0 or command.amount_fen > MAX_AMOUNT_FEN:
            reason = Reason.INVALID_AMOUNT
        if reason != Reason.NONE:
            self.log.reject(command, reason, 0)
            return
        self.ledger.rows[command.account].max_order_lots = command.quantity_lots
        self.ledger.rows[command.account].max_order_fen = command.amount_fen
        self.ledger.rows[command.account].max_open_orders = command.number
        self._emit_account(EventKind.LIMITS_SET, command.account)

    def set_turnover_limit(self, command: Command) -> None:
        """SET_TURNOVER_LIMIT (8.2)."""
        reason: int = Reason.NONE
        if not self.ledger.knows(command.account):
            reason = Reason.UNKNOWN_ACCOUNT
        elif command.amount_fen < 0 or command.amount_fen > MAX_DAY_AMOUNT_FEN:
            reason = Reason.INVALID_AMOUNT
        if reason != Reason.NONE:
            self.log.reject(command, reason, 0)
            return
        self.ledger.rows[command.account].max_day_fen = command.amount_fen
        self._emit_account(EventKind.LIMITS_SET, command.account)

    def set_kill_switch(self, command: Command) -> None:
        """KILL_SWITCH_ON, KILL_SWITCH_OFF (8.3), for an account or for the venue. The venue's row is 0."""
        if command.account != 0 and not self.ledger.knows(command.account):
            self.log.reject(command, Reason.UNKNOWN_ACCOUNT, 0)
            return
        on = command.kind == CommandKind.KILL_SWITCH_ON
        self.ledger.rows[command.account].kill_switch = on
        event = self._emit_account(EventKind.KILL_SWITCH_SET, command.account)
        event.number = on

    def _emit_account(self, kind: int, account: int) -> EventOut:
        event = self.log.add(kind, Reason.NONE)
        event.account = account
        return event

    # Instruments

    def list_instrument(self, command: Command) -> None:
        """LIST_INSTRUMENT: the instrument has the next number and begins in the venue's phase."""
        reason = self._listing_refusal(command)
        if reason != Reason.NONE:
            self.log.reject(command, reason, 0)
            return
        instrument = self.instruments.add(
            command.amount_fen, command.price_ticks, command.rate_ppm, command.quantity_lots
        )
        event = self.log.add(EventKind.INSTRUMENT_LISTED, Reason.NONE)
        event.instrument = command.instrument
        event.price_ticks = command.price_ticks
        if self.instruments.phase(instrument) != Phase.CLOSED:
            self.session_commands.emit_phase(instrument, self.instruments.phase(instrument))

    def _listing_refusal(self, command: Command) -> int:
        if command.instrument != self.instruments.count:
            return Reason.UNKNOWN_INSTRUMENT
        if command.quantity_lots < 1 or command.quantity_lots > MAX_QUANTITY_LOTS:
            return Reason.INVALID_QUANTITY
        if command.price_ticks < 1 or command.price_ticks > MAX_PRICE_TICKS:
            return Reason.INVALID_PRICE
        if command.amount_fen < 1 or command.amount_fen > MAX_TICK_VALUE_FEN:
            return Reason.INVALID_AMOUNT
        if command.rate_ppm > MAX_RATE_PPM:
            return Reason.INVALID_RATE
        return Reason.TOO_MANY if self.instruments.count >= MAX_INSTRUMENTS else Reason.NONE

    def change_instrument(self, command: Command) -> None:
        """CHANGE_INSTRUMENT (8.9): the terms that the flags name, and the end of the orders that a new band leaves outside."""
        reason = self._change_refusal(command)
        if reason != Reason.NONE:
            self.log.reject(command, reason, 0)
            return
        if command.flags & Flag.CHANGE_COLLAR:
            self.instruments.rows[command.instrument].collar_ppm = command.taker_rate_ppm
        if command.flags & Flag.CHANGE_QUANTITY:
            self.instruments.rows[command.instrument].max_quantity_lots = command.quantity_lots
        self._emit_instrument(EventKind.INSTRUMENT_CHANGED, command.instrument)
        if command.flags & Flag.CHANGE_BAND:
            self.instruments.set_band(command.instrument, command.rate_ppm)
            self.session_commands.end_outside_band(command.instrument)

    def _change_refusal(self, command: Command) -> int:
        """A value without its flag is a mistake, as in an AMEND."""
        reason: int = self.instruments.refusal(command.instrument)
        if reason == Reason.UNKNOWN_INSTRUMENT:
            return reason
        if (
            command.flags & ~TERMS != 0
            or (command.rate_ppm != 0 and not command.flags & Flag.CHANGE_BAND)
            or (command.taker_rate_ppm != 0 and not command.flags & Flag.CHANGE_COLLAR)
            or (command.quantity_lots != 0 and not command.flags & Flag.CHANGE_QUANTITY)
        ):
            return Reason.INVALID_OPTION
        if command.flags & Flag.CHANGE_QUANTITY and (
            command.quantity_lots < 1 or command.quantity_lots > MAX_QUANTITY_LOTS
        ):
            return Reason.INVALID_QUANTITY
        if command.rate_ppm > MAX_RATE_PPM or command.taker_rate_ppm > MAX_RATE_PPM:
            return Reason.INVALID_RATE
        return reason

    def delist_instrument(self, command: Command) -> None:
        """DELIST_INSTRUMENT (8.10): its orders end, and it takes no more."""
        reason = self.instruments.refusal(command.instrument)
        if reason != Reason.NONE:
            self.log.reject(command, reason, 0)
            return
        event = self.log.add(EventKind.INSTRUMENT_DELISTED, Reason.NONE)
        event.instrument = command.instrument
        event.number = self.session_commands.delist(command.instrument)

    def set_collar(self, command: Command) -> None:
        """SET_COLLAR (8.6)."""
        reason: int = self.instruments.refusal(command.instrument)
        if reason != Reason.UNKNOWN_INSTRUMENT and command.rate_ppm > MAX_RATE_PPM:
            reason = Reason.INVALID_RATE
        if reason != Reason.NONE:
            self.log.reject(command, reason, 0)
            return
        self.instruments.rows[command.instrument].collar_ppm = command.rate_ppm
        self._emit_instrument(EventKind.COLLAR_SET, command.instrument)

    def set_volatility_band(self, command: Command) -> None:
        """SET_VOLATILITY_BAND (8.6)."""
        reason: int = self.instruments.refusal(command.instrument)
        if reason == Reason.UNKNOWN_INSTRUMENT:
            pass
        elif (command.time_s < 1 or command.time_s > MAX_AUCTION_S) if command.rate_ppm else command.time_s != 0:
            reason = Reason.INVALID_EXPIRY
        elif command.rate_ppm > MAX_RATE_PPM:
            reason = Reason.INVALID_RATE
        if reason != Reason.NONE:
            self.log.reject(command, reason, 0)
            return
        self.instruments.rows[command.instrument].volatility_ppm = command.rate_ppm
        self.instruments.rows[command.instrument].auction_s = command.time_s
        self._emit_instrument(EventKind.VOLATILITY_BAND_SET, command.instrument)

    def _emit_instrument(self, kind: int, instrument: int) -> None:
        event = self.log.add(kind, Reason.NONE)
        event.instrument = instrument

    # The venue

    def set_fees(self, command: Command) -> None:
        """SET_FEES (8.5)."""
        if command.rate_ppm > MAX_RATE_PPM or command.taker_rate_ppm > MAX_RATE_PPM:
            self.log.reject(command, Reason.INVALID_RATE, 0)
            return
        self.fees.set(command.account_class, command.rate_ppm, command.taker_rate_ppm)
        self.log.add(EventKind.FEES_SET, Reason.NONE)

    def bust_trade(self, command: Command) -> None:
        """BUST_TRADE (7.2): reverses a trade of this trading day."""
        row = self.day_trades.find(command.order_id)
        if row == NIL or self.day_trades.rows[row].busted:
            self.log.reject(command, Reason.UNKNOWN_TRADE, command.order_id)
            return
        maker_buys = self.day_trades.rows[row].side == Side.SELL
        account = self.day_trades.rows[row].account
        maker = self.day_trades.rows[row].maker_account
        amount = self.day_trades.rows[row].amount_fen
        fee = self.day_trades.rows[row].fee_fen
        maker_fee = self.day_trades.rows[row].maker_fee_fen
        # What each side gets back; the venue returns both fees.
        account_fen = fee - amount if maker_buys else amount + fee
        maker_fen = amount + maker_fee if maker_buys else maker_fee - amount
        reason = self._bust_refusal(row, maker if maker_buys else account, account_fen, maker_fen)
        if reason != Reason.NONE:
            self.log.reject(command, reason, command.order_id)
            return
        self.ledger.move_cash(account, account_fen)
        self.ledger.move_cash(maker, maker_fen)
        self.ledger.move_cash(VENUE, -fee - maker_fee)
        self._give_back_lots(row, maker if maker_buys else account, account if maker_buys else maker)
        self._emit_busted(row)

    def _bust_refusal(self, row: int, buyer: int, account_fen: int, maker_fen: int) -> int:
        """The reason if the free cash of either side or of the venue, or the buyer's free lots, do not suffice; else NONE."""
        account = self.day_trades.rows[row].account
        maker = self.day_trades.rows[row].maker_account
        venue_fen = -account_fen - maker_fen
        both_fen = account_fen + (venue_fen if account == VENUE else 0)
        if both_fen + self.ledger.free_fen(account) < 0:
            return Reason.INSUFFICIENT_FUNDS
        both_fen = maker_fen + (venue_fen if maker == VENUE else 0)
        if both_fen + self.ledger.free_fen(maker) < 0:
            return Reason.INSUFFICIENT_FUNDS
        if account != VENUE and maker != VENUE and venue_fen + self.ledger.free_fen(VENUE) < 0:
            return Reason.INSUFFICIENT_FUNDS
        free = self.ledger.free_lots(buyer, self.day_trades.rows[row].instrument)
        return Reason.INSUFFICIENT_INVENTORY if self.day_trades.rows[row].quantity_lots > free else Reason.NONE

    def _give_back_lots(self, row: int, buyer: int, seller: int) -> None:
        """Moves the lots back, and takes the trade out of the day's turnover."""
        instrument = self.day_trades.rows[row].instrument
        lots = self.day_trades.rows[row].quantity_lots
        amount = self.day_trades.rows[row].amount_fen
        self.ledger.move_lots(buyer, instrument, -lots)
        self.ledger.move_lots(seller, instrument, lots)
        self.ledger.count_traded(buyer, -amount)
        self.ledger.count_traded(seller, -amount)
        self.instruments.rows[instrument].day_lots -= lots
        self.instruments.rows[instrument].day_amount_fen -= amount
        self.day_trades.rows[row].busted = 1

    def _emit_busted(self, row: int) -> None:
        event = self.log.add(EventKind.TRADE_BUSTED, Reason.NONE)
        event.order_id = self.day_trades.rows[row].trade_id
        event.account = self.day_trades.rows[row].account
        event.maker_account = self.day_trades.rows[row].maker_account
        event.instrument = self.day_trades.rows[row].instrument
        event.side = self.day_trades.rows[row].side
        event.price_ticks = self.day_trades.rows[row].price_ticks
        event.quantity_lots = self.day_trades.rows[row].quantity_lots
        event.amount_fen = self.day_trades.rows[row].amount_fen
        event.fee_fen = self.day_trades.rows[row].fee_fen
        event.maker_fee_fen = self.day_trades.rows[row].maker_fee_fen
