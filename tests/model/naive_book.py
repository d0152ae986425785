"""The naive order book, as plain as possible: the oracle that `OrderBook` is compared with, command for command.

It follows docs/rulebook.md (numbers in comments are its paragraphs). A book is a list of orders in the order of their queues.
The best maker is found by a search through all of them; fill or kill is decided by trying the order on a copy.
"""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass

from matching_engine.records import (
    MAX_BOOK_PRICE_TICKS,
    MAX_QUANTITY_LOTS,
    MAX_SLICES,
    BookEvent,
    CommandKind,
    EventKind,
    Flag,
    OrderType,
    Reason,
    SelfTrade,
    Side,
    TimeInForce,
)

Fields = tuple[int, ...]
"""The values of a BOOK_COMMAND in the record's order."""

STOPS = (OrderType.STOP, OrderType.STOP_LIMIT)
PRICED = (OrderType.LIMIT, OrderType.STOP_LIMIT)
CHANGES = int(Flag.CHANGE_PRICE | Flag.CHANGE_QUANTITY | Flag.CHANGE_DISPLAY | Flag.CHANGE_TRIGGER)


@dataclass
class Command:
    order_id: int
    price_ticks: int
    trigger_ticks: int
    quantity_lots: int
    display_lots: int
    account: int
    owner: int
    instrument: int
    kind: int
    side: int
    order_type: int
    time_in_force: int
    self_trade: int
    flags: int


@dataclass
class NaiveOrder:
    """An order; `trigger_ticks` is None unless it waits for its trigger."""

    order_id: int
    instrument: int
    side: int
    order_type: int
    time_in_force: int
    self_trade: int
    flags: int
    price_ticks: int
    trigger_ticks: int | None
    shown: int
    hidden: int
    display: int
    filled: int
    account: int
    owner: int

    @property
    def open(self) -> int:
        return self.shown + self.hidden

    def reaches(self, price: int) -> bool:
        """Whether the order would trade at a price. A MARKET order of a bare book trades at any."""
        if self.order_type == OrderType.MARKET:
            return True
        return self.price_ticks >= price if self.side == Side.BUY else self.price_ticks <= price

    def is_own(self, other: NaiveOrder) -> bool:
        return self.owner != 0 and self.owner == other.owner

    def show(self) -> None:
        """Shows the display quantity of the open lots. (1.9)"""
        left = self.open
        self.shown = min(self.display, left) if self.display else left
        self.hidden = left - self.shown


