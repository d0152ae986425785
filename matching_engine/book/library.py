"""The order book as a library of its own: commands in, events out, views of what rests; no accounts, money or clock.

    book = OrderBook(instruments=1)
    book.submit(CommandKind.NEW_ORDER, 1, side=Side.SELL, price_ticks=100, quantity_lots=5)
    book.submit(CommandKind.NEW_ORDER, 2, side=Side.BUY, price_ticks=101, quantity_lots=3)   # ACCEPTED, TRADE at 100
    book.best(0, Side.SELL)                                                                 # (100, 2, 1)

The rules are those of docs/rulebook.md, sections 1 to 3, 4.3 to 4.5 and 5. A bare book refuses GTD, because it knows no clock,
and it has no bands, accounts or phases: its instruments trade continuously except where `collecting` has begun a call
auction, and a MARKET order takes any price. The caller chooses the order ids; an id may be used again once its order has
ended.
"""

from __future__ import annotations

from struct import error
from typing import Any, NamedTuple

import cython
import numpy as np

from matching_engine.book.order_book import Book
from matching_engine.faults import EngineFault
from matching_engine.pools import grown, rows
from matching_engine.records import BOOK_COMMAND, BOOK_EVENT, BookCommand, struct_of

if not cython.compiled:  # when compiled, these stand in the .pxd
    from matching_engine import records
    from matching_engine.book.book_refusals import amend_refusal, order_refusal
    from matching_engine.book.order_ids import entry_at, hash_of
    from matching_engine.book.orders import command_at, event_at, order_at, release
    from matching_engine.faults import Fault
    from matching_engine.pools import NIL, codes, is_integer, prefetch
    from matching_engine.records import MAX_BOOK_PRICE_TICKS, MAX_QUANTITY_LOTS

    CommandKind = codes(records.CommandKind)
    EventKind = codes(records.EventKind)
    Flag = codes(records.Flag)
    OrderType = codes(records.OrderType)
    Reason = codes(records.Reason)
    SelfTrade = codes(records.SelfTrade)
    Side = codes(records.Side)
    TimeInForce = codes(records.TimeInForce)

    FEW_EVENTS = 64  # events that even a short batch has room for
    WORDS = 6  # of 8 bytes, in an event
    CHUNK = 16  # commands that room is made for at a time; more when compiled
    AHEAD = 8  # commands from the prefetch of an order to its use

COMMAND_FIELDS = struct_of(BookCommand)

EventTuple = tuple[int, int, int, int, int, int, int, int, int, int, int, int, int]
"""The values of a BOOK_EVENT in the record's order; `BookEvent(*values)` names them."""


class OpenOrder(NamedTuple):
    """An open order: it rests in the book or waits for its trigger. `quantity_lots` is its open quantity, hidden lots too."""

    order_id: int
    instrument: int
    side: int
    order_type: int
    time_in_force: int
    price_ticks: int
    quantity_lots: int
    shown_lots: int
    display_lots: int
    filled_lots: int
    trigger_ticks: int
    self_trade: int
    flags: int
    account: int
    owner: int


