"""Short words for tests of the order book: say an order in one call, compare every event of it and the whole book."""

from __future__ import annotations

from matching_engine import OrderBook
from matching_engine.records import (
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

BUY, SELL = Side.BUY, Side.SELL
DAY, GTC, IOC, FOK = TimeInForce.DAY, TimeInForce.GTC, TimeInForce.IOC, TimeInForce.FOK
LIMIT, MARKET, STOP, STOP_LIMIT = OrderType.LIMIT, OrderType.MARKET, OrderType.STOP, OrderType.STOP_LIMIT

Queues = list[tuple[int, list[tuple[int, int]]]]


class Talk:
    """One instrument. Every call returns the events of the command, without the fields that say who."""

    def __init__(self, book: OrderBook | None = None) -> None:
        self.book = book or OrderBook(1)

    def order(
        self,
        order_id: int,
        side: Side,
        lots: int,
        price: int = 0,
        tif: TimeInForce = GTC,
        owner: int = 0,
        mode: SelfTrade = SelfTrade.CANCEL_NEWEST,
        display: int = 0,
        trigger: int = 0,
        kind: OrderType = LIMIT,
        flags: int = 0,
    ) -> list[BookEvent]:
        return self._submit(
            CommandKind.NEW_ORDER, order_id, side=side, price_ticks=price, quantity_lots=lots, time_in_force=tif, owner=owner,
            self_trade=mode, display_lots=display, trigger_ticks=trigger, order_type=kind, flags=flags,
        )  # fmt: skip

    def buy(self, order_id: int, lots: int, price: int, tif: TimeInForce = GTC, owner: int = 0) -> list[BookEvent]:
        return self.order(order_id, BUY, lots, price, tif, owner)

    def sell(self, order_id: int, lots: int, price: int, tif: TimeInForce = GTC, owner: int = 0) -> list[BookEvent]:
        return self.order(order_id, SELL, lots, price, tif, owner)

    def market(self, order_id: int, side: Side, lots: int, owner: int = 0, tif: TimeInForce = IOC) -> list[BookEvent]:
        return self.order(order_id, side, lots, tif=tif, owner=owner, kind=MARKET)

    def stop(self, order_id: int, side: Side, lots: int, trigger: int) -> list[BookEvent]:
        return self.order(order_id, side, lots, trigger=trigger, kind=STOP)

    def amend(
        self,
        order_id: int,
        lots: int | None = None,
        price: int | None = None,
        display: int | None = None,
        trigger: int | None = None,
    ) -> list[BookEvent]:
        """What is named is changed."""
        values = {Flag.CHANGE_PRICE: price, Flag.CHANGE_QUANTITY: lots, Flag.CHANGE_DISPLAY: display}
        values[Flag.CHANGE_TRIGGER] = trigger
        return self._submit(
            CommandKind.AMEND, order_id, price_ticks=price or 0, quantity_lots=lots or 0, display_lots=display or 0,
            trigger_ticks=trigger or 0, flags=sum(flag for flag, value in values.items() if value is not None),
        )  # fmt: skip

    def cancel(self, order_id: int) -> list[BookEvent]:
        return self._submit(CommandKind.CANCEL, order_id)

    def collecting(self, on: bool, reference: int = 0) -> list[BookEvent]:
        return [BookEvent(*values) for values in self.book.collecting(0, on, reference)]

    def bids(self) -> Queues:
        """The buy side, best first: each price with its queue of (order_id, shown lots)."""
        return self._side(BUY)

    def asks(self) -> Queues:
        """The sell side, best first."""
        return self._side(SELL)

    def _submit(self, kind: CommandKind, order_id: int, **fields: int) -> list[BookEvent]:
        return [BookEvent(*values) for values in self.book.submit(kind, order_id, **fields)]

    def _side(self, side: Side) -> Queues:
        depth = self.book.depth(0, side, 1_000_000)
        best = self.book.best(0, side)
        assert best == (depth[0] if depth else None)
        queues = []
        for price, lots, orders in depth:
            queue = [(order.order_id, order.shown_lots) for order in self.book.orders_at(0, side, price)]
            assert (lots, orders) == (sum(lots for _, lots in queue), len(queue))
            queues.append((price, queue))
        return queues


def accepted(order_id: int, side: Side, lots: int, price: int = 0, kind: OrderType = LIMIT) -> BookEvent:
    return _state(EventKind.ACCEPTED, order_id, side, lots, price, kind)


def replaced(order_id: int, side: Side, lots: int, price: int = 0, kind: OrderType = LIMIT) -> BookEvent:
    return _state(EventKind.REPLACED, order_id, side, lots, price, kind)


def triggered(order_id: int, side: Side, lots: int, price: int = 0, kind: OrderType = MARKET) -> BookEvent:
    return _state(EventKind.TRIGGERED, order_id, side, lots, price, kind)


def canceled(order_id: int, side: Side, lots: int, price: int, reason: Reason = Reason.REQUESTED) -> BookEvent:
    return _event(EventKind.CANCELED, order_id, side, lots, price, reason)


def rejected(order_id: int, reason: Reason, side: Side = BUY, lots: int = 0, price: int = 0) -> BookEvent:
    return _event(EventKind.REJECTED, order_id, side, lots, price, reason)


def trade(order_id: int, side: Side, maker: int, lots: int, price: int, leaves: int = 0) -> BookEvent:
    event = _event(EventKind.TRADE, order_id, side, lots, price, Reason.NONE)
    return event._replace(maker_order_id=maker, leaves_lots=leaves)


def _state(event: EventKind, order_id: int, side: Side, lots: int, price: int, kind: OrderType) -> BookEvent:
    return _event(event, order_id, side, lots, price, Reason.NONE)._replace(leaves_lots=lots, order_type=kind)


def _event(kind: EventKind, order_id: int, side: Side, lots: int, price: int, reason: Reason) -> BookEvent:
    return BookEvent(order_id=order_id, kind=kind, side=side, quantity_lots=lots, price_ticks=price, reason=reason)
