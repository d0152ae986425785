"""The order book as the engine uses it: price-time priority for any number of instruments.

An order is a row of a pool (a *slot*). New, amended and triggered orders all go through `enter`: they trade what they can, and
the remainder, if it may rest, is linked into the queue of its price level. `reserve` grows every pool before a command runs,
so matching never allocates memory and cannot fail half-way. The book knows no accounts, money, clock or I/O; `order_book.pxd`
says how to use it, and `library` is the book with commands and events of its own.
"""

from __future__ import annotations

import cython

from matching_engine import pools
from matching_engine.book.order_ids import OrderIds
from matching_engine.book.orders import Last, Order
from matching_engine.book.price_levels import PriceLevels
from matching_engine.pools import grown, rows, words
from matching_engine.record_rows import BookEventOut

if not cython.compiled:  # when compiled, these stand in the .pxd
    from matching_engine import records
    from matching_engine.book.auction import find_auction
    from matching_engine.book.fill_or_kill import fillable
    from matching_engine.book.orders import event_at, order_at, refills_of, release
    from matching_engine.book.price_levels import key_of, level_at, side_at
    from matching_engine.faults import Fault
    from matching_engine.pools import NIL, WORD, codes
    from matching_engine.records import MAX_SLICES

    EventKind = codes(records.EventKind)
    OrderType = codes(records.OrderType)
    Reason = codes(records.Reason)
    SelfTrade = codes(records.SelfTrade)
    Side = codes(records.Side)
    TimeInForce = codes(records.TimeInForce)


