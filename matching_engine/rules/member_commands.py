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
    """Each method answers one command, which it gets as `c`."""

    def __init__(
        self,
        book: Book,
        ledger: Accounts,
        fees: Fees,
        listed: Instruments,
        client_ids: ClientIds,
        execution: Execution,
        log: EventLog,
    ) -> None:
        self.book = book
        self.ledger = ledger
        self.fees = fees
        self.listed = listed
        self.client_ids = client_ids
        self.execution = execution
        self.log = log
        self.expiries = Expiries(book)
        self.terms = OrderTerms()
        self.walk = OrderWalk(book)

    # New orders

    def new(self, c: Command) -> None:
        """NEW_ORDER: the order's id is the command's seq."""
        if not self.ledger.knows(c.account):
            self.log.reject(c, Reason.UNKNOWN_ACCOUNT, c.seq)
            return
        if not is_empty(c.client_order_id) and self._is_repeat(c):
            return
        reason = unreadable(c, self.listed)
        if reason == Reason.NONE:
            self._read_terms(c)
            reason = declined(self.terms, self.listed, self.ledger, self.book)
        if reason == Reason.NONE:
            self._price_terms()
            reason = unaffordable(self.terms, self.listed, self.ledger, self.book)
        if reason != Reason.NONE:
            self.log.reject(c, reason, c.seq)
            return
        self._accept(c)

    def _is_repeat(self, c: Command) -> bool:
        """Answers an id that was used before; a new one is remembered."""
        digest = body_digest(c)
        row = self.client_ids.remember(c.account, c.client_order_id, c.seq, digest)
        if self.client_ids.rows[row].order_id == c.seq:
            return False
        if self.client_ids.rows[row].body_digest != digest:
            self.log.reject(c, Reason.CLIENT_ORDER_ID_REUSED, c.seq)
            return True
        event = self.log.add(EventKind.REPEATED, Reason.NONE)
        event.order_id = self.client_ids.rows[row].order_id
        event.account = c.account
        return True

    def _read_terms(self, c: Command) -> None:
        self.terms.account = c.account
        self.terms.instrument = c.instrument
        self.terms.side = c.side
        self.terms.order_type = c.order_type
        self.terms.time_in_force = c.time_in_force
        self.terms.flags = c.flags
        self.terms.price_ticks = c.price_ticks
        self.terms.trigger_ticks = c.trigger_ticks
        self.terms.quantity_lots = c.quantity_lots
        self.terms.open_lots = c.quantity_lots
        self.terms.display_lots = c.display_lots
        self.terms.rests = may_rest(c.order_type, c.time_in_force)
        self.terms.own_orders = 0
        self.terms.own_refills = 0
        self.terms.own_lots = 0
        self.terms.own_fen = 0
        self.terms.moves_price = True

    def _price_terms(self) -> None:
        """The protection price of MARKET and STOP, and what a lot is worth and reserves."""
        instrument = self.terms.instrument
        side = self.terms.side
        if self.terms.order_type == OrderType.MARKET:
            anchor = anchor_of(instrument, self.listed, self.book)
            self.terms.price_ticks = protection_of(instrument, side, anchor, self.listed)
        elif self.terms.order_type == OrderType.STOP:
            self.terms.price_ticks = protection_of(instrument, side, self.terms.trigger_ticks, self.listed)
        self.terms.lot_value_fen = self.terms.price_ticks * self.listed.rows[instrument].tick_value_fen
        self.terms.lot_reserve_fen = 0
        if side == Side.BUY:
            account_class = self.ledger.rows[self.terms.account].account_class
            self.terms.lot_reserve_fen = self.fees.lot_reserve(account_class, self.terms.lot_value_fen)

    def _accept(self, c: Command) -> None:
        reserve = c.quantity_lots * self.terms.lot_reserve_fen
        if c.side == Side.BUY:
            self.ledger.open_holding(c.account, c.instrument)
            self.ledger.reserve_cash(c.account, reserve)
        else:
            self.ledger.reserve_lots(c.account, c.instrument, c.quantity_lots)
        self.ledger.rows[c.account].open_orders += 1
        event = self.log.add(EventKind.ACCEPTED, Reason.NONE)
        event.order_id = c.seq
        event.account = c.account
        event.instrument = c.instrument
        event.side = c.side
        event.order_type = c.order_type
        event.price_ticks = self.terms.price_ticks
        event.quantity_lots = c.quantity_lots
        event.leaves_lots = c.quantity_lots
        event.reserve_fen = reserve
        slot = self.book.new_slot()
        self._fill_slot(c, slot)
        if c.time_in_force == TimeInForce.GTD:
            self.expiries.add(c.seq, c.time_s)
        self.execution.place(slot, c.trigger_ticks)

    def _fill_slot(self, c: Command, slot: int) -> None:
        order = order_at(self.book.orders[slot])
        order.order_id = c.seq
        order.price_ticks = self.terms.price_ticks
        order.shown_lots = c.quantity_lots
        order.hidden_lots = 0
        order.display_lots = c.display_lots
        order.filled_lots = 0
        order.account = c.account
        order.owner = self.ledger.rows[c.account].owner
        order.time_s = c.time_s
        order.instrument = c.instrument
        order.side = c.side
        order.order_type = c.order_type
        order.time_in_force = c.time_in_force
        order.self_trade = c.self_trade
        order.flags = c.flags
        self.book.order_tags[slot] = self.terms.lot_reserve_fen

    # Open orders change

    def amend(self, c: Command) -> None:
        """AMEND: all its changes or none (3.1 to 3.6)."""
        slot = self._own_order(c)
        if slot == NIL:
            return
        order_id = self.book.orders[slot].order_id
        lots = self.book.orders[slot].filled_lots + self._open_lots(slot)
        self._read_amend(c, slot)
        display_changes = self.terms.quantity_lots > lots or (
            self.terms.display_lots != self.book.orders[slot].display_lots
        )
        reason = unreadable_amend(
            c, self.terms, self.listed, self.book.orders[slot].waiting == 0, display_changes
        )  # fmt: skip
        if reason != Reason.NONE:
            self.log.reject(c, reason, order_id)
        elif self.terms.open_lots <= 0:
            self.execution.end(slot, EventKind.CANCELED, Reason.BELOW_FILLED)
        elif self._keeps_place(slot, lots):
            reason = shut(self.terms, self.listed, self.ledger)
            if reason != Reason.NONE:
                self.log.reject(c, reason, order_id)
            else:
                self._reduce(slot)
        else:
            self._reenter(c, slot)

    def _own_order(self, c: Command) -> int:
        """The slot of the open order that an AMEND or CANCEL names; where there is none it answers, and gives NIL.
        (A CANCEL's account 0, an operator, owns every order.)"""
        if not self.ledger.knows(c.account) and (c.kind == CommandKind.AMEND or c.account != 0):
            self.log.reject(c, Reason.UNKNOWN_ACCOUNT, c.order_id)
            return NIL
        order_id = c.order_id
        if order_id == 0 and not is_empty(c.client_order_id):
            order_id = self.client_ids.rows[self.client_ids.find(c.account, c.client_order_id)].order_id
        slot = self.book.find(order_id)
        if slot == NIL or (c.account != 0 and self.book.orders[slot].account != c.account):
            self.log.reject(c, Reason.UNKNOWN_ORDER, order_id)
            return NIL
        return slot

    def _open_lots(self, slot: int) -> int:
        return self.book.orders[slot].shown_lots + self.book.orders[slot].hidden_lots

    def _read_amend(self, c: Command, slot: int) -> None:
        """The terms as an AMEND would make them; the price of a STOP is the old one still."""
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
        if c.flags & Flag.CHANGE_PRICE:
            self.terms.price_ticks = c.price_ticks
        if c.flags & Flag.CHANGE_TRIGGER:
            self.terms.trigger_ticks = c.trigger_ticks
        if c.flags & Flag.CHANGE_DISPLAY:
            self.terms.display_lots = c.display_lots
        if c.flags & Flag.CHANGE_QUANTITY:
            # A total below 0 is refused before what is open of it counts.
            self.terms.open_lots = max(c.quantity_lots, 0) - filled
        self.terms.quantity_lots = self.terms.open_lots + filled
        self.terms.moves_price = self.terms.price_ticks != order.price_ticks or self.terms.trigger_ticks != trigger

    def _keeps_place(self, slot: int, quantity_lots: int) -> bool:
        """Whether nothing changes but the quantity, and that not upwards."""
        if self.terms.moves_price or self.terms.display_lots != self.book.orders[slot].display_lots:
            return False
        return self.terms.quantity_lots <= quantity_lots

    def _reduce(self, slot: int) -> None:
        """The order loses quantity and keeps its place."""
        if self.book.orders[slot].waiting == 0:
            self.execution.touch(slot)
        change = self.terms.open_lots - self.terms.own_lots
        self._say_replaced(slot, change, change * self.book.order_tags[slot])
        if change != 0:
            self.book.reduce(slot, self.terms.open_lots)

    def _reenter(self, c: Command, slot: int) -> None:
        """The order leaves its queue and comes in again, unless it is refused."""
        reason = declined(self.terms, self.listed, self.ledger, self.book)
        if reason == Reason.NONE:
            self._price_terms()
            reason = unaffordable(self.terms, self.listed, self.ledger, self.book)
        if reason != Reason.NONE:
            self.log.reject(c, reason, self.book.orders[slot].order_id)
            return
        if self.book.orders[slot].waiting == 0:
            self.execution.touch(slot)
        self.book.withdraw(slot)
        self.book.orders[slot].price_ticks = self.terms.price_ticks
        self.book.order_tags[slot] = self.terms.lot_reserve_fen
        self.book.orders[slot].shown_lots = self.terms.open_lots
        self.book.orders[slot].display_lots = self.terms.display_lots
        self._say_replaced(
            slot,
            self.terms.open_lots - self.terms.own_lots,
            self.terms.open_lots * self.terms.lot_reserve_fen - self.terms.own_fen,
        )
        self.execution.place(slot, self.terms.trigger_ticks)

    def _say_replaced(self, slot: int, change_lots: int, change_fen: int) -> None:
        """Reserves what is more, releases what is less, and tells."""
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

    # Orders end

    def cancel(self, c: Command) -> None:
        """CANCEL (3.7)."""
        slot = self._own_order(c)
        if slot != NIL:
            self.execution.end(slot, EventKind.CANCELED, Reason.REQUESTED)

    def mass_cancel(self, c: Command) -> None:
        """MASS_CANCEL (3.8). It looks at every open order of the sides it names."""
        reason = self._mass_refusal(c)
        if reason != Reason.NONE:
            self.log.reject(c, reason, 0)
            return
        event = self.log.add(EventKind.MASS_CANCELED, Reason.NONE)
        event.account = c.account
        event.instrument = c.instrument
        event.side = c.side
        first = 0 if c.instrument == ALL_INSTRUMENTS else c.instrument
        stop = self.listed.count if c.instrument == ALL_INSTRUMENTS else c.instrument + 1
        for instrument in range(first, stop):
            for side in range(2):
                if c.side == BOTH_SIDES or c.side == side:
                    event.number += self._cancel_side(c.account, instrument, side)

    def _mass_refusal(self, c: Command) -> int:
        if c.account != 0 and not self.ledger.knows(c.account):
            return Reason.UNKNOWN_ACCOUNT
        if c.instrument != ALL_INSTRUMENTS and c.instrument >= self.listed.count:
            return Reason.UNKNOWN_INSTRUMENT
        return Reason.INVALID_SIDE if c.side > BOTH_SIDES else Reason.NONE

    def _cancel_side(self, account: int, instrument: int, side: int) -> int:
        """Ends an account's orders of a side; returns their number."""
        canceled = 0
        self.walk.begin(instrument, side)
        slot = self.walk.next()
        while slot != NIL:
            if account == 0 or self.book.orders[slot].account == account:
                self.execution.end(slot, EventKind.CANCELED, MASS_CANCEL_REASON)
                canceled += 1
            slot = self.walk.next()
        return canceled
