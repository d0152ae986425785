"""Short words for tests of the order book: say an order in one call, compare every event of it and the whole book."""

from __future__ import annotations

from matching_engine import OrderBook
from matching_engine.records import BookEvent, CommandKind, EventKind, OrderType, Reason, Side, TimeInForce

BUY, SELL = Side.BUY, Side.SELL
DAY, GTC, IOC = TimeInForce.DAY, TimeInForce.GTC, TimeInForce.IOC


class Talk:
    """One instrument. Every call returns the events of the command, without the fields that say who and which tag."""

    def __init__(self, book: OrderBook | None = None) -> None:
        self.book = book or OrderBook(1)

    def order(
        self, order_id: int, side: Side, lots: int, price: int, tif: TimeInForce = GTC, owner: int = 0
    ) -> list[BookEvent]:
        return self._submit(
            CommandKind.NEW_ORDER,
            order_id,
            side=side,
            price_ticks=price,
            quantity_lots=lots,
            time_in_force=tif,
            owner=owner,
        )

    def buy(self, order_id: int, lots: int, price: int, tif: TimeInForce = GTC, owner: int = 0) -> list[BookEvent]:
        return self.order(order_id, BUY, lots, price, tif, owner)

    def sell(self, order_id: int, lots: int, price: int, tif: TimeInForce = GTC, owner: int = 0) -> list[BookEvent]:
        return self.order(order_id, SELL, lots, price, tif, owner)

    def market(self, order_id: int, side: Side, lots: int, owner: int = 0) -> list[BookEvent]:
        return self._submit(
            CommandKind.NEW_ORDER,
            order_id,
            side=side,
            quantity_lots=lots,
            order_type=OrderType.MARKET,
            time_in_force=IOC,
            owner=owner,
        )

    def cancel(self, order_id: int) -> list[BookEvent]:
        return self._submit(CommandKind.CANCEL, order_id)

    def bids(self) -> list[tuple[int, list[tuple[int, int]]]]:
        """The buy side, best first: each price with its queue of (order_id, lots)."""
        return self._side(BUY)

    def asks(self) -> list[tuple[int, list[tuple[int, int]]]]:
        """The sell side, best first."""
        return self._side(SELL)

    def _submit(self, kind: CommandKind, order_id: int, **fields: int) -> list[BookEvent]:
        return [BookEvent(*values) for values in self.book.submit(kind, order_id, **fields)]

    def _side(self, side: Side) -> list[tuple[int, list[tuple[int, int]]]]:
        depth = self.book.depth(0, side, 1_000_000)
        best = self.book.best(0, side)
        assert best == (depth[0] if depth else None)
        queues = []
        for price, lots, orders in depth:
            queue = [(order.order_id, order.quantity_lots) for order in self.book.orders_at(0, side, price)]
            assert (lots, orders) == (sum(lots for _, lots in queue), len(queue))
            queues.append((price, queue))
        return queues


def accepted(order_id: int, side: Side, lots: int, price: int) -> BookEvent:
    return _event(EventKind.ACCEPTED, order_id, side, lots, price, Reason.NONE)


def canceled(order_id: int, side: Side, lots: int, price: int, reason: Reason = Reason.REQUESTED) -> BookEvent:
    return _event(EventKind.CANCELED, order_id, side, lots, price, reason)


def rejected(order_id: int, reason: Reason, side: Side = BUY, lots: int = 0, price: int = 0) -> BookEvent:
    return _event(EventKind.REJECTED, order_id, side, lots, price, reason)


def trade(order_id: int, side: Side, maker: int, lots: int, price: int) -> BookEvent:
    return _event(EventKind.TRADE, order_id, side, lots, price, Reason.NONE)._replace(maker_order_id=maker)


def prevented(order_id: int, side: Side, maker: int, lots: int, price: int) -> BookEvent:
    return _event(EventKind.PREVENTED, order_id, side, lots, price, Reason.SELF_TRADE)._replace(maker_order_id=maker)


def _event(kind: EventKind, order_id: int, side: Side, lots: int, price: int, reason: Reason) -> BookEvent:
    return BookEvent(order_id=order_id, kind=kind, side=side, quantity_lots=lots, price_ticks=price, reason=reason)