class Book:
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

    # Views

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

    def __len__(self) -> int:
        """The number of open orders, waiting stops included."""
        return self.ids.count

    # For the engine that keeps accounts on top of the book

    def reserve(self, commands: int) -> int:
        """Makes room for `commands` commands, so that nothing can fail while they run; returns the size of the pool of
        orders, in rows. Raises MemoryError.

        A command adds at most one order. An order opens a level when it rests, and a waiting stop opens another one when it
        is triggered.
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
        """A slot for an incoming order. The caller fills all fields except level, prev, next and waiting."""
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
        """Trades an incoming order up to its price and to `worst_ticks`; then its open quantity rests or is canceled.

        If the order stops at `worst_ticks` although its own price allows more trades, `bounded` is set and the order joins
        the call auction that follows, or is canceled if it may not rest.
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
            self._rest(slot)  # The most frequent case: nothing to trade with.
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
        """Adds an incoming order to a call auction: prevents self-trades with the orders that it crosses, then lets it rest."""
        order = order_at(self.orders[slot])
        makers = 2 * order.instrument + 1 - order.side
        limit = self.levels.key(makers, order.price_ticks)
        level = self.levels.best(makers) if order.owner != 0 else NIL
        while level != NIL and self.levels.key(makers, self.levels.price(makers, level)) <= limit:
            beyond = self.levels.next(level)  # Read before the level may be emptied and closed.
            maker = self.levels.rows[level].head
            while maker != NIL:
                following = self.orders[maker].next
                if self.orders[maker].owner == order.owner:
                    again = self.orders[maker].hidden_lots != 0
                    if self._prevent(slot, maker):
                        return
                    if following == NIL and again and order.self_trade == SelfTrade.DECREMENT:
                        following = maker  # Refilled, and still the last of its level: compare it again.
                maker = following
            level = beyond
        self._rest(slot)

    def hold(self, slot: int, trigger_ticks: int) -> None:
        """Puts an incoming stop into the queue of its trigger price."""
        self.orders[slot].waiting = True
        self.stops += 1
        self._link(slot, self._queue_number(order_at(self.orders[slot])), trigger_ticks)

    def resume(self, slot: int, trigger_ticks: int) -> None:
        """Puts an order of a snapshot at the end of its queue, with its shown and hidden lots unchanged."""
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
        """Appends to the line of triggered stops all stops that prices from `low_ticks` to `high_ticks` trigger."""
        if self.stops != 0:
            self._trigger_side(self._stops_number(instrument, Side.BUY), high_ticks)
            self._trigger_side(self._stops_number(instrument, Side.SELL), low_ticks)

    def next_triggered(self) -> int:
        """Removes the first stop from the line, turns it into a MARKET or LIMIT order and returns its slot; NIL if none."""
        slot = self._first_triggered
        if slot != NIL:
            order = order_at(self.orders[slot])
            self._first_triggered = order.next
            if order.next == NIL:
                self._last_triggered = NIL
            release(order)
        return slot

    def end(self, slot: int, kind: int, reason: int) -> None:
        """Ends an order that is in the book or incoming: emits a CANCELED or EXPIRED event and frees the slot."""
        if slot == NIL:
            self.fault = Fault.ORDER_LOST
            return
        order = order_at(self.orders[slot])
        self._emit(kind, reason, slot, 0, order.shown_lots + order.hidden_lots, 0, 0)
        self._remove(slot)

    def reduce(self, slot: int, leaves_lots: int) -> None:
        """Reduces an order to `leaves_lots` open lots, its hidden lots first. The order keeps its place in the queue."""
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
        """Removes an order from its queue and moves its hidden lots to `shown_lots`, so that it can `enter` again."""
        order = order_at(self.orders[slot])
        self._unlink(slot)
        order.shown_lots += order.hidden_lots
        order.hidden_lots = 0

    def crosses(self, instrument: int, side: int, price_ticks: int) -> bool:
        """Whether an order at this price would trade with the best price of the other side."""
        makers = 2 * instrument + 1 - side
        other = side_at(self.levels.sides[makers])
        return other.best_key <= key_of(other, makers, price_ticks)

    def auction(self, instrument: int, reference_ticks: int) -> None:
        """Sets `auction_ticks`, `auction_lots` and `auction_imbalance` to the result that `uncross` would have now; all 0
        if nothing would trade."""
        found = find_auction(self.levels, instrument, reference_ticks)
        self.auction_ticks = found.price_ticks
        self.auction_lots = found.lots
        self.auction_imbalance = found.imbalance

    def uncross(self, instrument: int) -> None:
        """Executes the auction: the trades that the last call of `auction` found."""
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
        """Removes the last price of an instrument."""
        self.last[instrument].price_ticks = 0
        self.last[instrument].traded = False

    def find(self, order_id: int) -> int:
        """The slot of an open order, or NIL."""
        return self.ids.find(order_id)

    def trigger_ticks(self, slot: int) -> int:
        """The trigger of a waiting stop; 0 for any other order."""
        if not self.orders[slot].waiting:
            return 0
        return self.levels.price(self._queue_number(order_at(self.orders[slot])), self.orders[slot].level)

    # Matching

    def _match(self, slot: int, makers: int, limit: int) -> bool:
        """Trades an incoming order up to the key `limit` of the other side; returns whether the order has ended."""
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
        """Takes traded lots off a resting order. The order keeps its place, or shows its next slice at the end of its queue,
        or is removed if it is filled."""
        order = order_at(self.orders[slot])
        if traded == order.shown_lots and order.hidden_lots == 0:
            self._remove(slot)
            return
        order.filled_lots += traded
        self._decrement(slot, traded)

    def _decrement(self, slot: int, lots: int) -> None:
        """Reduces the shown lots of a resting order. If none are left, the order shows its next slice, at its queue's end."""
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
        """Prevents a trade between an incoming order and an order of the same owner (rulebook 5); returns whether the incoming
        order has ended."""
        order = order_at(self.orders[slot])
        maker = order_at(self.orders[maker_slot])
        order_id = order.order_id
        maker_id = maker.order_id
        left = maker.shown_lots + maker.hidden_lots
        if order.self_trade == SelfTrade.DECREMENT:
            cut = min(order.shown_lots, maker.shown_lots)
            self._emit(EventKind.SELF_TRADE_PREVENTED, Reason.SELF_TRADE, maker_slot, 0, cut, left - cut, order_id)
            order.shown_lots -= cut
            self._emit(EventKind.SELF_TRADE_PREVENTED, Reason.SELF_TRADE, slot, 0, cut, order.shown_lots, maker_id)
            if cut == left:
                self._remove(maker_slot)
            else:
                self._decrement(maker_slot, cut)
        else:
            if order.self_trade != SelfTrade.CANCEL_NEWEST:
                self._emit(EventKind.SELF_TRADE_PREVENTED, Reason.SELF_TRADE, maker_slot, 0, left, 0, order_id)
                self._remove(maker_slot)
            if order.self_trade == SelfTrade.CANCEL_OLDEST:
                return False
            self._emit(EventKind.SELF_TRADE_PREVENTED, Reason.SELF_TRADE, slot, 0, order.shown_lots, 0, maker_id)
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
        """Puts an order at the end of the queue of a price level, and its id into the index."""
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
        """Removes an order from its queue, and its id from the index."""
        order = order_at(self.orders[slot])
        if self.ids.erase(order.order_id) != slot:
            self.fault = Fault.ORDER_LOST
        if order.hidden_lots != 0:
            self.refills -= refills_of(order.hidden_lots, order.display_lots)
        if order.prev == NIL and order.next == NIL:
            # The level's row is not read: it may not be in the cache, and `open` sets all its fields.
            self.levels.close(self._queue_number(order), order.level)
        else:
            self._leave(order)
        order.level = NIL
        if order.waiting:
            self.stops -= 1
            order.waiting = False

    def _leave(self, order: Order) -> None:
        """Removes an order from a queue in which other orders remain."""
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
        """The number of the side of `levels` that holds an order's queue."""
        if order.waiting:
            return self._stops_number(order.instrument, order.side)
        return 2 * order.instrument + order.side

    def _stops_number(self, instrument: int, side: int) -> int:
        """The number of the side of `levels` that holds waiting stops. Buy stops have an odd number, like sell orders: their
        lowest trigger is reached first."""
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

    def _reserve_events(self, commands: int) -> int:
        """Makes room for the events of `commands` commands and returns the most events that these can make.

        Each TRADE, or pair of SELF_TRADE_PREVENTED, removes a slice (shown lots of an order) from the book or ends the incoming
        order. An order that enters or is triggered has two more events, and at most MAX_SLICES slices.
        """
        slices = self.ids.count + self.refills + commands * MAX_SLICES
        events = self.size + 2 * slices + 4 * self.stops + 8 * commands
        if events > len(self.out):
            self.tags = grown(self.tags, self.size, 2 * events)
            self.maker_leaves = grown(self.maker_leaves, self.size, 2 * events)
            self.out = grown(self.out, self.size, 2 * events)
        return events

    def _side_number(self, instrument: int, side: int) -> int:
        if not 0 <= instrument < self.instruments:
            raise ValueError(f"no instrument {instrument}: there are {self.instruments}")
        if side not in (Side.BUY, Side.SELL):
            raise ValueError(f"no side {side}")
        return 2 * instrument + side