class OrderBook(Book):
    """The books of `instruments` instruments, numbered from 0 (at most 65,535)."""

    def __init__(self, instruments: int = 64) -> None:
        super().__init__(instruments)
        self._command: Any = rows(BookCommand, 1)
        self._batch: Any = None
        self._batch_words = 0

    # Commands

    def process(self, commands: Any) -> Any:
        """Runs a BOOK_COMMAND array and returns a BOOK_EVENT array: the events of each command in order.

        Whatever its bytes, a command is executed or REJECTED with a reason. Raises ValueError for an array of another dtype or
        shape, MemoryError (the commands before the one that needed memory are done, but their events are lost), and
        EngineFault for an impossible state.
        """
        if getattr(commands, "dtype", None) != BOOK_COMMAND or commands.ndim != 1:
            raise ValueError("commands must be a one-dimensional BOOK_COMMAND array")
        if not cython.compiled:
            self.size = 0
            self._apply_all([BookCommand(*row) for row in commands.tolist()])
            return np.array(self._take(), BOOK_EVENT)
        self.size = 0
        self._batch = np.empty(WORDS * (len(commands) + len(commands) // 4 + FEW_EVENTS), "u8")
        self._batch_words = 0
        self._apply_all(np.ascontiguousarray(commands))
        events = self._batch.base[: self._batch_words].view(BOOK_EVENT)
        self._batch = None
        self._batch_words = 0
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
        display_lots: int = 0,
        trigger_ticks: int = 0,
    ) -> list[EventTuple]:
        """Runs one command and returns its events, each as a tuple in the order of BOOK_EVENT's fields.

        The arguments are the fields of BOOK_COMMAND. Raises OverflowError for a value that its field cannot hold, MemoryError,
        and EngineFault for an impossible state.
        """
        if cython.compiled:
            if not (
                is_integer(order_id) and is_integer(price_ticks) and is_integer(trigger_ticks)
                and is_integer(quantity_lots) and is_integer(display_lots) and is_integer(account) and is_integer(owner)
                and is_integer(instrument) and is_integer(kind) and is_integer(side) and is_integer(order_type)
                and is_integer(time_in_force) and is_integer(self_trade) and is_integer(flags)
            ):  # fmt: skip
                raise OverflowError("an argument is no integer")
            self._command[0].order_id = order_id
            self._command[0].price_ticks = price_ticks
            self._command[0].trigger_ticks = trigger_ticks
            self._command[0].quantity_lots = quantity_lots
            self._command[0].display_lots = display_lots
            self._command[0].account = account
            self._command[0].owner = owner
            self._command[0].instrument = instrument
            self._command[0].kind = kind
            self._command[0].side = side
            self._command[0].order_type = order_type
            self._command[0].time_in_force = time_in_force
            self._command[0].self_trade = self_trade
            self._command[0].flags = flags
        else:
            try:
                data = COMMAND_FIELDS.pack(
                    order_id, price_ticks, trigger_ticks, quantity_lots, display_lots, account, owner,
                    instrument, kind, side, order_type, time_in_force, self_trade, flags,
                )  # fmt: skip
            except error as problem:
                raise OverflowError(str(problem)) from None
            self._command[0] = BookCommand(*COMMAND_FIELDS.unpack(data))
        self.size = 0
        self.reserve(1)
        self._apply(command_at(self._command[0]))
        self._stop_at_fault(1)
        return self._take()

    def collecting(self, instrument: int, on: bool, reference_ticks: int = 0) -> list[EventTuple]:
        """Begins a call auction of an instrument (`on`), or ends it: uncrosses the book and triggers the stops that the last
        price then reaches. Returns the events, as `submit` does. Raises ValueError for an unknown instrument."""
        self._side_number(instrument, Side.BUY)
        self.size = 0
        self.reserve(1)
        self.last[instrument].collecting = on
        if not on:
            self.auction(instrument, reference_ticks)
            self.uncross(instrument)
            if self.last[instrument].traded:
                self.trigger(instrument, self.last[instrument].price_ticks, self.last[instrument].price_ticks)
            self._run_triggered()
        self._stop_at_fault(1)
        return self._take()

    # Views

    def best(self, instrument: int, side: int) -> tuple[int, int, int] | None:
        """The best level of a side as (price_ticks, quantity_lots, orders), or None."""
        levels = self.depth(instrument, side, 1)
        return levels[0] if levels else None

    def depth_at(self, instrument: int, side: int, price_ticks: int) -> tuple[int, int]:
        """(quantity_lots shown, orders) at a price; (0, 0) where none rests."""
        number = self._side_number(instrument, side)
        if not -MAX_BOOK_PRICE_TICKS - 1 <= price_ticks <= MAX_BOOK_PRICE_TICKS:
            return 0, 0
        row = self.levels.rows[self.levels.find(number, price_ticks)]
        return row.quantity_lots, row.orders

    def orders_at(self, instrument: int, side: int, price_ticks: int) -> list[OpenOrder]:
        """The orders resting at a price, in the order in which they will trade."""
        number = self._side_number(instrument, side)
        if not -MAX_BOOK_PRICE_TICKS - 1 <= price_ticks <= MAX_BOOK_PRICE_TICKS:
            return []
        return self._queue(self.levels.find(number, price_ticks))

    def waiting_stops(self, instrument: int, side: int) -> list[OpenOrder]:
        """The waiting stops of a side, first to be triggered first."""
        self._side_number(instrument, side)
        waiting: list[OpenOrder] = []
        level = self.levels.best(self._stops_number(instrument, side))
        while level != NIL:
            waiting += self._queue(level)
            level = self.levels.next(level)
        return waiting

    def order(self, order_id: int) -> OpenOrder | None:
        """The open order with this id, or None."""
        slot = self.find(order_id)
        return None if slot == NIL else self._open_order(slot)

    # How a command runs

    def _apply_all(self, commands: Any) -> int:
        count = len(commands)
        done = 0
        while done < count:
            stop = min(done + CHUNK, count)
            self.reserve(stop - done)
            with cython.nogil:
                while done < stop and self.fault == 0:
                    if cython.compiled and done + 8 * AHEAD < count:
                        prefetch(command_at(commands[done + 8 * AHEAD]))
                        self._look_ahead(commands[done + AHEAD].order_id, commands[done + 2 * AHEAD].order_id)
                    self._apply(command_at(commands[done]))
                    done += 1
            self._stop_at_fault(done)
            if cython.compiled:
                self._add_to_batch()
        return 0

    def _add_to_batch(self) -> int:
        """Moves the events of a chunk of commands to the batch's array, so that `out` stays small and in the cache."""
        size = self._batch_words + WORDS * self.size
        if size > len(self._batch):
            self._batch = grown(self._batch, self._batch_words, 2 * size)
        memcpy(cython.address(self._batch[self._batch_words]), event_at(self.out[0]), 8 * WORDS * self.size)  # type: ignore[name-defined] # noqa: F821
        self._batch_words = size
        self.size = 0
        return 0

    def _look_ahead(self, order_id: int, later_id: int) -> None:
        """Prefetches the order of the command AHEAD commands later and the hash entry of the one 2 × AHEAD later. A wrong guess
        costs only the prefetch."""
        prefetch(entry_at(self.ids._table[hash_of(later_id) >> self.ids._shift]))
        prefetch(order_at(self.orders[self.ids._table[hash_of(order_id) >> self.ids._shift]]))

    def _apply(self, command: BookCommand) -> None:
        reason: int = Reason.UNKNOWN_COMMAND
        if command.kind == CommandKind.NEW_ORDER:
            reason = self._new_order(command)
        elif command.kind == CommandKind.CANCEL:
            slot = self.ids.find(command.order_id)
            reason = Reason.UNKNOWN_ORDER
            if slot != NIL:
                self.end(slot, EventKind.CANCELED, Reason.REQUESTED)
                return
        elif command.kind == CommandKind.AMEND:
            reason = self._amend(command)
        if reason != Reason.NONE:
            self._answer(command, EventKind.REJECTED, reason)

    def _new_order(self, command: BookCommand) -> int:
        """Executes a NEW_ORDER and returns NONE, or returns the reason to refuse it."""
        plain = self._is_plain(command)
        if not plain:
            reason = order_refusal(command, self.instruments)
            if reason != Reason.NONE:
                return reason
            if self.last[command.instrument].collecting and (
                command.order_type != OrderType.LIMIT or command.time_in_force > TimeInForce.GTC or command.flags != 0
            ):
                return Reason.NOT_IN_AUCTION
        if self.ids.find(command.order_id) != NIL:
            return Reason.DUPLICATE_ORDER_ID
        if command.flags != 0 and self.crosses(command.instrument, command.side, command.price_ticks):
            return Reason.POST_ONLY_WOULD_TRADE
        slot = self.new_slot()
        order = order_at(self.orders[slot])
        order.order_id = command.order_id
        order.price_ticks = command.price_ticks
        order.shown_lots = command.quantity_lots
        order.hidden_lots = 0
        order.display_lots = command.display_lots
        order.filled_lots = 0
        order.account = command.account
        order.owner = command.owner
        order.instrument = command.instrument
        order.side = command.side
        order.order_type = command.order_type
        order.time_in_force = command.time_in_force
        order.self_trade = command.self_trade
        order.flags = command.flags
        self._answer(command, EventKind.ACCEPTED, Reason.NONE)
        if plain:
            self._run(slot)
        elif order.order_type >= OrderType.STOP:
            self._wait(slot, command.trigger_ticks)
        elif self.last[command.instrument].collecting:
            self.collect(slot)
        else:
            self._run(slot)
        return Reason.NONE

    def _is_plain(self, command: BookCommand) -> bool:
        """Whether a NEW_ORDER is valid and of the most frequent kind: a LIMIT order without options in continuous trading. The
        only reason left to refuse it is that its id is in use."""
        return (
            command.order_type == OrderType.LIMIT
            and command.flags | command.display_lots == 0
            and command.trigger_ticks == 0
            and command.side <= Side.SELL
            and TimeInForce.DAY <= command.time_in_force <= TimeInForce.FOK
            and command.self_trade <= SelfTrade.DECREMENT
            and 1 <= command.quantity_lots <= MAX_QUANTITY_LOTS
            and -MAX_BOOK_PRICE_TICKS - 1 <= command.price_ticks <= MAX_BOOK_PRICE_TICKS
            and command.instrument < self.instruments
            and self.last[command.instrument].collecting == 0
        )

    def _amend(self, command: BookCommand) -> int:
        """Executes an AMEND (rulebook 3) and returns NONE, or returns the reason to refuse it."""
        slot = self.ids.find(command.order_id)
        if slot == NIL:
            return Reason.UNKNOWN_ORDER
        order = order_at(self.orders[slot])
        present = order.filled_lots + order.shown_lots + order.hidden_lots
        total = command.quantity_lots if command.flags & Flag.CHANGE_QUANTITY else present
        display = command.display_lots if command.flags & Flag.CHANGE_DISPLAY else order.display_lots
        price = command.price_ticks if command.flags & Flag.CHANGE_PRICE else order.price_ticks
        trigger = command.trigger_ticks if command.flags & Flag.CHANGE_TRIGGER else self.trigger_ticks(slot)
        reason = amend_refusal(command, order, total > present or display != order.display_lots)
        if reason != Reason.NONE:
            return reason
        if total <= order.filled_lots:
            self.end(slot, EventKind.CANCELED, Reason.BELOW_FILLED)
            return Reason.NONE
        same = display == order.display_lots and price == order.price_ticks and trigger == self.trigger_ticks(slot)
        if same and total <= present:
            self.reduce(slot, total - order.filled_lots)
            self._emit_state(EventKind.REPLACED, slot)
            return Reason.NONE
        collecting = self.last[order.instrument].collecting
        if collecting and (order.waiting or order.flags != 0):
            return Reason.NOT_IN_AUCTION
        if order.flags != 0 and self.crosses(order.instrument, order.side, price):
            return Reason.POST_ONLY_WOULD_TRADE
        waiting = order.waiting
        self.withdraw(slot)
        order.shown_lots = total - order.filled_lots
        order.display_lots = display
        order.price_ticks = price
        self._emit_state(EventKind.REPLACED, slot)
        if waiting:
            self._wait(slot, trigger)
        elif collecting:
            self.collect(slot)
        else:
            self._run(slot)
        return Reason.NONE

    def _wait(self, slot: int, trigger_ticks: int) -> None:
        """Lets a new or amended stop wait for its trigger, or triggers it at once."""
        order = order_at(self.orders[slot])
        if self.reached(order.instrument, order.side, trigger_ticks):
            release(order)
            self._emit_state(EventKind.TRIGGERED, slot)
            self._run(slot)
        else:
            self.hold(slot, trigger_ticks)

    def _run(self, slot: int) -> None:
        """Enters an incoming order, and then the stops that it triggers."""
        order = order_at(self.orders[slot])
        instrument = order.instrument
        self.enter(slot, MAX_BOOK_PRICE_TICKS ^ -order.side)  # The side's worst price: x ^ -1 is -x - 1.
        if self.stops != 0 and self.traded:
            self.trigger(instrument, self.low_ticks, self.high_ticks)
            self._run_triggered()

    def _run_triggered(self) -> None:
        """Enters the triggered stops, and those that they trigger, until the line is empty."""
        slot = self.next_triggered()
        while slot != NIL:
            order = order_at(self.orders[slot])
            instrument = order.instrument
            self._emit_state(EventKind.TRIGGERED, slot)
            self.enter(slot, MAX_BOOK_PRICE_TICKS ^ -order.side)
            if self.traded:
                self.trigger(instrument, self.low_ticks, self.high_ticks)
            slot = self.next_triggered()

    def _stop_at_fault(self, seq: int) -> int:
        if self.fault:
            raise EngineFault(self.fault, seq)
        return 0

    # Events

    def _emit_state(self, kind: int, slot: int) -> None:
        """Emits an event with the present state of an order."""
        order = order_at(self.orders[slot])
        open_lots = order.shown_lots + order.hidden_lots
        self._emit(kind, Reason.NONE, slot, order.order_type, open_lots, open_lots, 0)

    def _answer(self, command: BookCommand, kind: int, reason: int) -> None:
        """Emits the event that accepts or rejects a command: ACCEPTED or REJECTED."""
        i = self.size
        if i == len(self.out):
            self.fault = Fault.NO_ROOM
            return
        self.size = i + 1
        accepted = kind == EventKind.ACCEPTED
        event = event_at(self.out[i])
        event.order_id = command.order_id
        event.maker_order_id = 0
        event.price_ticks = command.price_ticks
        event.quantity_lots = command.quantity_lots
        event.leaves_lots = command.quantity_lots if accepted else 0
        event.account = command.account
        event.maker_account = 0
        event.instrument = command.instrument
        event.kind = kind
        event.side = command.side
        event.reason = reason
        event.order_type = command.order_type if accepted else 0

    def _take(self) -> list[EventTuple]:
        size = self.size
        self.size = 0
        if size == 1:  # The most frequent number; a list of known length takes less time than one that grows.
            return [self._event(0)]
        return [self._event(i) for i in range(size)]

    def _event(self, i: int) -> EventTuple:
        event = event_at(self.out[i])
        return (
            event.order_id, event.maker_order_id, event.price_ticks, event.quantity_lots, event.leaves_lots, event.account,
            event.maker_account, event.instrument, event.kind, event.side, event.reason, event.order_type, 0,
        )  # fmt: skip

    # Views of slots

    def _queue(self, level: int) -> list[OpenOrder]:
        queue = []
        slot = self.levels.rows[level].head
        while slot != NIL:
            queue.append(self._open_order(slot))
            slot = self.orders[slot].next
        return queue

    def _open_order(self, slot: int) -> OpenOrder:
        row = self.orders[slot]
        return OpenOrder(
            row.order_id, row.instrument, row.side, row.order_type, row.time_in_force, row.price_ticks,
            row.shown_lots + row.hidden_lots, row.shown_lots, row.display_lots, row.filled_lots,
            self.trigger_ticks(slot), row.self_trade, row.flags, row.account, row.owner,
        )  # fmt: skip
