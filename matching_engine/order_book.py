"""The order book: price-time priority for any number of instruments, without accounts, money, clock or I/O.

    book = OrderBook(instruments=1)
    book.submit(CommandKind.NEW_ORDER, 1, side=Side.SELL, price_ticks=100, quantity_lots=5)
    book.submit(CommandKind.NEW_ORDER, 2, side=Side.BUY, price_ticks=101, quantity_lots=3)   # ACCEPTED, TRADE at 100
    book.best(0, Side.SELL)                                                                 # (100, 2, 1)

An order trades at the price of the order it meets (the maker's), best price first and, at one price, oldest first.
The caller names the orders; an id may be used again once its order has ended.

An order is a row of a pool (a *slot*), linked into the queue of its price level. Every pool is grown by `reserve`
before a command runs, so that matching itself never allocates and cannot fail half-way.
"""

from __future__ import annotations

from dataclasses import dataclass
from struct import Struct, error
from typing import Any, ClassVar, NamedTuple

import cython
import numpy as np

from matching_engine.faults import EngineFault
from matching_engine.order_ids import OrderIds
from matching_engine.pools import grown, rows
from matching_engine.price_levels import PriceLevels
from matching_engine.records import BOOK_COMMAND, BOOK_EVENT

if not cython.compiled:  # when compiled, these stand in the .pxd
    from matching_engine.faults import Fault
    from matching_engine.pools import NIL, WORD
    from matching_engine.records import (
        MAX_BOOK_PRICE_TICKS,
        MAX_QUANTITY_LOTS,
        CommandKind,
        EventKind,
        OrderType,
        Reason,
        SelfTrade,
        Side,
        TimeInForce,
    )

    CHUNK = 256  # commands that room is made for at a time

COMMAND_FIELDS = Struct("<QqqqIIHBBBBBB")

EventTuple = tuple[int, int, int, int, int, int, int, int, int, int, int, int, int]
"""The values of a BOOK_EVENT in the record's order; `BookEvent(*values)` names them."""


class RestingOrder(NamedTuple):
    """An order in the book. `quantity_lots` is what is left of it."""

    order_id: int
    instrument: int
    side: int
    price_ticks: int
    quantity_lots: int
    time_in_force: int
    account: int
    owner: int
    tag: int


@dataclass(slots=True)
class Order:
    """A slot: one resting order, linked to its neighbours in the queue; `next` links the free list otherwise."""

    LAYOUT: ClassVar[str] = "u8 i8 i8 u4 u4 i4 i4 i4 u2 u1 u1"

    order_id: int = 0
    quantity_lots: int = 0
    tag: int = 0
    account: int = 0
    owner: int = 0
    level: int = 0
    prev: int = 0
    next: int = 0
    instrument: int = 0
    side: int = 0
    time_in_force: int = 0


@dataclass(slots=True)
class Event:
    """A BOOK_EVENT of the uncompiled book."""

    LAYOUT: ClassVar[str] = "u8 u8 i8 i8 i8 u4 u4 u2 u1 u1 u1 u1 u2"

    order_id: int = 0
    maker_order_id: int = 0
    price_ticks: int = 0
    quantity_lots: int = 0
    tag: int = 0
    account: int = 0
    maker_account: int = 0
    instrument: int = 0
    kind: int = 0
    side: int = 0
    reason: int = 0
    reserved_u1: int = 0
    reserved_u2: int = 0


