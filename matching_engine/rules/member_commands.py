"""The members' commands: NEW_ORDER, AMEND, CANCEL and MASS_CANCEL (rulebook 1, 3 and 6)."""

from __future__ import annotations

import cython

from matching_engine.book.order_book import Book
from matching_engine.event_log import EventLog
from matching_engine.ledger.accounts import Accounts
from matching_engine.ledger.client_ids import ClientIds
from matching_engine.ledger.fees import Fees
from matching_engine.ledger.instruments import Instruments
from matching_engine.records import Command
from matching_engine.rules.execution import Execution
from matching_engine.rules.expiries import Expiries
from matching_engine.rules.order_terms import OrderTerms
from matching_engine.rules.order_walk import OrderWalk

if not cython.compiled:  # when compiled, these stand in the .pxd
    from matching_engine.book.orders import order_at, refills_of
    from matching_engine.ledger.client_ids import body_digest, is_empty
    from matching_engine.pools import NIL
    from matching_engine.records import (
        ALL_INSTRUMENTS,
        BOTH_SIDES,
        CommandKind,
        EventKind,
        Flag,
        OrderType,
        Reason,
        Side,
        TimeInForce,
    )
    from matching_engine.rules.order_terms import may_rest
    from matching_engine.rules.price_limits import anchor_of, protection_of
    from matching_engine.rules.refusals import declined, shut, unaffordable, unreadable, unreadable_amend

    MASS_CANCEL_REASON = Reason.MASS_CANCEL


