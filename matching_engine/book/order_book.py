"""The order book: price-time priority for any number of instruments, without accounts, money, clock or I/O.

    book = OrderBook(instruments=1)
    book.submit(CommandKind.NEW_ORDER, 1, side=Side.SELL, price_ticks=100, quantity_lots=5)
    book.submit(CommandKind.NEW_ORDER, 2, side=Side.BUY, price_ticks=101, quantity_lots=3)   # ACCEPTED, TRADE at 100
    book.best(0, Side.SELL)                                                                 # (100, 2, 1)

The rules are those of docs/rulebook.md, sections 1 to 3, 4.3 to 4.5 and 5. A bare book knows no clock (GTD is refused), no
bands, accounts or phases: its instruments trade continuously but where `collecting` has begun a call auction, and a MARKET
order takes any price. The caller names the orders; an id may be used again once its order has ended.

An order is a row of a pool (a *slot*). New, amended and triggered orders take the same way in, `enter`: they trade what they
can, and the rest is linked into the queue of its price level. Every pool is grown by `reserve` before a command runs, so
that matching itself never allocates and cannot fail half-way.
"""

from __future__ import annotations

from struct import error
from typing import Any, NamedTuple

import cython
import numpy as np

from matching_engine import pools
from matching_engine.book.order_ids import OrderIds
from matching_engine.book.orders import Last, Order
from matching_engine.book.price_levels import PriceLevels
from matching_engine.faults import EngineFault
from matching_engine.pools import grown, rows, words
from matching_engine.record_rows import BookEventOut
from matching_engine.records import BOOK_COMMAND, BOOK_EVENT, BookCommand, struct_of

if not cython.compiled:  # when compiled, these stand in the .pxd
    from matching_engine import records
    from matching_engine.book.auction import find_auction
    from matching_engine.book.book_refusals import amend_refusal, order_refusal
    from matching_engine.book.fill_or_kill import fillable
    from matching_engine.book.order_ids import entry_at, hash_of
    from matching_engine.book.orders import command_at, event_at, order_at, refills_of, release
    from matching_engine.book.price_levels import key_of, level_at, side_at
    from matching_engine.faults import Fault
    from matching_engine.pools import NIL, WORD, codes, is_integer, prefetch
    from matching_engine.records import MAX_BOOK_PRICE_TICKS, MAX_QUANTITY_LOTS, MAX_SLICES

    CommandKind = codes(records.CommandKind)
    EventKind = codes(records.EventKind)
    Flag = codes(records.Flag)
    OrderType = codes(records.OrderType)
    Reason = codes(records.Reason)
    SelfTrade = codes(records.SelfTrade)
    Side = codes(records.Side)
    TimeInForce = codes(records.TimeInForce)

    FEW_EVENTS = 64  # that a short batch has room for, whatever its commands do
    WORDS = 6  # of 8 bytes, in an event
    CHUNK = 16  # commands that room is made for at a time; more when compiled
    AHEAD = 8  # commands from asking for an order to using it

COMMAND_FIELDS = struct_of(BookCommand)

EventTuple = tuple[int, int, int, int, int, int, int, int, int, int, int, int, int]
"""The values of a BOOK_EVENT in the record's order; `BookEvent(*values)` names them."""


class OpenOrder(NamedTuple):
    """An order in the book, or one that waits for its trigger. `quantity_lots` is what is left of it, hidden lots too."""

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