class OrderBook:
    """The books of `instruments` instruments, numbered from 0 (at most 65,536)."""

    def __init__(self, instruments: int = 64) -> None:
        if not 1 <= instruments <= 65_536:
            raise ValueError("instruments must be 1 to 65,536")
        self.instruments = instruments
        self.fault = 0
        self.ids = OrderIds()
        self.levels = PriceLevels(2 * instruments)
        self.orders = rows(Order, 1)
        self.out = rows(Event, 1)
        self.size = 0
        self._free = NIL
        self._used = 1

    # Commands

    def process(self, commands: Any) -> Any:
        """Runs a BOOK_COMMAND array and returns a BOOK_EVENT array: the events of each command in turn.

        Whatever the bytes, a command is carried out or REJECTED with a reason (the checks: `_refusal`). Raises ValueError
        for an array of another dtype or shape, MemoryError (the commands before the one that needed memory are done),
        EngineFault for an impossible state.
        """
        if commands.dtype != BOOK_COMMAND or commands.ndim != 1:
            raise ValueError("commands must be a one-dimensional BOOK_COMMAND array")
        if not cython.compiled:
            values: list[EventTuple] = []
            for seq, row in enumerate(commands.tolist(), start=1):
                self.reserve(1)
                self._apply(*row)
                self._stop_at_fault(seq)
                values += self._take()
            return np.array(values, BOOK_EVENT)
        self._apply_all(np.ascontiguousarray(commands))
        # As whole words: numpy copies records field by field.
        events = self.out.base.view("u8")[: self.size * 7].copy().view(BOOK_EVENT)  # type: ignore[attr-defined]
        self.size = 0
        return events

    def submit(
        self,
        kind: int,
        order_id: int,
        instrument: int = 0,
        side: int = 0,
        price_ticks: int = 0,
        quantity_lots: int = 0,
        order_type: int = 1,  # LIMIT
        time_in_force: int = 2,  # GTC
        self_trade: int = 0,  # CANCEL_NEWEST
        flags: int = 0,
        account: int = 0,
        owner: int = 0,
        tag: int = 0,
    ) -> list[EventTuple]:
        """Runs one command and returns its events, each as a tuple in BOOK_EVENT's order.

        The arguments are BOOK_COMMAND's fields; a value its field cannot hold raises OverflowError.
        """
        if not cython.compiled:
            try:
                COMMAND_FIELDS.pack(
                    order_id, price_ticks, quantity_lots, tag, account, owner,
                    instrument, kind, side, order_type, time_in_force, self_trade, flags,
                )  # fmt: skip
            except error as problem:
                raise OverflowError(str(problem)) from None
        self.reserve(1)
        self._apply(
            order_id, price_ticks, quantity_lots, tag, account, owner,
            instrument, kind, side, order_type, time_in_force, self_trade, flags,
        )  # fmt: skip
        self._stop_at_fault(1)
        return self._take()

    # Views

    def best(self, instrument: int, side: int) -> tuple[int, int, int] | None:
        """The best level of a side as (price_ticks, quantity_lots, orders), or None."""
        levels = self.depth(instrument, side, 1)
        return levels[0] if levels else None

    def depth(self, instrument: int, side: int, levels: int = 10) -> list[tuple[int, int, int]]:
        """Up to `levels` price levels of a side, best first, as (price_ticks, quantity_lots, orders)."""
        number = self._side_number(instrument, side)
        found: list[tuple[int, int, int]] = []
        level = self.levels.best(number)
        while level != NIL and len(found) < levels:
            row = self.levels.rows[level]
            found.append((self.levels.price(number, level), row.quantity_lots, row.orders))
            level = self.levels.next(level)
        return found

    def orders_at(self, instrument: int, side: int, price_ticks: int) -> list[RestingOrder]:
        """The orders resting at a price, in the order in which they will trade."""
        number = self._side_number(instrument, side)
        if not -MAX_BOOK_PRICE_TICKS - 1 <= price_ticks <= MAX_BOOK_PRICE_TICKS:
            return []
        queue = []
        slot = self.levels.rows[self.levels.find(number, price_ticks)].head
        while slot != NIL:
            queue.append(self._resting(slot))
            slot = self.orders[slot].next
        return queue

    def order(self, order_id: int) -> RestingOrder | None:
        """The order of an id while it rests, else None."""
        slot = self.find(order_id)
        return None if slot == NIL else self._resting(slot)

    def __len__(self) -> int:
        """The number of resting orders."""
        return self.ids.count

    # For the engine that keeps accounts on top of the book

    def reserve(self, commands: int) -> int:
        """Makes room for `commands` commands: raises MemoryError before, so that nothing can fail while they run.

        A command adds at most one order and one level, and at most two to the sum of events and resting orders: a trade
        either takes a maker off the book or is the taker's last, and then nothing of the taker rests.
        """
        self.levels.reserve(commands)
        size = len(self.orders)
        while size <= self.ids.count + commands:
            size *= 2
        if size > len(self.orders):
            if size > 2**31:
                raise MemoryError("more orders than 32-bit links can tell apart")
            self.ids.reserve(size)
            self.orders = grown(self.orders, self._used, size)
        self._reserve_events(commands)
        return size

    def place(
        self,
        instrument: int,
        side: int,
        order_type: int,
        time_in_force: int,
        self_trade: int,
        account: int,
        owner: int,
        order_id: int,
        price_ticks: int,
        quantity_lots: int,
        tag: int,
    ) -> None:
        """Accepts a valid order, trades what it can, then rests, cancels or prevents the remainder."""
        self._emit(EventKind.ACCEPTED, Reason.NONE, instrument, side, account, 0, order_id, 0,
                   price_ticks, quantity_lots, tag)  # fmt: skip
        makers = 2 * instrument + (1 - side)
        limit = WORD - 1 if order_type == OrderType.MARKET else self.levels.key(makers, price_ticks)
        while quantity_lots > 0 and self.levels.sides[makers].best_key <= limit:
            level = self.levels.sides[makers].best
            maker = self.levels.rows[level].head
            if owner != 0 and self.orders[maker].owner == owner:
                self._emit(EventKind.PREVENTED, Reason.SELF_TRADE, instrument, side, account, 0, order_id,
                           self.orders[maker].order_id, price_ticks, quantity_lots, tag)  # fmt: skip
                return
            traded = min(quantity_lots, self.orders[maker].quantity_lots)
            if traded <= 0:
                self.fault = Fault.ORDER_LOST
                return
            self._emit(EventKind.TRADE, Reason.NONE, instrument, side, account, self.orders[maker].account, order_id,
                       self.orders[maker].order_id, self.levels.price(makers, level), traded,
                       self.orders[maker].tag)  # fmt: skip
            quantity_lots -= traded
            if traded == self.orders[maker].quantity_lots:
                self._remove(maker)
            else:
                self.orders[maker].quantity_lots -= traded
                self.levels.rows[level].quantity_lots -= traded
        if quantity_lots == 0:
            return
        if time_in_force == TimeInForce.IOC:
            reason = Reason.NO_LIQUIDITY if order_type == OrderType.MARKET else Reason.IMMEDIATE_OR_CANCEL
            self._emit(EventKind.CANCELED, reason, instrument, side, account, 0, order_id, 0,
                       price_ticks, quantity_lots, tag)  # fmt: skip
            return
        self._rest(instrument, side, time_in_force, account, owner, order_id, price_ticks, quantity_lots, tag)

    def cancel(self, order_id: int, reason: int) -> None:
        """Ends a resting order; one that doesn't rest is a fault."""
        self.cancel_slot(self.ids.find(order_id), reason)

    def cancel_slot(self, slot: int, reason: int) -> None:
        """Ends the order of a slot."""
        if slot == NIL:
            self.fault = Fault.ORDER_LOST
            return
        self._emit(EventKind.CANCELED, reason, self.orders[slot].instrument, self.orders[slot].side,
                   self.orders[slot].account, 0, self.orders[slot].order_id, 0, self.order_price(slot),
                   self.orders[slot].quantity_lots, self.orders[slot].tag)  # fmt: skip
        self._remove(slot)

    def find(self, order_id: int) -> int:
        """The slot of a resting order, or NIL."""
        return self.ids.find(order_id)

    def order_price(self, slot: int) -> int:
        """The price of a resting order, in ticks."""
        return self.levels.price(2 * self.orders[slot].instrument + self.orders[slot].side, self.orders[slot].level)

    def level_lots(self, instrument: int, side: int, price_ticks: int) -> int:
        """The total quantity resting at a price; 0 when there is none."""
        return self.levels.rows[self.levels.find(2 * instrument + side, price_ticks)].quantity_lots

    def level_orders(self, instrument: int, side: int, price_ticks: int) -> int:
        """The number of orders resting at a price; 0 when there is none."""
        return self.levels.rows[self.levels.find(2 * instrument + side, price_ticks)].orders

    # Within the book

    def _reserve_events(self, commands: int) -> int:
        events = self.size + self.ids.count + 2 * commands
        if events > len(self.out):
            self.out = grown(self.out, self.size, 2 * events)
        return events

    def _apply_all(self, commands: Any) -> int:
        count = commands.shape[0]
        self._reserve_events(count)
        done = 0
        while done < count:
            stop = min(done + CHUNK, count)
            self.reserve(stop - done)
            with cython.nogil:
                while done < stop and self.fault == 0:
                    self._apply(
                        commands[done].order_id, commands[done].price_ticks, commands[done].quantity_lots,
                        commands[done].tag, commands[done].account, commands[done].owner, commands[done].instrument,
                        commands[done].kind, commands[done].side, commands[done].order_type,
                        commands[done].time_in_force, commands[done].self_trade, commands[done].flags,
                    )  # fmt: skip
                    done += 1
            self._stop_at_fault(done)
        return 0

    def _stop_at_fault(self, seq: int) -> int:
        if self.fault:
            raise EngineFault(self.fault, seq)
        return 0

    def _apply(
        self,
        order_id: int,
        price_ticks: int,
        quantity_lots: int,
        tag: int,
        account: int,
        owner: int,
        instrument: int,
        kind: int,
        side: int,
        order_type: int,
        time_in_force: int,
        self_trade: int,
        flags: int,
    ) -> None:
        reason: int = Reason.UNKNOWN_COMMAND
        slot = self.ids.find(order_id)
        if kind == CommandKind.CANCEL:
            if slot != NIL:
                self.cancel_slot(slot, Reason.REQUESTED)
                return
            reason = Reason.UNKNOWN_ORDER
        elif kind == CommandKind.NEW_ORDER:
            reason = self._refusal(instrument, side, order_type, time_in_force, self_trade, flags, slot,
                                   price_ticks, quantity_lots)  # fmt: skip
            if reason == Reason.NONE:
                self.place(instrument, side, order_type, time_in_force, self_trade, account, owner, order_id,
                           price_ticks, quantity_lots, tag)  # fmt: skip
                return
        self._emit(EventKind.REJECTED, reason, instrument, side, account, 0, order_id, 0,
                   price_ticks, quantity_lots, tag)  # fmt: skip

    def _refusal(
        self,
        instrument: int,
        side: int,
        order_type: int,
        time_in_force: int,
        self_trade: int,
        flags: int,
        slot: int,
        price_ticks: int,
        quantity_lots: int,
    ) -> int:
        """Why an order cannot be taken, the first reason that applies; NONE if it can."""
        if instrument >= self.instruments:
            return Reason.UNKNOWN_INSTRUMENT
        if side > Side.SELL:
            return Reason.INVALID_SIDE
        if order_type != OrderType.LIMIT and order_type != OrderType.MARKET:
            return Reason.INVALID_ORDER_TYPE
        if time_in_force < TimeInForce.DAY or time_in_force > TimeInForce.IOC:
            return Reason.INVALID_TIME_IN_FORCE
        if order_type == OrderType.MARKET and time_in_force != TimeInForce.IOC:
            return Reason.INVALID_TIME_IN_FORCE
        if self_trade != SelfTrade.CANCEL_NEWEST:
            return Reason.INVALID_SELF_TRADE
        if flags != 0:
            return Reason.INVALID_OPTION
        if quantity_lots < 1 or quantity_lots > MAX_QUANTITY_LOTS:
            return Reason.INVALID_QUANTITY
        if order_type == OrderType.MARKET and price_ticks != 0:
            return Reason.INVALID_PRICE
        if price_ticks < -MAX_BOOK_PRICE_TICKS - 1 or price_ticks > MAX_BOOK_PRICE_TICKS:
            return Reason.INVALID_PRICE
        if slot != NIL:
            return Reason.DUPLICATE_ORDER_ID
        return Reason.NONE

    def _rest(
        self,
        instrument: int,
        side: int,
        time_in_force: int,
        account: int,
        owner: int,
        order_id: int,
        price_ticks: int,
        quantity_lots: int,
        tag: int,
    ) -> None:
        slot = self._free
        if slot != NIL:
            self._free = self.orders[slot].next
        elif self._used < len(self.orders):
            slot = self._used
            self._used += 1
        level = self.levels.open(2 * instrument + side, price_ticks)
        if slot == NIL or level == NIL:
            self.fault = Fault.NO_ROOM
            return
        tail = self.levels.rows[level].tail
        self.orders[slot].order_id = order_id
        self.orders[slot].quantity_lots = quantity_lots
        self.orders[slot].tag = tag
        self.orders[slot].account = account
        self.orders[slot].owner = owner
        self.orders[slot].level = level
        self.orders[slot].prev = tail
        self.orders[slot].next = NIL
        self.orders[slot].instrument = instrument
        self.orders[slot].side = side
        self.orders[slot].time_in_force = time_in_force
        if tail == NIL:
            self.levels.rows[level].head = slot
        else:
            self.orders[tail].next = slot
        self.levels.rows[level].tail = slot
        self.levels.rows[level].quantity_lots += quantity_lots
        self.levels.rows[level].orders += 1
        self.ids.insert(order_id, slot)

    def _remove(self, slot: int) -> None:
        level = self.orders[slot].level
        prev = self.orders[slot].prev
        next = self.orders[slot].next
        if self.ids.erase(self.orders[slot].order_id) != slot:
            self.fault = Fault.ORDER_LOST
            return
        if prev == NIL:
            self.levels.rows[level].head = next
        else:
            self.orders[prev].next = next
        if next == NIL:
            self.levels.rows[level].tail = prev
        else:
            self.orders[next].prev = prev
        self.levels.rows[level].quantity_lots -= self.orders[slot].quantity_lots
        self.levels.rows[level].orders -= 1
        if prev == NIL and next == NIL:
            self.levels.close(2 * self.orders[slot].instrument + self.orders[slot].side, level)
        self.orders[slot].next = self._free
        self._free = slot

    def _emit(
        self,
        kind: int,
        reason: int,
        instrument: int,
        side: int,
        account: int,
        maker_account: int,
        order_id: int,
        maker_order_id: int,
        price_ticks: int,
        quantity_lots: int,
        tag: int,
    ) -> None:
        i = self.size
        if i == len(self.out):
            self.fault = Fault.NO_ROOM
            return
        self.size = i + 1
        self.out[i].order_id = order_id
        self.out[i].maker_order_id = maker_order_id
        self.out[i].price_ticks = price_ticks
        self.out[i].quantity_lots = quantity_lots
        self.out[i].tag = tag
        self.out[i].account = account
        self.out[i].maker_account = maker_account
        self.out[i].instrument = instrument
        self.out[i].kind = kind
        self.out[i].side = side
        self.out[i].reason = reason

    def _take(self) -> list[EventTuple]:
        events = []
        for i in range(self.size):
            e = self.out[i]
            events.append(
                (
                    e.order_id, e.maker_order_id, e.price_ticks, e.quantity_lots, e.tag, e.account, e.maker_account,
                    e.instrument, e.kind, e.side, e.reason, 0, 0,
                )
            )  # fmt: skip
        self.size = 0
        return events

    def _resting(self, slot: int) -> RestingOrder:
        row = self.orders[slot]
        return RestingOrder(
            row.order_id, row.instrument, row.side, self.order_price(slot), row.quantity_lots, row.time_in_force,
            row.account, row.owner, row.tag,
        )  # fmt: skip

    def _side_number(self, instrument: int, side: int) -> int:
        if not 0 <= instrument < self.instruments:
            raise ValueError(f"no instrument {instrument}: there are {self.instruments}")
        if side not in (Side.BUY, Side.SELL):
            raise ValueError(f"no side {side}")
        return 2 * instrument + side