class MemberCommands:
    """Each public method carries out one command, or refuses it."""

    def __init__(
        self,
        book: Book,
        ledger: Accounts,
        fees: Fees,
        instruments: Instruments,
        client_ids: ClientIds,
        execution: Execution,
        log: EventLog,
    ) -> None:
        self.book = book
        self.ledger = ledger
        self.fees = fees
        self.instruments = instruments
        self.client_ids = client_ids
        self.execution = execution
        self.log = log
        self.expiries = Expiries(book)
        self.terms = OrderTerms()
        self.walk = OrderWalk(book)

    # New orders

    def new(self, command: Command) -> None:
        """NEW_ORDER: the order's id is the command's seq."""
        if not self.ledger.knows(command.account):
            self.log.reject(command, Reason.UNKNOWN_ACCOUNT, command.seq)
            return
        if not is_empty(command.client_order_id) and self._is_repeat(command):
            return
        reason = unreadable(command, self.instruments)
        if reason == Reason.NONE:
            self._read_terms(command)
            reason = declined(self.terms, self.instruments, self.ledger, self.book)
        if reason == Reason.NONE:
            self._price_terms()
            reason = unaffordable(self.terms, self.instruments, self.ledger, self.book)
        if reason != Reason.NONE:
            self.log.reject(command, reason, command.seq)
            return
        self._accept(command)

    def _is_repeat(self, command: Command) -> bool:
        """Whether the client order id was used before: emits DUPLICATE or REJECTED then. Otherwise remembers it."""
        digest = body_digest(command)
        row = self.client_ids.remember(command.account, command.client_order_id, command.seq, digest)
        if self.client_ids.rows[row].order_id == command.seq:
            return False
        if self.client_ids.rows[row].body_digest != digest:
            self.log.reject(command, Reason.CLIENT_ORDER_ID_REUSED, command.seq)
            return True
        event = self.log.add(EventKind.DUPLICATE, Reason.NONE)
        event.order_id = self.client_ids.rows[row].order_id
        event.account = command.account
        return True

    def _read_terms(self, command: Command) -> None:
        self.terms.account = command.account
        self.terms.instrument = command.instrument
        self.terms.side = command.side
        self.terms.order_type = command.order_type
        self.terms.time_in_force = command.time_in_force
        self.terms.flags = command.flags
        self.terms.price_ticks = command.price_ticks
        self.terms.trigger_ticks = command.trigger_ticks
        self.terms.quantity_lots = command.quantity_lots
        self.terms.open_lots = command.quantity_lots
        self.terms.display_lots = command.display_lots
        self.terms.rests = may_rest(command.order_type, command.time_in_force)
        self.terms.own_orders = 0
        self.terms.own_refills = 0
        self.terms.own_lots = 0
        self.terms.own_fen = 0
        self.terms.moves_price = True

    def _price_terms(self) -> None:
        """Sets the protection price of MARKET and STOP, and what one lot is worth and reserves, in fen."""
        instrument = self.terms.instrument
        side = self.terms.side
        if self.terms.order_type == OrderType.MARKET:
            anchor = anchor_of(instrument, self.instruments, self.book)
            self.terms.price_ticks = protection_of(instrument, side, anchor, self.instruments)
        elif self.terms.order_type == OrderType.STOP:
            self.terms.price_ticks = protection_of(instrument, side, self.terms.trigger_ticks, self.instruments)
        self.terms.lot_value_fen = self.terms.price_ticks * self.instruments.rows[instrument].tick_value_fen
        self.terms.lot_reserve_fen = 0
        if side == Side.BUY:
            account_class = self.ledger.rows[self.terms.account].account_class
            self.terms.lot_reserve_fen = self.fees.lot_reserve(account_class, self.terms.lot_value_fen)

    def _accept(self, command: Command) -> None:
        reserve = command.quantity_lots * self.terms.lot_reserve_fen
        if command.side == Side.BUY:
            self.ledger.open_holding(command.account, command.instrument)
            self.ledger.reserve_cash(command.account, reserve)
        else:
            self.ledger.reserve_lots(command.account, command.instrument, command.quantity_lots)
        self.ledger.rows[command.account].open_orders += 1
        event = self.log.add(EventKind.ACCEPTED, Reason.NONE)
        event.order_id = command.seq
        event.account = command.account
        event.instrument = command.instrument
        event.side = command.side
        event.order_type = command.order_type
        event.price_ticks = self.terms.price_ticks
        event.quantity_lots = command.quantity_lots
        event.leaves_lots = command.quantity_lots
        event.reserve_fen = reserve
        slot = self.book.new_slot()
        self._fill_slot(command, slot)
        if command.time_in_force == TimeInForce.GTD:
            self.expiries.add(command.seq, command.time_s)
        self.execution.run_or_hold(slot, command.trigger_ticks)

    def _fill_slot(self, command: Command, slot: int) -> None:
        order = order_at(self.book.orders[slot])
        order.order_id = command.seq
        order.price_ticks = self.terms.price_ticks
        order.shown_lots = command.quantity_lots
        order.hidden_lots = 0
        order.display_lots = command.display_lots
        order.filled_lots = 0
        order.account = command.account
        order.owner = self.ledger.rows[command.account].owner
        order.time_s = command.time_s
        order.instrument = command.instrument
        order.side = command.side
        order.order_type = command.order_type
        order.time_in_force = command.time_in_force
        order.self_trade = command.self_trade
        order.flags = command.flags
        self.book.order_tags[slot] = self.terms.lot_reserve_fen

    # Amends

    def amend(self, command: Command) -> None:
        """AMEND: all of its changes or none (3.1 to 3.6)."""
        slot = self._own_order(command)
        if slot == NIL:
            return
        order_id = self.book.orders[slot].order_id
        lots = self.book.orders[slot].filled_lots + self._open_lots(slot)
        self._read_amend(command, slot)
        display_changes = self.terms.quantity_lots > lots or (
            self.terms.display_lots != self.book.orders[slot].display_lots
        )
        reason = unreadable_amend(
            command, self.terms, self.instruments, self.book.orders[slot].waiting == 0, display_changes
        )  # fmt: skip
        if reason != Reason.NONE:
            self.log.reject(command, reason, order_id)
        elif self.terms.open_lots <= 0:
            self.execution.end(slot, EventKind.CANCELED, Reason.BELOW_FILLED)
        elif self._keeps_place(slot, lots):
            reason = shut(self.terms, self.instruments, self.ledger)
            if reason != Reason.NONE:
                self.log.reject(command, reason, order_id)
            else:
                self._reduce(slot)
        else:
            self._reenter(command, slot)

    def _own_order(self, command: Command) -> int:
        """The slot of the open order that an AMEND or CANCEL names. If there is none, emits REJECTED and returns NIL.
        The account 0 of a CANCEL, an operator, owns every order."""
        if not self.ledger.knows(command.account) and (command.kind == CommandKind.AMEND or command.account != 0):
            self.log.reject(command, Reason.UNKNOWN_ACCOUNT, command.order_id)
            return NIL
        order_id = command.order_id
        if order_id == 0 and not is_empty(command.client_order_id):
            order_id = self.client_ids.rows[self.client_ids.find(command.account, command.client_order_id)].order_id
        slot = self.book.find(order_id)
        if slot == NIL or (command.account != 0 and self.book.orders[slot].account != command.account):
            self.log.reject(command, Reason.UNKNOWN_ORDER, order_id)
            return NIL
        return slot

    def _open_lots(self, slot: int) -> int:
        return self.book.orders[slot].shown_lots + self.book.orders[slot].hidden_lots

    def _read_amend(self, command: Command, slot: int) -> None:
        """Sets the terms as an AMEND would make them; a STOP keeps its price until `_price_terms`."""
        order = order_at(self.book.orders[slot])
        open_lots = self._open_lots(slot)
        filled = order.filled_lots
        trigger = self.book.trigger_ticks(slot)
        self.terms.account = order.account
        self.terms.instrument = order.instrument
        self.terms.side = order.side
        self.terms.order_type = order.order_type
        self.terms.time_in_force = order.time_in_force
        self.terms.flags = order.flags
        self.terms.price_ticks = order.price_ticks
        self.terms.trigger_ticks = trigger
        self.terms.open_lots = open_lots
        self.terms.display_lots = order.display_lots
        self.terms.rests = True
        self.terms.own_orders = 1
        self.terms.own_refills = refills_of(order.hidden_lots, self.terms.display_lots)
        self.terms.own_lots = open_lots
        self.terms.own_fen = open_lots * self.book.order_tags[slot]
        if command.flags & Flag.CHANGE_PRICE:
            self.terms.price_ticks = command.price_ticks
        if command.flags & Flag.CHANGE_TRIGGER:
            self.terms.trigger_ticks = command.trigger_ticks
        if command.flags & Flag.CHANGE_DISPLAY:
            self.terms.display_lots = command.display_lots
        if command.flags & Flag.CHANGE_QUANTITY:
            # A total below 0 is refused before its open part is used.
            self.terms.open_lots = max(command.quantity_lots, 0) - filled
        self.terms.quantity_lots = self.terms.open_lots + filled
        self.terms.moves_price = self.terms.price_ticks != order.price_ticks or self.terms.trigger_ticks != trigger

    def _keeps_place(self, slot: int, quantity_lots: int) -> bool:
        """Whether the order keeps its place in the queue: only its quantity changes, and does not grow."""
        if self.terms.moves_price or self.terms.display_lots != self.book.orders[slot].display_lots:
            return False
        return self.terms.quantity_lots <= quantity_lots

    def _reduce(self, slot: int) -> None:
        """Reduces the quantity of the order, which keeps its place in the queue."""
        if self.book.orders[slot].waiting == 0:
            self.execution.touch(slot)
        change = self.terms.open_lots - self.terms.own_lots
        self._emit_replaced(slot, change, change * self.book.order_tags[slot])
        if change != 0:
            self.book.reduce(slot, self.terms.open_lots)

    def _reenter(self, command: Command, slot: int) -> None:
        """Takes the order out of its queue and runs it again, unless it is refused."""
        reason = declined(self.terms, self.instruments, self.ledger, self.book)
        if reason == Reason.NONE:
            self._price_terms()
            reason = unaffordable(self.terms, self.instruments, self.ledger, self.book)
        if reason != Reason.NONE:
            self.log.reject(command, reason, self.book.orders[slot].order_id)
            return
        if self.book.orders[slot].waiting == 0:
            self.execution.touch(slot)
        self.book.withdraw(slot)
        self.book.orders[slot].price_ticks = self.terms.price_ticks
        self.book.order_tags[slot] = self.terms.lot_reserve_fen
        self.book.orders[slot].shown_lots = self.terms.open_lots
        self.book.orders[slot].display_lots = self.terms.display_lots
        self._emit_replaced(
            slot,
            self.terms.open_lots - self.terms.own_lots,
            self.terms.open_lots * self.terms.lot_reserve_fen - self.terms.own_fen,
        )
        self.execution.run_or_hold(slot, self.terms.trigger_ticks)

    def _emit_replaced(self, slot: int, change_lots: int, change_fen: int) -> None:
        """Reserves or releases the difference, and emits REPLACED."""
        if self.terms.side == Side.BUY:
            self.ledger.reserve_cash(self.terms.account, change_fen)
        else:
            self.ledger.reserve_lots(self.terms.account, self.terms.instrument, change_lots)
        event = self.log.add(EventKind.REPLACED, Reason.NONE)
        event.order_id = self.book.orders[slot].order_id
        event.account = self.terms.account
        event.instrument = self.terms.instrument
        event.side = self.terms.side
        event.order_type = self.terms.order_type
        event.price_ticks = self.terms.price_ticks
        event.quantity_lots = change_lots
        event.leaves_lots = self.terms.open_lots
        event.reserve_fen = change_fen

    # Cancels

    def cancel(self, command: Command) -> None:
        """CANCEL (3.7)."""
        slot = self._own_order(command)
        if slot != NIL:
            self.execution.end(slot, EventKind.CANCELED, Reason.REQUESTED)

    def mass_cancel(self, command: Command) -> None:
        """MASS_CANCEL (3.8). Visits every open order of the sides it names."""
        reason = self._mass_refusal(command)
        if reason != Reason.NONE:
            self.log.reject(command, reason, 0)
            return
        event = self.log.add(EventKind.MASS_CANCELED, Reason.NONE)
        event.account = command.account
        event.instrument = command.instrument
        event.side = command.side
        first = 0 if command.instrument == ALL_INSTRUMENTS else command.instrument
        stop = self.instruments.count if command.instrument == ALL_INSTRUMENTS else command.instrument + 1
        for instrument in range(first, stop):
            for side in range(2):
                if command.side == BOTH_SIDES or command.side == side:
                    event.number += self._cancel_side(command.account, instrument, side)

    def _mass_refusal(self, command: Command) -> int:
        if command.account != 0 and not self.ledger.knows(command.account):
            return Reason.UNKNOWN_ACCOUNT
        if command.instrument != ALL_INSTRUMENTS and command.instrument >= self.instruments.count:
            return Reason.UNKNOWN_INSTRUMENT
        return Reason.INVALID_SIDE if command.side > BOTH_SIDES else Reason.NONE

    def _cancel_side(self, account: int, instrument: int, side: int) -> int:
        """Cancels the orders of an account on one side (account 0: of every account); returns their number."""
        canceled = 0
        self.walk.begin(instrument, side)
        slot = self.walk.next()
        while slot != NIL:
            if account == 0 or self.book.orders[slot].account == account:
                self.execution.end(slot, EventKind.CANCELED, MASS_CANCEL_REASON)
                canceled += 1
            slot = self.walk.next()
        return canceled