class OrderBook:
    """The books of `instruments` instruments, numbered from 0 (at most 65,535)."""

    def __init__(self, instruments: int = 64) -> None:
        if not 1 <= instruments <= 65_535:
            raise ValueError("instruments must be 1 to 65,535")
        self.instruments = instruments
        self.fault = 0
        self.levels = PriceLevels(4 * instruments, pools.FIRST_PAGES)
        self.orders = rows(Order, pools.FIRST_ORDERS, pools.MOST_ORDERS)
        self.order_tags = words(pools.FIRST_ORDERS, "i8", pools.MOST_ORDERS)
        self.tagged = False
        self.ids = OrderIds(self.orders)
        self.last = rows(Last, instruments)
        self.out = rows(BookEventOut, 1, pools.MOST_EVENTS)
        self.tags = words(1, "i8", pools.MOST_EVENTS)
        self.maker_leaves = words(1, "u4", pools.MOST_EVENTS)
        self.size = 0
        self.refills = self.stops = 0
        self.bounded = self.traded = False
        self.low_ticks = self.high_ticks = 0
        self.auction_ticks = self.auction_lots = self.auction_imbalance = 0
        self._free = self._first_triggered = self._last_triggered = NIL
        self._used = 1
        self._command: Any = rows(BookCommand, 1)
        self._batch: Any = None
        self._batch_words = 0

    # Commands

    def process(self, commands: Any) -> Any:
        """Runs a BOOK_COMMAND array and returns a BOOK_EVENT array: the events of each command in turn.

        Whatever the bytes, a command is carried out or REJECTED with a reason. Raises ValueError for an array of another
        dtype or shape, MemoryError (the commands before the one that needed memory are done, and their events lost),
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
        """Runs one command and returns its events, each as a tuple in BOOK_EVENT's order.

        The arguments are BOOK_COMMAND's fields; a value its field cannot hold raises OverflowError.
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
        """Begins a call auction of an instrument (`on`), or ends it: uncrosses the book and triggers the stops the last price
        then reaches. Returns the events, as `submit` does."""
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

    def depth(self, instrument: int, side: int, levels: int = 10) -> list[tuple[int, int, int]]:
        """Up to `levels` price levels of a side, best first, as (price_ticks, quantity_lots shown, orders)."""
        number = self._side_number(instrument, side)
        found: list[tuple[int, int, int]] = []
        level = self.levels.best(number)
        while level != NIL and len(found) < levels:
            row = self.levels.rows[level]
            found.append((self.levels.price(number, level), row.quantity_lots, row.orders))
            level = self.levels.next(level)
        return found

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
        """The orders of a side that wait for their triggers, first to be triggered first."""
        self._side_number(instrument, side)
        waiting: list[OpenOrder] = []
        level = self.levels.best(self._stops_number(instrument, side))
        while level != NIL:
            waiting += self._queue(level)
            level = self.levels.next(level)
        return waiting

    def order(self, order_id: int) -> OpenOrder | None:
        """The order of an id while it is open, else None."""
        slot = self.find(order_id)
        return None if slot == NIL else self._open_order(slot)

    def __len__(self) -> int:
        """The number of open orders, waiting stops too."""
        return self.ids.count

    # For the engine that keeps accounts on top of the book

    def reserve(self, commands: int) -> int:
        """Makes room for `commands` commands: raises MemoryError before, so that nothing can fail while they run.

        A command adds at most one order, which opens a level at once or when it is triggered; a waiting stop will open
        another than the one it closes.
        """
        self.levels.reserve(2 * commands + self.stops)
        self.ids.reserve(self.ids.count + commands)
        size = len(self.orders)
        while size <= self.ids.count + commands:
            size *= 2
        if size > len(self.orders):
            if size > 2**31:
                raise MemoryError("more orders than 32-bit links can tell apart")
            tags = grown(self.order_tags, self._used if self.tagged else 0, size)
            self.orders = self.ids.orders = grown(self.orders, self._used, size)
            self.order_tags = tags
        self._reserve_events(commands)
        return size

    def new_slot(self) -> int:
        """A slot for an order that comes in. The caller fills its fields but level, prev, next and waiting."""
        slot = self._free
        if slot != NIL:
            self._free = self.orders[slot].next
        elif self._used < len(self.orders):
            slot = self._used
            self._used += 1
        else:
            self.fault = Fault.NO_ROOM
        self.orders[slot].level = NIL
        self.orders[slot].waiting = False
        return slot

    def enter(self, slot: int, worst_ticks: int) -> None:
        """An incoming order trades what it can, up to its price and to `worst_ticks`; then it rests, or what is left of it is
        canceled. Where it stops at `worst_ticks` (`bounded`) though its own price goes on, it joins the call auction instead.
        """
        order = order_at(self.orders[slot])
        makers = 2 * order.instrument + 1 - order.side
        other = side_at(self.levels.sides[makers])
        own_limit = key_of(other, makers, order.price_ticks)
        self.bounded = False
        self.traded = False
        if (
            other.best_key > own_limit
            and order.order_type == OrderType.LIMIT
            and order.time_in_force <= TimeInForce.GTC
        ):
            self._rest(slot)  # As most orders do: nothing is there to trade with.
            return
        if order.order_type == OrderType.MARKET and order.price_ticks == 0:
            own_limit = WORD - 1
        limit = min(own_limit, key_of(other, makers, worst_ticks))
        if order.time_in_force == TimeInForce.FOK and not fillable(self.levels, self.orders, slot, limit):
            self.end(slot, EventKind.CANCELED, Reason.FILL_OR_KILL)
            return
        if other.best_key <= limit and self._match(slot, makers, limit):
            return
        may_rest = order.order_type == OrderType.LIMIT and (
            order.time_in_force <= TimeInForce.GTC or order.time_in_force == TimeInForce.GTD
        )
        if other.best_key <= own_limit:
            self.bounded = True
            if may_rest:
                self.collect(slot)
            else:
                self.end(slot, EventKind.CANCELED, Reason.VOLATILITY)
        elif may_rest:
            self._rest(slot)
        elif order.order_type == OrderType.MARKET:
            self.end(slot, EventKind.CANCELED, Reason.NO_LIQUIDITY)
        else:
            self.end(slot, EventKind.CANCELED, Reason.IMMEDIATE_OR_CANCEL)

    def collect(self, slot: int) -> None:
        """An incoming order of a call auction: self-trade prevention with the orders it crosses, then it rests untraded."""
        order = order_at(self.orders[slot])
        makers = 2 * order.instrument + 1 - order.side
        limit = self.levels.key(makers, order.price_ticks)
        level = self.levels.best(makers) if order.owner != 0 else NIL
        while level != NIL and self.levels.key(makers, self.levels.price(makers, level)) <= limit:
            beyond = self.levels.next(level)  # Read first: the level may be emptied and closed.
            maker = self.levels.rows[level].head
            while maker != NIL:
                following = self.orders[maker].next
                if self.orders[maker].owner == order.owner:
                    again = self.orders[maker].hidden_lots != 0
                    if self._prevent(slot, maker):
                        return
                    if following == NIL and again and order.self_trade == SelfTrade.DECREMENT:
                        following = maker  # The last of its level was refilled: it stands at the end again.
                maker = following
            level = beyond
        self._rest(slot)

    def hold(self, slot: int, trigger_ticks: int) -> None:
        """An incoming stop waits for its trigger."""
        self.orders[slot].waiting = True
        self.stops += 1
        self._link(slot, self._queue_number(order_at(self.orders[slot])), trigger_ticks)

    def resume(self, slot: int, trigger_ticks: int) -> None:
        """An order of a snapshot stands at the end of its queue, its parts shown and hidden as they were."""
        if trigger_ticks != 0:
            self.hold(slot, trigger_ticks)
            return
        order = order_at(self.orders[slot])
        self.refills += refills_of(order.hidden_lots, order.display_lots)
        self._link(slot, 2 * order.instrument + order.side, order.price_ticks)

    def reached(self, instrument: int, side: int, trigger_ticks: int) -> bool:
        """Whether the last price has reached the trigger of a stop."""
        if not self.last[instrument].traded:
            return False
        if side == Side.BUY:
            return self.last[instrument].price_ticks >= trigger_ticks
        return self.last[instrument].price_ticks <= trigger_ticks

    def trigger(self, instrument: int, low_ticks: int, high_ticks: int) -> None:
        """The stops that prices from `low_ticks` to `high_ticks` reach leave their queues and join the line."""
        if self.stops != 0:
            self._trigger_side(self._stops_number(instrument, Side.BUY), high_ticks)
            self._trigger_side(self._stops_number(instrument, Side.SELL), low_ticks)

    def next_triggered(self) -> int:
        """Takes the first stop off the line, now a MARKET or LIMIT order; NIL if there is none."""
        slot = self._first_triggered
        if slot != NIL:
            order = order_at(self.orders[slot])
            self._first_triggered = order.next
            if order.next == NIL:
                self._last_triggered = NIL
            release(order)
        return slot

    def end(self, slot: int, kind: int, reason: int) -> None:
        """Ends an order wherever it is: a CANCELED or EXPIRED event, and the slot is free."""
        if slot == NIL:
            self.fault = Fault.ORDER_LOST
            return
        order = order_at(self.orders[slot])
        self._emit(kind, reason, slot, 0, order.shown_lots + order.hidden_lots, 0, 0)
        self._remove(slot)

    def reduce(self, slot: int, leaves_lots: int) -> None:
        """An order is left with fewer lots, or as many, and keeps its place; what it hides goes first."""
        order = order_at(self.orders[slot])
        level = level_at(self.levels.rows[order.level])
        self.refills -= refills_of(order.hidden_lots, order.display_lots)
        cut = order.shown_lots + order.hidden_lots - leaves_lots
        hidden_cut = min(cut, order.hidden_lots)
        order.hidden_lots -= hidden_cut
        level.hidden_lots -= hidden_cut
        order.shown_lots -= cut - hidden_cut
        level.quantity_lots -= cut - hidden_cut
        self.refills += refills_of(order.hidden_lots, order.display_lots)

    def withdraw(self, slot: int) -> None:
        """Takes an order out of its queue: it may come in again, with all of its quantity in `shown_lots`."""
        order = order_at(self.orders[slot])
        self._unlink(slot)
        order.shown_lots += order.hidden_lots
        order.hidden_lots = 0

    def crosses(self, instrument: int, side: int, price_ticks: int) -> bool:
        """Whether an order at this price would meet the best of the other side."""
        makers = 2 * instrument + 1 - side
        other = side_at(self.levels.sides[makers])
        return other.best_key <= key_of(other, makers, price_ticks)

    def auction(self, instrument: int, reference_ticks: int) -> None:
        """Finds `auction_ticks`, `auction_lots` and `auction_imbalance`: what an uncrossing would do; all 0 if nothing."""
        found = find_auction(self.levels, instrument, reference_ticks)
        self.auction_ticks = found.price_ticks
        self.auction_lots = found.lots
        self.auction_imbalance = found.imbalance

    def uncross(self, instrument: int) -> None:
        """The trades of the auction that was found last."""
        self.traded = self.auction_lots > 0
        while self.auction_lots > 0 and self.fault == 0:
            buy = self.levels.rows[self.levels.best(2 * instrument)].head
            sell = self.levels.rows[self.levels.best(2 * instrument + 1)].head
            buyer = order_at(self.orders[buy])
            seller = order_at(self.orders[sell])
            traded = min(min(buyer.shown_lots, seller.shown_lots), self.auction_lots)
            if traded <= 0:
                self.fault = Fault.ORDER_LOST
                return
            self._emit_trade(buy, sell, self.auction_ticks, traded, buyer.shown_lots + buyer.hidden_lots - traded)
            if self.tagged:
                self.tags[self.size - 1] = self.order_tags[buy]
            self.auction_lots -= traded
            self._fill(buy, traded)
            self._fill(sell, traded)
        if self.traded:
            self.low_ticks = self.high_ticks = self.auction_ticks
            self.last[instrument].price_ticks = self.auction_ticks
            self.last[instrument].traded = True

    def forget_last(self, instrument: int) -> None:
        """From now on the instrument has no last price."""
        self.last[instrument].price_ticks = 0
        self.last[instrument].traded = False

    def find(self, order_id: int) -> int:
        """The slot of an open order, or NIL."""
        return self.ids.find(order_id)

    def trigger_ticks(self, slot: int) -> int:
        """The trigger an order waits for; 0 if it doesn't wait."""
        if not self.orders[slot].waiting:
            return 0
        return self.levels.price(self._queue_number(order_at(self.orders[slot])), self.orders[slot].level)

    # The commands of a bare book

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
        """Moves the events of a chunk of commands to the batch's, so that `out` stays small and near."""
        size = self._batch_words + WORDS * self.size
        if size > len(self._batch):
            self._batch = grown(self._batch, self._batch_words, 2 * size)
        memcpy(cython.address(self._batch[self._batch_words]), event_at(self.out[0]), 8 * WORDS * self.size)  # type: ignore[name-defined] # noqa: F821
        self._batch_words = size
        self.size = 0
        return 0

    def _look_ahead(self, order_id: int, later_id: int) -> None:
        """Asks for the memory of an order that a command will soon name, and of the entry of one that will be named later. A
        wrong guess costs nothing but the asking."""
        prefetch(entry_at(self.ids._table[hash_of(later_id) >> self.ids._shift]))
        prefetch(order_at(self.orders[self.ids._table[hash_of(order_id) >> self.ids._shift]]))

    def _apply(self, c: BookCommand) -> None:
        reason: int = Reason.UNKNOWN_COMMAND
        if c.kind == CommandKind.NEW_ORDER:
            reason = self._new_order(c)
        elif c.kind == CommandKind.CANCEL:
            slot = self.ids.find(c.order_id)
            reason = Reason.UNKNOWN_ORDER
            if slot != NIL:
                self.end(slot, EventKind.CANCELED, Reason.REQUESTED)
                return
        elif c.kind == CommandKind.AMEND:
            reason = self._amend(c)
        if reason != Reason.NONE:
            self._reject(c, reason)

    def _new_order(self, c: BookCommand) -> int:
        """Carries out a new order, or says why not."""
        plain = self._is_plain(c)
        if not plain:
            reason = order_refusal(c, self.instruments)
            if reason != Reason.NONE:
                return reason
            if self.last[c.instrument].collecting and (
                c.order_type != OrderType.LIMIT or c.time_in_force > TimeInForce.GTC or c.flags != 0
            ):
                return Reason.NOT_IN_AUCTION
        if self.ids.find(c.order_id) != NIL:
            return Reason.DUPLICATE_ORDER_ID
        if c.flags != 0 and self.crosses(c.instrument, c.side, c.price_ticks):
            return Reason.POST_ONLY_WOULD_TRADE
        slot = self.new_slot()
        order = order_at(self.orders[slot])
        order.order_id = c.order_id
        order.price_ticks = c.price_ticks
        order.shown_lots = c.quantity_lots
        order.hidden_lots = 0
        order.display_lots = c.display_lots
        order.filled_lots = 0
        order.account = c.account
        order.owner = c.owner
        order.instrument = c.instrument
        order.side = c.side
        order.order_type = c.order_type
        order.time_in_force = c.time_in_force
        order.self_trade = c.self_trade
        order.flags = c.flags
        self._emit(EventKind.ACCEPTED, Reason.NONE, slot, c.order_type, c.quantity_lots, c.quantity_lots, 0)
        if plain:
            self._run(slot)
        elif order.order_type >= OrderType.STOP:
            self._wait(slot, c.trigger_ticks)
        elif self.last[c.instrument].collecting:
            self.collect(slot)
        else:
            self._run(slot)
        return Reason.NONE

    def _is_plain(self, c: BookCommand) -> bool:
        """Whether a NEW_ORDER is one of those that most are, a LIMIT order without options that may trade at once, and can be
        read: no other reason to refuse it needs to be looked for than that its id is taken."""
        return (
            c.order_type == OrderType.LIMIT
            and c.flags | c.display_lots == 0
            and c.trigger_ticks == 0
            and c.side <= Side.SELL
            and TimeInForce.DAY <= c.time_in_force <= TimeInForce.FOK
            and c.self_trade <= SelfTrade.DECREMENT
            and 1 <= c.quantity_lots <= MAX_QUANTITY_LOTS
            and -MAX_BOOK_PRICE_TICKS - 1 <= c.price_ticks <= MAX_BOOK_PRICE_TICKS
            and c.instrument < self.instruments
            and self.last[c.instrument].collecting == 0
        )

    def _amend(self, c: BookCommand) -> int:
        """Carries out an amend (rulebook 3), or says why not."""
        slot = self.ids.find(c.order_id)
        if slot == NIL:
            return Reason.UNKNOWN_ORDER
        order = order_at(self.orders[slot])
        present = order.filled_lots + order.shown_lots + order.hidden_lots
        total = c.quantity_lots if c.flags & Flag.CHANGE_QUANTITY else present
        display = c.display_lots if c.flags & Flag.CHANGE_DISPLAY else order.display_lots
        price = c.price_ticks if c.flags & Flag.CHANGE_PRICE else order.price_ticks
        trigger = c.trigger_ticks if c.flags & Flag.CHANGE_TRIGGER else self.trigger_ticks(slot)
        reason = amend_refusal(c, order, total > present or display != order.display_lots)
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
        """A new or amended stop waits for its trigger, or is triggered at once."""
        order = order_at(self.orders[slot])
        if self.reached(order.instrument, order.side, trigger_ticks):
            release(order)
            self._emit_state(EventKind.TRIGGERED, slot)
            self._run(slot)
        else:
            self.hold(slot, trigger_ticks)

    def _run(self, slot: int) -> None:
        """An incoming order, and then whatever it triggers."""
        order = order_at(self.orders[slot])
        instrument = order.instrument
        self.enter(slot, MAX_BOOK_PRICE_TICKS ^ -order.side)  # The worst price there is: x ^ -1 is -x - 1.
        if self.stops != 0 and self.traded:
            self.trigger(instrument, self.low_ticks, self.high_ticks)
            self._run_triggered()

    def _run_triggered(self) -> None:
        """Runs the line of triggered stops until it is empty."""
        slot = self.next_triggered()
        while slot != NIL:
            order = order_at(self.orders[slot])
            instrument = order.instrument
            self._emit_state(EventKind.TRIGGERED, slot)
            self.enter(slot, MAX_BOOK_PRICE_TICKS ^ -order.side)
            if self.traded:
                self.trigger(instrument, self.low_ticks, self.high_ticks)
            slot = self.next_triggered()

    # Matching

    def _match(self, slot: int, makers: int, limit: int) -> bool:
        """Trades an incoming order up to a key of the other side; whether that was the end of the order."""
        order = order_at(self.orders[slot])
        side = side_at(self.levels.sides[makers])
        first = price = order.price_ticks
        ended = False
        while not ended and side.best_key <= limit:
            maker_slot = self.levels.rows[side.best].head
            maker = order_at(self.orders[maker_slot])
            if maker.owner == order.owner and order.owner != 0:
                ended = self._prevent(slot, maker_slot)
                continue
            traded = min(order.shown_lots, maker.shown_lots)
            if traded == 0:
                self.fault = Fault.ORDER_LOST
                break
            price = maker.price_ticks
            if not self.traded:
                self.traded = True
                first = price
            order.shown_lots -= traded
            order.filled_lots += traded
            self._emit_trade(slot, maker_slot, price, traded, order.shown_lots)
            self._fill(maker_slot, traded)
            if order.shown_lots == 0:
                self._release_slot(slot)
                ended = True
        if self.traded:
            self.low_ticks = min(first, price)
            self.high_ticks = max(first, price)
            self.last[makers >> 1].price_ticks = price
            self.last[makers >> 1].traded = True
        return ended

    def _fill(self, slot: int, traded: int) -> None:
        """A resting order has traded: it stays, shows its next lots at the end of its queue, or is gone."""
        order = order_at(self.orders[slot])
        if traded == order.shown_lots and order.hidden_lots == 0:
            self._remove(slot)
            return
        order.filled_lots += traded
        self._lessen(slot, traded)

    def _lessen(self, slot: int, lots: int) -> None:
        """A resting order shows so many lots less; once it shows none, the next."""
        order = order_at(self.orders[slot])
        level = level_at(self.levels.rows[order.level])
        order.shown_lots -= lots
        level.quantity_lots -= lots
        if order.shown_lots != 0:
            return
        order.shown_lots = min(order.display_lots, order.hidden_lots)
        order.hidden_lots -= order.shown_lots
        level.quantity_lots += order.shown_lots
        level.hidden_lots -= order.shown_lots
        self.refills -= 1
        if order.next != NIL:
            self._to_the_end(slot)

    def _to_the_end(self, slot: int) -> None:
        order = order_at(self.orders[slot])
        level = level_at(self.levels.rows[order.level])
        self.orders[order.next].prev = order.prev
        if order.prev == NIL:
            level.head = order.next
        else:
            self.orders[order.prev].next = order.next
        self.orders[level.tail].next = slot
        order.prev = level.tail
        order.next = NIL
        level.tail = slot

    def _prevent(self, slot: int, maker_slot: int) -> bool:
        """An incoming order meets one of its own group (rulebook 5); whether that is the end of the incoming order."""
        order = order_at(self.orders[slot])
        maker = order_at(self.orders[maker_slot])
        order_id = order.order_id
        maker_id = maker.order_id
        left = maker.shown_lots + maker.hidden_lots
        if order.self_trade == SelfTrade.DECREMENT:
            cut = min(order.shown_lots, maker.shown_lots)
            self._emit(EventKind.PREVENTED, Reason.SELF_TRADE, maker_slot, 0, cut, left - cut, order_id)
            order.shown_lots -= cut
            self._emit(EventKind.PREVENTED, Reason.SELF_TRADE, slot, 0, cut, order.shown_lots, maker_id)
            if cut == left:
                self._remove(maker_slot)
            else:
                self._lessen(maker_slot, cut)
        else:
            if order.self_trade != SelfTrade.CANCEL_NEWEST:
                self._emit(EventKind.PREVENTED, Reason.SELF_TRADE, maker_slot, 0, left, 0, order_id)
                self._remove(maker_slot)
            if order.self_trade == SelfTrade.CANCEL_OLDEST:
                return False
            self._emit(EventKind.PREVENTED, Reason.SELF_TRADE, slot, 0, order.shown_lots, 0, maker_id)
            order.shown_lots = 0
        if order.shown_lots != 0:
            return False
        self._release_slot(slot)
        return True

    # Queues and slots

    def _rest(self, slot: int) -> None:
        order = order_at(self.orders[slot])
        if order.display_lots != 0 and order.shown_lots > order.display_lots:
            order.hidden_lots = order.shown_lots - order.display_lots
            order.shown_lots = order.display_lots
            self.refills += refills_of(order.hidden_lots, order.display_lots)
        self._link(slot, 2 * order.instrument + order.side, order.price_ticks)

    def _link(self, slot: int, queue_number: int, price_ticks: int) -> None:
        """Puts an order at the end of the queue of a level; from now on its id is known."""
        number = self.levels.open(queue_number, price_ticks)
        if slot == NIL or number == NIL:
            self.fault = Fault.NO_ROOM
            return
        order = order_at(self.orders[slot])
        level = level_at(self.levels.rows[number])
        tail = level.tail
        order.level = number
        order.prev = tail
        order.next = NIL
        if tail == NIL:
            level.head = slot
        else:
            self.orders[tail].next = slot
        level.tail = slot
        level.quantity_lots += order.shown_lots
        level.hidden_lots += order.hidden_lots
        level.orders += 1
        self.ids.insert(order.order_id, slot)

    def _unlink(self, slot: int) -> None:
        """Takes an order out of its queue; its id is not known any more."""
        order = order_at(self.orders[slot])
        if self.ids.erase(order.order_id) != slot:
            self.fault = Fault.ORDER_LOST
        if order.hidden_lots != 0:
            self.refills -= refills_of(order.hidden_lots, order.display_lots)
        if order.prev == NIL and order.next == NIL:
            self.levels.close(self._queue_number(order), order.level)  # Unread, as it was opened.
        else:
            self._leave(order)
        order.level = NIL
        if order.waiting:
            self.stops -= 1
            order.waiting = False

    def _leave(self, order: Order) -> None:
        """Takes an order from others in its queue."""
        level = level_at(self.levels.rows[order.level])
        if order.prev == NIL:
            level.head = order.next
        else:
            self.orders[order.prev].next = order.next
        if order.next == NIL:
            level.tail = order.prev
        else:
            self.orders[order.next].prev = order.prev
        level.quantity_lots -= order.shown_lots
        level.hidden_lots -= order.hidden_lots
        level.orders -= 1

    def _remove(self, slot: int) -> None:
        if self.orders[slot].level != NIL:
            self._unlink(slot)
        self._release_slot(slot)

    def _release_slot(self, slot: int) -> None:
        self.orders[slot].next = self._free
        self._free = slot

    def _queue_number(self, order: Order) -> int:
        """The side of `levels` where an order stands."""
        if order.waiting:
            return self._stops_number(order.instrument, order.side)
        return 2 * order.instrument + order.side

    def _stops_number(self, instrument: int, side: int) -> int:
        """Where stops wait: of buys the lowest trigger comes first, as among sells the lowest price."""
        return 2 * (self.instruments + instrument) + 1 - side

    def _trigger_side(self, number: int, price_ticks: int) -> None:
        while self.levels.sides[number].best_key <= self.levels.key(number, price_ticks) and self.fault == 0:
            slot = self.levels.rows[self.levels.best(number)].head
            self._unlink(slot)
            self.orders[slot].next = NIL
            if self._last_triggered == NIL:
                self._first_triggered = slot
            else:
                self.orders[self._last_triggered].next = slot
            self._last_triggered = slot

    # Events

    def _emit_state(self, kind: int, slot: int) -> None:
        """An event that says how an order stands."""
        order = order_at(self.orders[slot])
        open_lots = order.shown_lots + order.hidden_lots
        self._emit(kind, Reason.NONE, slot, order.order_type, open_lots, open_lots, 0)

    def _emit(
        self,
        kind: int,
        reason: int,
        slot: int,
        order_type: int,
        quantity_lots: int,
        leaves_lots: int,
        maker_order_id: int,
    ) -> None:
        i = self.size
        if i == len(self.out):
            self.fault = Fault.NO_ROOM
            return
        self.size = i + 1
        order = order_at(self.orders[slot])
        event = event_at(self.out[i])
        event.order_id = order.order_id
        event.maker_order_id = maker_order_id
        event.price_ticks = order.price_ticks
        event.quantity_lots = quantity_lots
        event.leaves_lots = leaves_lots
        event.account = order.account
        event.maker_account = 0
        event.instrument = order.instrument
        event.kind = kind
        event.side = order.side
        event.reason = reason
        event.order_type = order_type
        if self.tagged:
            self.tags[i] = self.order_tags[slot]

    def _emit_trade(self, slot: int, maker_slot: int, price_ticks: int, traded: int, leaves_lots: int) -> None:
        maker = order_at(self.orders[maker_slot])
        self._emit(EventKind.TRADE, Reason.NONE, slot, 0, traded, leaves_lots, maker.order_id)
        event = event_at(self.out[self.size - 1])
        event.maker_account = maker.account
        event.price_ticks = price_ticks
        if self.tagged:
            self.tags[self.size - 1] = self.order_tags[maker_slot]
            self.maker_leaves[self.size - 1] = maker.shown_lots + maker.hidden_lots - traded

    def _reject(self, c: BookCommand, reason: int) -> None:
        i = self.size
        if i == len(self.out):
            self.fault = Fault.NO_ROOM
            return
        self.size = i + 1
        event = event_at(self.out[i])
        event.order_id = c.order_id
        event.maker_order_id = 0
        event.price_ticks = c.price_ticks
        event.quantity_lots = c.quantity_lots
        event.leaves_lots = 0
        event.account = c.account
        event.maker_account = 0
        event.instrument = c.instrument
        event.kind = EventKind.REJECTED
        event.side = c.side
        event.reason = reason
        event.order_type = 0

    def _reserve_events(self, commands: int) -> int:
        """A TRADE or a pair of PREVENTED takes a slice (a shown part) off the book, or ends the incoming order; an order that
        comes in or is triggered has two events more, and may bring MAX_SLICES slices."""
        slices = self.ids.count + self.refills + commands * MAX_SLICES
        events = self.size + 2 * slices + 4 * self.stops + 8 * commands
        if events > len(self.out):
            self.tags = grown(self.tags, self.size, 2 * events)
            self.maker_leaves = grown(self.maker_leaves, self.size, 2 * events)
            self.out = grown(self.out, self.size, 2 * events)
        return events

    def _take(self) -> list[EventTuple]:
        size = self.size
        self.size = 0
        if size == 1:  # As most commands have one, and a list of known length takes less time than one that grows.
            return [self._event(0)]
        return [self._event(i) for i in range(size)]

    def _event(self, i: int) -> EventTuple:
        e = event_at(self.out[i])
        return (
            e.order_id, e.maker_order_id, e.price_ticks, e.quantity_lots, e.leaves_lots, e.account,
            e.maker_account, e.instrument, e.kind, e.side, e.reason, e.order_type, 0,
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

    def _side_number(self, instrument: int, side: int) -> int:
        if not 0 <= instrument < self.instruments:
            raise ValueError(f"no instrument {instrument}: there are {self.instruments}")
        if side not in (Side.BUY, Side.SELL):
            raise ValueError(f"no side {side}")
        return 2 * instrument + side

    def _stop_at_fault(self, seq: int) -> int:
        if self.fault:
            raise EngineFault(self.fault, seq)
        return 0