class NaiveBook:
    def __init__(self, instruments: int) -> None:
        self.instruments = instruments
        self.resting: list[NaiveOrder] = []  # at one price, earlier in the list is earlier in the queue
        self.waiting: list[NaiveOrder] = []
        self.line: list[NaiveOrder] = []  # triggered, not run yet
        self.collects: set[int] = set()
        self.last: dict[int, int] = {}
        self.events: list[BookEvent] = []

    # Commands

    def apply(self, fields: Fields) -> list[BookEvent]:
        self.events = []
        c = Command(*fields)
        match c.kind:
            case CommandKind.NEW_ORDER:
                reason = self.new_order(c)
            case CommandKind.CANCEL:
                reason = self.cancel(c)
            case CommandKind.AMEND:
                reason = self.amend(c)
            case _:
                reason = Reason.UNKNOWN_COMMAND
        if reason:
            assert not self.events
            self.events.append(
                BookEvent(
                    order_id=c.order_id, price_ticks=c.price_ticks, quantity_lots=c.quantity_lots, account=c.account,
                    instrument=c.instrument, kind=EventKind.REJECTED, side=c.side, reason=reason,
                )
            )  # fmt: skip
        self.run_line()
        return self.events

    def collecting(self, instrument: int, on: bool, reference: int) -> list[BookEvent]:
        self.events = []
        if on:
            self.collects.add(instrument)
            return []
        self.collects.discard(instrument)
        self.uncross(instrument, reference)
        if instrument in self.last:
            self.trigger(instrument, self.last[instrument], self.last[instrument])  # 2.3
        self.run_line()
        return self.events

    def new_order(self, c: Command) -> Reason:
        rests = c.order_type == OrderType.LIMIT and c.time_in_force in (TimeInForce.DAY, TimeInForce.GTC)
        times = {
            OrderType.LIMIT: (TimeInForce.DAY, TimeInForce.GTC, TimeInForce.IOC, TimeInForce.FOK),
            OrderType.MARKET: (TimeInForce.IOC, TimeInForce.FOK),
            OrderType.STOP: (TimeInForce.DAY, TimeInForce.GTC),
            OrderType.STOP_LIMIT: (TimeInForce.DAY, TimeInForce.GTC),
        }
        checks = {
            Reason.UNKNOWN_INSTRUMENT: c.instrument < self.instruments,
            Reason.INVALID_SIDE: c.side in set(Side),
            Reason.INVALID_ORDER_TYPE: c.order_type in times,
            Reason.INVALID_TIME_IN_FORCE: c.time_in_force in times.get(OrderType(c.order_type), ())
            if c.order_type in times
            else False,
            Reason.INVALID_SELF_TRADE: c.self_trade in set(SelfTrade),
            Reason.INVALID_OPTION: c.flags == 0 or (c.flags == Flag.POST_ONLY and rests),
            Reason.INVALID_QUANTITY: _is_quantity(c.quantity_lots),
            Reason.INVALID_DISPLAY: c.display_lots == 0 or (rests and _is_display(c.display_lots, c.quantity_lots)),
            Reason.INVALID_PRICE: _is_price(c.price_ticks) if c.order_type in PRICED else c.price_ticks == 0,
            Reason.INVALID_TRIGGER: _is_price(c.trigger_ticks) if c.order_type in STOPS else c.trigger_ticks == 0,
            Reason.NOT_IN_AUCTION: c.instrument not in self.collects or (rests and c.flags == 0),
            Reason.DUPLICATE_ORDER_ID: self.find(c.order_id) is None,
        }
        for reason, holds in checks.items():
            if not holds:
                return reason
        order = NaiveOrder(
            c.order_id, c.instrument, c.side, c.order_type, c.time_in_force, c.self_trade, c.flags, c.price_ticks,
            None, c.quantity_lots, 0, c.display_lots, 0, c.account, c.owner,
        )  # fmt: skip
        if c.flags == Flag.POST_ONLY and self.makers(order):
            return Reason.POST_ONLY_WOULD_TRADE
        self.state(EventKind.ACCEPTED, order)
        if c.order_type in STOPS:
            order.trigger_ticks = c.trigger_ticks
        self.come_in(order)
        return Reason.NONE

    def cancel(self, c: Command) -> Reason:
        order = self.find(c.order_id)
        if order is None:
            return Reason.UNKNOWN_ORDER
        self.take_out(order)
        self.ends(EventKind.CANCELED, order, Reason.REQUESTED)
        return Reason.NONE

    def amend(self, c: Command) -> Reason:  # 3
        order = self.find(c.order_id)
        if order is None:
            return Reason.UNKNOWN_ORDER
        waits = order.trigger_ticks is not None
        total = c.quantity_lots if c.flags & Flag.CHANGE_QUANTITY else order.filled + order.open
        display = c.display_lots if c.flags & Flag.CHANGE_DISPLAY else order.display
        price = c.price_ticks if c.flags & Flag.CHANGE_PRICE else order.price_ticks
        trigger = c.trigger_ticks if c.flags & Flag.CHANGE_TRIGGER else order.trigger_ticks
        display_counts = total > order.filled + order.open or display != order.display  # 3.2
        named = [
            (c.price_ticks, Flag.CHANGE_PRICE),
            (c.quantity_lots, Flag.CHANGE_QUANTITY),
            (c.display_lots, Flag.CHANGE_DISPLAY),
            (c.trigger_ticks, Flag.CHANGE_TRIGGER),
        ]
        checks = {
            Reason.INVALID_OPTION: c.flags & CHANGES != 0
            and c.flags & ~CHANGES == 0
            and all(value == 0 or c.flags & flag for value, flag in named),
            Reason.INVALID_QUANTITY: not c.flags & Flag.CHANGE_QUANTITY or _is_quantity(c.quantity_lots),
            Reason.INVALID_DISPLAY: not (c.flags & Flag.CHANGE_DISPLAY and waits)
            and (not display_counts or display == 0 or _is_display(display, total)),
            Reason.INVALID_PRICE: not c.flags & Flag.CHANGE_PRICE
            or (order.order_type != OrderType.STOP and _is_price(c.price_ticks)),
            Reason.INVALID_TRIGGER: not c.flags & Flag.CHANGE_TRIGGER or (waits and _is_price(c.trigger_ticks)),
        }
        for reason, holds in checks.items():
            if not holds:
                return reason
        if total <= order.filled:  # 3.3
            self.take_out(order)
            self.ends(EventKind.CANCELED, order, Reason.BELOW_FILLED)
            return Reason.NONE
        leaves = total - order.filled
        if (display, price, trigger) == (
            order.display,
            order.price_ticks,
            order.trigger_ticks,
        ) and leaves <= order.open:
            order.hidden = max(0, leaves - order.shown)  # 3.4
            order.shown = leaves - order.hidden
            self.state(EventKind.REPLACED, order)
            return Reason.NONE
        if order.instrument in self.collects and (waits or order.flags):  # 4.3
            return Reason.NOT_IN_AUCTION
        new = deepcopy(order)
        new.shown, new.hidden, new.display, new.price_ticks, new.trigger_ticks = leaves, 0, display, price, trigger
        if order.flags and self.makers(new):
            return Reason.POST_ONLY_WOULD_TRADE
        self.take_out(order)
        self.state(EventKind.REPLACED, new)
        self.come_in(new)
        return Reason.NONE

    # Incoming orders

    def come_in(self, order: NaiveOrder) -> None:
        if order.trigger_ticks is not None and not self.reached(order):
            self.waiting.append(order)
        elif order.trigger_ticks is not None:  # 2.4
            self.line.append(order)
        elif order.instrument in self.collects:
            self.collect(order)
        else:
            self.enter(order)

    def enter(self, order: NaiveOrder) -> None:
        """Runs an incoming order in continuous trading; the stops that it triggers join the line."""
        if order.time_in_force == TimeInForce.FOK and not self.fillable(order):
            self.ends(EventKind.CANCELED, order, Reason.FILL_OR_KILL)
            return
        trades = self.match(order)
        if order.open and order.order_type == OrderType.MARKET:
            self.ends(EventKind.CANCELED, order, Reason.NO_LIQUIDITY)
        elif order.open and order.time_in_force == TimeInForce.IOC:
            self.ends(EventKind.CANCELED, order, Reason.IMMEDIATE_OR_CANCEL)
        elif order.open:
            order.show()
            self.resting.append(order)
        if trades:
            self.last[order.instrument] = trades[-1]
            self.trigger(order.instrument, min(trades), max(trades))

    def match(self, order: NaiveOrder) -> list[int]:
        """Trades and prevents until the order or the orders that it reaches are used up; returns the prices of the trades."""
        prices = []
        while order.open and (makers := self.makers(order)):
            maker = makers[0]
            if order.is_own(maker):
                self.prevent(order, maker)
                continue
            traded = min(order.open, maker.shown)
            order.shown -= traded
            order.filled += traded
            self.events.append(
                self.event(EventKind.TRADE, order, Reason.NONE, traded, order.open)._replace(
                    maker_order_id=maker.order_id, maker_account=maker.account, price_ticks=maker.price_ticks
                )
            )
            self.fill(maker, traded)
            prices.append(maker.price_ticks)
        return prices

    def fillable(self, order: NaiveOrder) -> bool:  # 1.7
        book, trial = deepcopy((self, order))
        if trial.self_trade != SelfTrade.CANCEL_OLDEST:
            trial.self_trade = SelfTrade.CANCEL_NEWEST
        book.match(trial)
        return trial.filled - order.filled == order.open

    def collect(self, order: NaiveOrder) -> None:  # 5.3
        while order.open and (own := [maker for maker in self.makers(order) if order.is_own(maker)]):
            self.prevent(order, own[0])
        if order.open:
            order.show()
            self.resting.append(order)

    def prevent(self, order: NaiveOrder, maker: NaiveOrder) -> None:  # 5.1
        mode = order.self_trade
        lots = [order.open if mode in (SelfTrade.CANCEL_NEWEST, SelfTrade.CANCEL_BOTH) else 0,
                maker.open if mode in (SelfTrade.CANCEL_OLDEST, SelfTrade.CANCEL_BOTH) else 0]  # fmt: skip
        if mode == SelfTrade.DECREMENT:
            lots = [min(order.open, maker.shown)] * 2
        for one, cut, other in ((maker, lots[1], order), (order, lots[0], maker)):
            if cut:
                self.events.append(
                    self.event(EventKind.SELF_TRADE_PREVENTED, one, Reason.SELF_TRADE, cut, one.open - cut)._replace(
                        maker_order_id=other.order_id
                    )
                )
        order.shown -= lots[0]
        if lots[1] == maker.open:
            self.take_out(maker)
        else:
            self.decrement(maker, lots[1])

    def fill(self, maker: NaiveOrder, traded: int) -> None:
        maker.filled += traded
        self.decrement(maker, traded)

    def decrement(self, maker: NaiveOrder, lots: int) -> None:
        """Takes lots from the shown part of a resting order; a part that is used up is refilled at the back of the queue.
        (1.9)"""
        maker.shown -= lots
        if maker.shown == 0:
            self.take_out(maker)
            if maker.hidden:
                maker.show()
                self.resting.append(maker)

    # Triggers (2)

    def reached(self, order: NaiveOrder) -> bool:
        last = self.last.get(order.instrument)
        return last is not None and _reached(order, last, last)

    def trigger(self, instrument: int, low: int, high: int) -> None:
        stops = [o for o in self.waiting if o.instrument == instrument and _reached(o, low, high)]
        for order in self.in_trigger_order(stops):
            self.waiting.remove(order)
            self.line.append(order)

    def in_trigger_order(self, stops: list[NaiveOrder]) -> list[NaiveOrder]:
        buys = sorted((o for o in stops if o.side == Side.BUY), key=lambda o: o.trigger_ticks or 0)
        sells = sorted((o for o in stops if o.side == Side.SELL), key=lambda o: -(o.trigger_ticks or 0))
        return buys + sells

    def run_line(self) -> None:
        while self.line:
            order = self.line.pop(0)
            order.order_type = OrderType.MARKET if order.order_type == OrderType.STOP else OrderType.LIMIT
            order.trigger_ticks = None
            self.state(EventKind.TRIGGERED, order)
            self.enter(order)

    # Auction (4.4, 4.5)

    def auction(self, instrument: int, reference: int) -> tuple[int, int]:
        """Price and volume of the auction. A run of equal prices ends next to the price of an order: these prices, the ticks
        next to them and the reference are enough."""
        buys, sells = self.queue(instrument, Side.BUY), self.queue(instrument, Side.SELL)
        prices = {o.price_ticks + n for o in buys + sells for n in (-1, 0, 1)} | {reference}
        ranked = []
        for price in prices:
            buy = sum(o.open for o in buys if o.price_ticks >= price)
            sell = sum(o.open for o in sells if o.price_ticks <= price)
            ranked.append((min(buy, sell), -abs(buy - sell), -abs(price - reference), price))
        volume, _, _, price = max(ranked)
        return price, volume

    def uncross(self, instrument: int, reference: int) -> None:
        price, volume = self.auction(instrument, reference)
        while volume:
            buy, sell = self.queue(instrument, Side.BUY)[0], self.queue(instrument, Side.SELL)[0]
            traded = min(buy.shown, sell.shown, volume)
            self.events.append(
                self.event(EventKind.TRADE, buy, Reason.NONE, traded, buy.open - traded)._replace(
                    maker_order_id=sell.order_id, maker_account=sell.account, price_ticks=price
                )
            )
            self.fill(buy, traded)
            self.fill(sell, traded)
            volume -= traded
            self.last[instrument] = price

    # The lists

    def find(self, order_id: int) -> NaiveOrder | None:
        return next((o for o in self.resting + self.waiting if o.order_id == order_id), None)

    def take_out(self, order: NaiveOrder) -> None:
        self.resting = [o for o in self.resting if o is not order]
        self.waiting = [o for o in self.waiting if o is not order]

    def queue(self, instrument: int, side: int) -> list[NaiveOrder]:
        """The orders of a side in the order of their trades. The sort is stable: orders of equal prices keep their order."""
        orders = [order for order in self.resting if (order.instrument, order.side) == (instrument, side)]
        return sorted(orders, key=lambda order: order.price_ticks if side == Side.SELL else -order.price_ticks)

    def makers(self, order: NaiveOrder) -> list[NaiveOrder]:
        """The orders that an order would trade with, in the order in which it would meet them."""
        return [o for o in self.queue(order.instrument, 1 - order.side) if order.reaches(o.price_ticks)]

    # Events

    def event(self, kind: EventKind, order: NaiveOrder, reason: Reason, quantity: int, leaves: int) -> BookEvent:
        return BookEvent(
            order_id=order.order_id, price_ticks=order.price_ticks, quantity_lots=quantity, leaves_lots=leaves,
            account=order.account, instrument=order.instrument, kind=kind, side=order.side, reason=reason,
        )  # fmt: skip

    def state(self, kind: EventKind, order: NaiveOrder) -> None:
        event = self.event(kind, order, Reason.NONE, order.open, order.open)
        self.events.append(event._replace(order_type=order.order_type))

    def ends(self, kind: EventKind, order: NaiveOrder, reason: Reason) -> None:
        self.events.append(self.event(kind, order, reason, order.open, 0))


def _reached(order: NaiveOrder, low: int, high: int) -> bool:
    assert order.trigger_ticks is not None
    return high >= order.trigger_ticks if order.side == Side.BUY else low <= order.trigger_ticks


def _is_price(price: int) -> bool:
    return -MAX_BOOK_PRICE_TICKS - 1 <= price <= MAX_BOOK_PRICE_TICKS


def _is_quantity(lots: int) -> bool:
    return 1 <= lots <= MAX_QUANTITY_LOTS


def _is_display(display: int, quantity: int) -> bool:
    return display <= quantity and display * MAX_SLICES >= quantity
