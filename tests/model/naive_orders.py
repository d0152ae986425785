"""Members' commands of the naive engine: new order, cancel, amend, mass cancel."""

from __future__ import annotations

from matching_engine.records import ALL_INSTRUMENTS, BOTH_SIDES, Command, CommandKind, EventKind, Flag, Reason
from tests.model.naive_refusals import Refusals
from tests.model.naive_tables import ClientId, Order


def body_digest(c: Command) -> int:
    """A 64-bit digest of an order's body."""
    kinds = c.side << 16 | c.order_type << 24 | c.time_in_force << 32 | c.self_trade << 40 | c.flags << 48
    words = (
        c.instrument | kinds,
        c.number | c.time_s << 16,
        c.price_ticks,
        c.quantity_lots,
        c.display_lots,
        c.trigger_ticks,
    )
    digest = 0
    for word in words:
        digest = (digest ^ (word % 2**64)) * 0x9E3779B97F4A7C15 % 2**64
        digest ^= digest >> 32
    return digest


class Orders(Refusals):
    def new_order(self, c: Command) -> None:
        if c.account not in self.ledger:
            self.reject(c, Reason.UNKNOWN_ACCOUNT, c.seq)
            return
        if c.client_order_id:  # 1.11
            earlier = self.client_ids.get((c.account, c.client_order_id))
            if earlier is not None and earlier.digest == body_digest(c):
                self.emit(EventKind.DUPLICATE, order_id=earlier.order_id, account=c.account)
                return
            if earlier is not None:
                self.reject(c, Reason.CLIENT_ORDER_ID_REUSED, c.seq)
                return
            self.client_ids[c.account, c.client_order_id] = ClientId(c.seq, body_digest(c), self.trading_day)
        reason = self.unreadable(c)
        if reason != Reason.NONE:
            self.reject(c, reason, c.seq)
            return
        o = self.wanted(c)
        reason = self.declined(o)
        if reason != Reason.NONE:
            self.reject(c, reason, c.seq)
            return
        self.reserve(o, o.leaves)
        self.emit(
            EventKind.ACCEPTED,
            order_id=o.order_id,
            account=o.account,
            instrument=o.instrument,
            side=o.side,
            order_type=o.order_type,
            price_ticks=o.price,
            quantity_lots=o.leaves,
            leaves_lots=o.leaves,
            reserve_fen=o.leaves * o.lot_reserve,
        )
        self.arrive(o)
        self.run_line()

    def found(self, c: Command) -> Order | None:
        """3.2 and 3.7: the open order that a CANCEL or AMEND names; refuses the command if there is none."""
        if c.account not in self.ledger and not (c.account == 0 and c.kind == CommandKind.CANCEL):
            self.reject(c, Reason.UNKNOWN_ACCOUNT, c.order_id)
            return None
        target = c.order_id
        if target == 0 and c.client_order_id and (c.account, c.client_order_id) in self.client_ids:
            target = self.client_ids[c.account, c.client_order_id].order_id
        o = self.orders.get(target)
        if o is None or c.account not in (0, o.account):
            self.reject(c, Reason.UNKNOWN_ORDER, target)
            return None
        return o

    def cancel(self, c: Command) -> None:
        o = self.found(c)
        if o is not None:
            self.end(o, EventKind.CANCELED, Reason.REQUESTED)

    def amend(self, c: Command) -> None:
        o = self.found(c)
        if o is None:
            return
        reason = self.unreadable_amend(c, o)
        if reason != Reason.NONE:
            self.reject(c, reason, o.order_id)
            return
        if c.flags & Flag.CHANGE_QUANTITY and c.quantity_lots <= o.filled:  # 3.3
            self.end(o, EventKind.CANCELED, Reason.BELOW_FILLED)
            return
        new = self.amended(c, o)
        named = (c.flags & Flag.CHANGE_PRICE and c.price_ticks != o.price) or new.trigger != o.trigger
        keeps_place = not named and new.display == o.display and new.leaves <= o.leaves
        reason = self.not_taken(o.account, o.instrument) if keeps_place else self.declined(new, o)
        if reason != Reason.NONE:
            self.reject(c, reason, o.order_id)
        elif keeps_place:
            self.reduce(o, new.leaves)
        else:
            self.replace(o, new)

    def reduce(self, o: Order, leaves: int) -> None:
        """3.4: hidden quantity goes first."""
        less = o.leaves - leaves
        self.reserve(o, -less)
        from_hidden = min(less, o.hidden)
        o.hidden -= from_hidden
        o.shown -= less - from_hidden
        self.replaced(o, -less, -less * o.lot_reserve)
        if not o.trigger:
            self.touch(o)

    def replace(self, o: Order, new: Order) -> None:
        """3.5: takes the order out of its queue and runs it again."""
        self.reserve(o, -o.leaves)
        self.reserve(new, new.leaves)
        self.replaced(new, new.leaves - o.leaves, new.leaves * new.lot_reserve - o.leaves * o.lot_reserve)
        self.take_out(o)
        self.arrive(new)
        self.run_line()

    def replaced(self, o: Order, change: int, reserve_change: int) -> None:
        self.emit(
            EventKind.REPLACED,
            order_id=o.order_id,
            account=o.account,
            instrument=o.instrument,
            side=o.side,
            order_type=o.order_type,
            price_ticks=o.price,
            quantity_lots=change,
            leaves_lots=o.leaves,
            reserve_fen=reserve_change,
        )

    def mass_cancel(self, c: Command) -> None:
        """3.8 and 8.4"""
        if c.account and c.account not in self.ledger:
            self.reject(c, Reason.UNKNOWN_ACCOUNT)
        elif c.instrument != ALL_INSTRUMENTS and c.instrument >= len(self.listed):
            self.reject(c, Reason.UNKNOWN_INSTRUMENT)
        elif c.side > BOTH_SIDES:
            self.reject(c, Reason.INVALID_SIDE)
        else:
            meant = [
                o
                for o in self.open_orders()
                if c.account in (0, o.account)
                and c.instrument in (ALL_INSTRUMENTS, o.instrument)
                and c.side in (BOTH_SIDES, o.side)
            ]
            self.emit(
                EventKind.MASS_CANCELED, account=c.account, instrument=c.instrument, side=c.side, number=len(meant)
            )
            for o in meant:
                self.end(o, EventKind.CANCELED, Reason.MASS_CANCEL)
