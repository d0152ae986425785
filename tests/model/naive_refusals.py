"""Refusals of the naive engine: the rulebook's reasons for orders and amends, in the order of `Reason`."""

from __future__ import annotations

from dataclasses import replace

from matching_engine import limits
from matching_engine.records import (
    MAX_AMOUNT_FEN,
    MAX_PRICE_TICKS,
    MAX_SLICES,
    Command,
    Flag,
    OrderType,
    Phase,
    Reason,
    SelfTrade,
    Side,
    TimeInForce,
)
from tests.model.naive_matching import Matching, is_waiting_type, may_rest
from tests.model.naive_tables import Order, around

LIMIT, MARKET, STOP, STOP_LIMIT = OrderType
DAY, GTC, IOC, FOK, GTD = TimeInForce
TIMES_IN_FORCE = {  # 1.2 to 1.4
    LIMIT: (DAY, GTC, GTD, IOC, FOK),
    MARKET: (IOC, FOK),
    STOP: (DAY, GTC, GTD),
    STOP_LIMIT: (DAY, GTC, GTD),
}
CHANGES = int(Flag.CHANGE_PRICE | Flag.CHANGE_QUANTITY | Flag.CHANGE_DISPLAY | Flag.CHANGE_TRIGGER)


def up(number: int, divisor: int) -> int:
    """The quotient, rounded up."""
    return -(-number // divisor)


def is_price(ticks: int) -> bool:
    return 1 <= ticks <= MAX_PRICE_TICKS


def is_display(display: int, quantity: int) -> bool:
    """1.9"""
    return up(quantity, MAX_SLICES) <= display <= quantity


class Refusals(Matching):
    # Commands that cannot be read

    def unreadable(self, c: Command) -> Reason:
        """The reasons up to INVALID_TRIGGER, for a NEW_ORDER of a known account."""
        if c.instrument >= len(self.listed):
            return Reason.UNKNOWN_INSTRUMENT
        if c.side not in tuple(Side):
            return Reason.INVALID_SIDE
        if c.order_type not in tuple(OrderType):
            return Reason.INVALID_ORDER_TYPE
        order_type = OrderType(c.order_type)
        if c.time_in_force not in TIMES_IN_FORCE[order_type]:
            return Reason.INVALID_TIME_IN_FORCE
        if c.self_trade not in tuple(SelfTrade):
            return Reason.INVALID_SELF_TRADE
        resting_limit = order_type == LIMIT and c.time_in_force in (DAY, GTC, GTD)
        if c.number or c.flags not in ((0, Flag.POST_ONLY) if resting_limit else (0,)):
            return Reason.INVALID_OPTION
        if (c.time_s * 10**9 <= c.time_ns) if c.time_in_force == GTD else c.time_s:
            return Reason.INVALID_EXPIRY
        if not 1 <= c.quantity_lots <= self.listed[c.instrument].max_quantity:
            return Reason.INVALID_QUANTITY
        if c.display_lots and not (resting_limit and is_display(c.display_lots, c.quantity_lots)):
            return Reason.INVALID_DISPLAY
        if not is_price(c.price_ticks) if order_type in (LIMIT, STOP_LIMIT) else c.price_ticks:
            return Reason.INVALID_PRICE
        if not is_price(c.trigger_ticks) if order_type in (STOP, STOP_LIMIT) else c.trigger_ticks:
            return Reason.INVALID_TRIGGER
        return Reason.NONE

    def unreadable_amend(self, c: Command, o: Order) -> Reason:
        """3.1: the reasons from INVALID_OPTION to INVALID_TRIGGER, for an AMEND of an open order."""
        fields = {
            Flag.CHANGE_PRICE: c.price_ticks,
            Flag.CHANGE_QUANTITY: c.quantity_lots,
            Flag.CHANGE_DISPLAY: c.display_lots,
            Flag.CHANGE_TRIGGER: c.trigger_ticks,
        }
        if not c.flags or c.flags & ~CHANGES or any(value for flag, value in fields.items() if not c.flags & flag):
            return Reason.INVALID_OPTION
        if c.flags & Flag.CHANGE_QUANTITY and not 1 <= c.quantity_lots <= self.listed[o.instrument].max_quantity:
            return Reason.INVALID_QUANTITY
        if c.flags & Flag.CHANGE_DISPLAY and is_waiting_type(o):
            return Reason.INVALID_DISPLAY
        total = c.quantity_lots if c.flags & Flag.CHANGE_QUANTITY else o.filled + o.leaves
        display = c.display_lots if c.flags & Flag.CHANGE_DISPLAY else o.display
        if (display != o.display or total > o.filled + o.leaves) and display and not is_display(display, total):
            return Reason.INVALID_DISPLAY
        if c.flags & Flag.CHANGE_PRICE and (o.order_type == STOP or not is_price(c.price_ticks)):
            return Reason.INVALID_PRICE
        if c.flags & Flag.CHANGE_TRIGGER and not (is_waiting_type(o) and is_price(c.trigger_ticks)):
            return Reason.INVALID_TRIGGER
        return Reason.NONE

    # Orders that the venue declines. `o` is the order as it would be; `before` the order before an amend, None for a new order.

    def not_taken(self, account: int, instrument: int) -> Reason:
        """3.9 and 4.1: kill switches and phases that accept neither orders nor amends."""
        if self.venue_kill_switch:
            return Reason.VENUE_KILL_SWITCH
        if self.ledger[account].kill_switch:
            return Reason.ACCOUNT_KILL_SWITCH
        if self.listed[instrument].phase == Phase.DELISTED:
            return Reason.NO_LONGER_LISTED  # 8.10
        if self.listed[instrument].phase in (Phase.CLOSED, Phase.AUCTION_MATCHING):
            return Reason.MARKET_CLOSED
        if self.listed[instrument].halted:
            return Reason.INSTRUMENT_HALTED
        return Reason.NONE

    def declined(self, o: Order, before: Order | None = None) -> Reason:
        """6.1: the first reason that holds."""
        if may_rest(o) and self.room_taken(before) + self.room_needed(o) > limits.MAX_OPEN_ORDERS:
            return Reason.TOO_MANY
        reason = self.not_taken(o.account, o.instrument)
        if reason != Reason.NONE:
            return reason
        collects = o.order_type == LIMIT and o.time_in_force in (DAY, GTC, GTD) and not o.flags
        if self.phase(o.instrument) == Phase.CALL_AUCTION and not collects:
            return Reason.NOT_IN_AUCTION  # 4.3
        if before is None or (o.price, o.trigger) != (before.price, before.trigger):
            reason = self.price_refusal(o)
            if reason != Reason.NONE:
                return reason
        reason = self.limit_refusal(o, before)
        if reason != Reason.NONE:
            return reason
        reason = self.unaffordable(o, before)
        if reason == Reason.NONE and o.flags and self.crosses(o, self.best(o.instrument, 1 - o.side)):
            return Reason.POST_ONLY_WOULD_TRADE  # 1.8
        return reason

    def room_taken(self, before: Order | None) -> int:
        """6.5: open orders plus the remaining refills of resting icebergs."""
        return sum(1 + (up(o.hidden, o.display) if o.hidden else 0) for o in self.orders.values() if o is not before)

    def room_needed(self, o: Order) -> int:
        return up(o.leaves, o.display) if o.display else 1

    def price_refusal(self, o: Order) -> Reason:
        """6.2 and 6.3: the prices an order names, first its price, then its trigger."""
        low, high = self.listed[o.instrument].edges()
        names_price = o.order_type in (LIMIT, STOP_LIMIT)
        for price in ((o.price,) if names_price else ()) + ((o.trigger,) if is_waiting_type(o) else ()):
            if price > high:
                return Reason.PRICE_ABOVE_BAND
            if price < low:
                return Reason.PRICE_BELOW_BAND
        if names_price:
            low, high = self.collar(o)
            if o.price > high if o.side == Side.BUY else o.price < low:
                return Reason.PRICE_OUTSIDE_COLLAR
        return Reason.NONE

    def collar(self, o: Order) -> tuple[int, int]:
        """6.3: the lowest price at which an order may sell and the highest at which it may buy."""
        row = self.listed[o.instrument]
        if not row.collar_ppm:
            return 1, MAX_PRICE_TICKS
        return around(o.trigger or row.anchor(), row.collar_ppm)

    def protection_price(self, o: Order) -> int:
        """1.3 and 6.3: the worst price that collar and band allow."""
        low, high = self.listed[o.instrument].edges()
        collar_low, collar_high = self.collar(o)
        return min(collar_high, high) if o.side == Side.BUY else max(collar_low, low)

    def value(self, o: Order, lots: int) -> int:
        """6.4"""
        return lots * o.price * self.listed[o.instrument].tick_value

    def limit_refusal(self, o: Order, before: Order | None) -> Reason:
        """6.4 and 6.6: checked with the new total quantity; TURNOVER_LIMIT with the quantity that will be open."""
        account, total = self.ledger[o.account], o.filled + o.leaves
        if account.max_order_lots and total > account.max_order_lots:
            return Reason.ORDER_QUANTITY_LIMIT
        if before is None and may_rest(o) and account.max_open_orders:
            mine = sum(1 for other in self.orders.values() if other.account == o.account)
            if mine >= account.max_open_orders:
                return Reason.OPEN_ORDERS_LIMIT
        if (total * o.lot_reserve if o.side == Side.BUY else self.value(o, total)) > MAX_AMOUNT_FEN:
            return Reason.VALUE_TOO_LARGE
        if self.listed[o.instrument].day_amount > limits.MAX_DAY_AMOUNT_FEN:
            return Reason.VALUE_TOO_LARGE
        if account.max_order_fen and self.value(o, total) > account.max_order_fen:
            return Reason.ORDER_VALUE_LIMIT
        if account.max_day_fen and account.day_amount + self.value(o, o.leaves) > account.max_day_fen:
            return Reason.TURNOVER_LIMIT
        return Reason.NONE

    def unaffordable(self, o: Order, before: Order | None) -> Reason:
        """6.7; 3.5: an amended order's own reserve counts as free."""
        if o.side == Side.BUY:
            row = self.ledger[o.account]
            free = row.cash - row.reserved + (before.leaves * before.lot_reserve if before else 0)
            return Reason.INSUFFICIENT_FUNDS if free < o.leaves * o.lot_reserve else Reason.NONE
        lots, reserved = self.holding(o.account, o.instrument)
        free = lots - reserved + (before.leaves if before else 0)
        return Reason.INSUFFICIENT_INVENTORY if free < o.leaves else Reason.NONE

    # The order as it would be

    def wanted(self, c: Command) -> Order:
        """The order of a readable NEW_ORDER."""
        o = Order(
            order_id=c.seq,
            account=c.account,
            owner=self.ledger[c.account].owner,
            instrument=c.instrument,
            side=c.side,
            order_type=c.order_type,
            time_in_force=c.time_in_force,
            self_trade=c.self_trade,
            flags=c.flags,
            time_s=c.time_s,
            price=c.price_ticks,
            trigger=c.trigger_ticks,
            shown=c.quantity_lots,
            display=c.display_lots,
        )
        self.price(o)
        return o

    def amended(self, c: Command, o: Order) -> Order:
        """The order as a readable AMEND would make it, incoming and fully shown (3.5)."""
        total = c.quantity_lots if c.flags & Flag.CHANGE_QUANTITY else o.filled + o.leaves
        n = replace(
            o,
            price=c.price_ticks if c.flags & Flag.CHANGE_PRICE else o.price,
            trigger=c.trigger_ticks if c.flags & Flag.CHANGE_TRIGGER else o.trigger,
            display=c.display_lots if c.flags & Flag.CHANGE_DISPLAY else o.display,
            shown=total - o.filled,
            hidden=0,
        )
        self.price(n)
        return n

    def price(self, o: Order) -> None:
        """Sets the protection price of an order without a price (1.3, 1.4), and the reserve of one lot."""
        if o.order_type in (MARKET, STOP):
            o.price = self.protection_price(o)
        o.lot_reserve = self.lot_reserve(o)
