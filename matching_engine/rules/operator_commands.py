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
        Phase,
        Reason,
        Side,
    )


class OperatorCommands:
    """Each public method answers one command, which it gets as `c`."""

    def __init__(
        self,
        ledger: Accounts,
        fees: Fees,
        listed: Instruments,
        day_trades: DayTrades,
        session_commands: SessionCommands,
        log: EventLog,
    ) -> None:
        self.ledger = ledger
        self.fees = fees
        self.listed = listed
        self.day_trades = day_trades
        self.session_commands = session_commands
        self.log = log

    # Accounts

    def open_account(self, c: Command) -> None:
        """OPEN_ACCOUNT: the next number."""
        if self.ledger.count >= MAX_ACCOUNTS:
            self.log.reject(c, Reason.TOO_MANY, 0)
            return
        account = self.ledger.open_account(c.owner, c.account_class)
        event = self.log.add(EventKind.ACCOUNT_OPENED, Reason.NONE)
        event.account = account

    def change_cash(self, c: Command) -> None:
        """DEPOSIT, WITHDRAW."""
        reason = self._cash_refusal(c)
        if reason != Reason.NONE:
            self.log.reject(c, reason, 0)
            return
        amount = c.amount_fen if c.kind == CommandKind.DEPOSIT else -c.amount_fen
        self.ledger.change_cash(c.account, amount)
        event = self.log.add(EventKind.BALANCE_CHANGED, Reason.NONE)
        event.account = c.account
        event.amount_fen = amount

    def _cash_refusal(self, c: Command) -> int:
        if not self.ledger.knows(c.account):
            return Reason.UNKNOWN_ACCOUNT
        if c.amount_fen < 1 or c.amount_fen > MAX_AMOUNT_FEN:
            return Reason.INVALID_AMOUNT
        if c.kind == CommandKind.DEPOSIT:
            room = MAX_AMOUNT_FEN - self.ledger.deposited_fen
            return Reason.INVALID_AMOUNT if c.amount_fen > room else Reason.NONE
        return Reason.INSUFFICIENT_FUNDS if c.amount_fen > self.ledger.free_fen(c.account) else Reason.NONE

    def change_lots(self, c: Command) -> None:
        """RECEIVE, RELEASE."""
        reason = self._lots_refusal(c)
        if reason != Reason.NONE:
            self.log.reject(c, reason, 0)
            return
        lots = c.quantity_lots if c.kind == CommandKind.RECEIVE else -c.quantity_lots
        self.ledger.change_lots(c.account, c.instrument, lots)
        event = self.log.add(EventKind.BALANCE_CHANGED, Reason.NONE)
        event.account = c.account
        event.instrument = c.instrument
        event.quantity_lots = lots

    def _lots_refusal(self, c: Command) -> int:
        if not self.ledger.knows(c.account):
            return Reason.UNKNOWN_ACCOUNT
        if c.instrument >= self.listed.count:
            return Reason.UNKNOWN_INSTRUMENT
        if c.quantity_lots < 1 or c.quantity_lots > MAX_HELD_LOTS:
            return Reason.INVALID_QUANTITY
        if c.kind == CommandKind.RECEIVE:
            room = MAX_HELD_LOTS - self.ledger.received_lots[c.instrument]
            return Reason.INVALID_QUANTITY if c.quantity_lots > room else Reason.NONE
        free = self.ledger.free_lots(c.account, c.instrument)
        return Reason.INSUFFICIENT_INVENTORY if c.quantity_lots > free else Reason.NONE

    def set_order_limits(self, c: Command) -> None:
        """SET_ORDER_LIMITS (8.2)."""
        reason: int = Reason.NONE
        if not self.ledger.knows(c.account):
            reason = Reason.UNKNOWN_ACCOUNT
        elif c.quantity_lots < 0 or c.quantity_lots > MAX_QUANTITY_LOTS:
            reason = Reason.INVALID_QUANTITY
        elif c.amount_fen < 0 or c.amount_fen > MAX_AMOUNT_FEN:
            reason = Reason.INVALID_AMOUNT
        if reason != Reason.NONE:
            self.log.reject(c, reason, 0)
            return
        self.ledger.rows[c.account].max_order_lots = c.quantity_lots
        self.ledger.rows[c.account].max_order_fen = c.amount_fen
        self.ledger.rows[c.account].max_open_orders = c.number
        self._say_account(EventKind.LIMITS_SET, c.account)

    def set_turnover_limit(self, c: Command) -> None:
        """SET_TURNOVER_LIMIT (8.2)."""
        reason: int = Reason.NONE
        if not self.ledger.knows(c.account):
            reason = Reason.UNKNOWN_ACCOUNT
        elif c.amount_fen < 0 or c.amount_fen > MAX_DAY_AMOUNT_FEN:
            reason = Reason.INVALID_AMOUNT
        if reason != Reason.NONE:
            self.log.reject(c, reason, 0)
            return
        self.ledger.rows[c.account].max_day_fen = c.amount_fen
        self._say_account(EventKind.LIMITS_SET, c.account)

    def set_kill_switch(self, c: Command) -> None:
        """KILL_SWITCH_ON, KILL_SWITCH_OFF (8.3): of an account, or of the venue, whose row is 0."""
        if c.account != 0 and not self.ledger.knows(c.account):
            self.log.reject(c, Reason.UNKNOWN_ACCOUNT, 0)
            return
        on = c.kind == CommandKind.KILL_SWITCH_ON
        self.ledger.rows[c.account].kill_switch = on
        event = self._say_account(EventKind.KILL_SWITCH_SET, c.account)
        event.number = on

    def _say_account(self, kind: int, account: int) -> EventOut:
        event = self.log.add(kind, Reason.NONE)
        event.account = account
        return event

    # Instruments

    def list_instrument(self, c: Command) -> None:
        """LIST_INSTRUMENT: the next number; it begins in the venue's phase."""
        reason = self._listing_refusal(c)
        if reason != Reason.NONE:
            self.log.reject(c, reason, 0)
            return
        instrument = self.listed.add(c.amount_fen, c.price_ticks, c.rate_ppm, c.quantity_lots)
        event = self.log.add(EventKind.INSTRUMENT_LISTED, Reason.NONE)
        event.instrument = c.instrument
        event.price_ticks = c.price_ticks
        if self.listed.phase(instrument) != Phase.CLOSED:
            self.session_commands.say_phase(instrument, self.listed.phase(instrument))

    def _listing_refusal(self, c: Command) -> int:
        if c.instrument != self.listed.count:
            return Reason.UNKNOWN_INSTRUMENT
        if c.quantity_lots < 1 or c.quantity_lots > MAX_QUANTITY_LOTS:
            return Reason.INVALID_QUANTITY
        if c.price_ticks < 1 or c.price_ticks > MAX_PRICE_TICKS:
            return Reason.INVALID_PRICE
        if c.amount_fen < 1 or c.amount_fen > MAX_TICK_VALUE_FEN:
            return Reason.INVALID_AMOUNT
        if c.rate_ppm > MAX_RATE_PPM:
            return Reason.INVALID_RATE
        return Reason.TOO_MANY if self.listed.count >= MAX_INSTRUMENTS else Reason.NONE

    def set_collar(self, c: Command) -> None:
        """SET_COLLAR (8.6)."""
        reason: int = Reason.NONE
        if c.instrument >= self.listed.count:
            reason = Reason.UNKNOWN_INSTRUMENT
        elif c.rate_ppm > MAX_RATE_PPM:
            reason = Reason.INVALID_RATE
        if reason != Reason.NONE:
            self.log.reject(c, reason, 0)
            return
        self.listed.rows[c.instrument].collar_ppm = c.rate_ppm
        self._say_instrument(EventKind.COLLAR_SET, c.instrument)

    def set_volatility_band(self, c: Command) -> None:
        """SET_VOLATILITY_BAND (8.6)."""
        reason: int = Reason.NONE
        if c.instrument >= self.listed.count:
            reason = Reason.UNKNOWN_INSTRUMENT
        elif (c.time_s < 1 or c.time_s > MAX_AUCTION_S) if c.rate_ppm else c.time_s != 0:
            reason = Reason.INVALID_EXPIRY
        elif c.rate_ppm > MAX_RATE_PPM:
            reason = Reason.INVALID_RATE
        if reason != Reason.NONE:
            self.log.reject(c, reason, 0)
            return
        self.listed.rows[c.instrument].volatility_ppm = c.rate_ppm
        self.listed.rows[c.instrument].auction_s = c.time_s
        self._say_instrument(EventKind.VOLATILITY_BAND_SET, c.instrument)

    def _say_instrument(self, kind: int, instrument: int) -> None:
        event = self.log.add(kind, Reason.NONE)
        event.instrument = instrument

    # The venue

    def set_fees(self, c: Command) -> None:
        """SET_FEES (8.5)."""
        if c.rate_ppm > MAX_RATE_PPM or c.taker_rate_ppm > MAX_RATE_PPM:
            self.log.reject(c, Reason.INVALID_RATE, 0)
            return
        self.fees.set(c.account_class, c.rate_ppm, c.taker_rate_ppm)
        self.log.add(EventKind.FEES_SET, Reason.NONE)

    def bust_trade(self, c: Command) -> None:
        """BUST_TRADE (7.2): a trade of this day is taken back."""
        row = self.day_trades.find(c.order_id)
        if row == NIL or self.day_trades.rows[row].busted:
            self.log.reject(c, Reason.UNKNOWN_TRADE, c.order_id)
            return
        maker_buys = self.day_trades.rows[row].side == Side.SELL
        account = self.day_trades.rows[row].account
        maker = self.day_trades.rows[row].maker_account
        amount = self.day_trades.rows[row].amount_fen
        fee = self.day_trades.rows[row].fee_fen
        maker_fee = self.day_trades.rows[row].maker_fee_fen
        # What each gets back; the venue gives back both fees.
        account_fen = fee - amount if maker_buys else amount + fee
        maker_fen = amount + maker_fee if maker_buys else maker_fee - amount
        reason = self._bust_refusal(row, maker if maker_buys else account, account_fen, maker_fen)
        if reason != Reason.NONE:
            self.log.reject(c, reason, c.order_id)
            return
        self.ledger.move_cash(account, account_fen)
        self.ledger.move_cash(maker, maker_fen)
        self.ledger.move_cash(VENUE, -fee - maker_fee)
        self._give_back_lots(row, maker if maker_buys else account, account if maker_buys else maker)
        self._say_busted(row)

    def _bust_refusal(self, row: int, buyer: int, account_fen: int, maker_fen: int) -> int:
        """Whether anybody's unreserved cash, or the buyer's unreserved lots, don't suffice."""
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
        """The goods go back, and the turnover of the day falls."""
        instrument = self.day_trades.rows[row].instrument
        lots = self.day_trades.rows[row].quantity_lots
        amount = self.day_trades.rows[row].amount_fen
        self.ledger.move_lots(buyer, instrument, -lots)
        self.ledger.move_lots(seller, instrument, lots)
        self.ledger.count_traded(buyer, -amount)
        self.ledger.count_traded(seller, -amount)
        self.listed.rows[instrument].day_lots -= lots
        self.listed.rows[instrument].day_amount_fen -= amount
        self.day_trades.rows[row].busted = 1

    def _say_busted(self, row: int) -> None:
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
