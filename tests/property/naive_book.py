"""The order book once more, as plainly as possible: the oracle that `OrderBook` is compared with, command for command.

A book is a list of orders in the order they came; the best maker is found by looking at all of them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from matching_engine.records import (
    MAX_BOOK_PRICE_TICKS,
    MAX_QUANTITY_LOTS,
    BookEvent,
    CommandKind,
    EventKind,
    OrderType,
    Reason,
    SelfTrade,
    Side,
    TimeInForce,
)

Fields = tuple[int, ...]
"""The values of a BOOK_COMMAND in the record's order."""


@dataclass
class NaiveOrder:
    order_id: int
    instrument: int
    side: int
    price_ticks: int
    quantity_lots: int
    account: int
    owner: int
    tag: int


class NaiveBook:
    def __init__(self, instruments: int) -> None:
        self.instruments = instruments
        self.resting: dict[int, NaiveOrder] = {}  # insertion order is time priority

    def apply(self, command: Fields) -> list[BookEvent]:
        order_id, price, quantity, tag, account, owner, instrument, kind, side, order_type, tif, self_trade, flags = (
            command
        )
        taker = NaiveOrder(order_id, instrument, side, price, quantity, account, owner, tag)
        if kind == CommandKind.CANCEL:
            if order_id not in self.resting:
                return [_event(EventKind.REJECTED, taker, Reason.UNKNOWN_ORDER)]
            return [_event(EventKind.CANCELED, self.resting.pop(order_id), Reason.REQUESTED)]
        reason = Reason.UNKNOWN_COMMAND
        if kind == CommandKind.NEW_ORDER:
            reason = self.refusal(taker, order_type, tif, self_trade, flags)
        if reason != Reason.NONE:
            return [_event(EventKind.REJECTED, taker, reason)]
        return [_event(EventKind.ACCEPTED, taker), *self.match(taker, order_type, tif)]

    def refusal(self, order: NaiveOrder, order_type: int, tif: int, self_trade: int, flags: int) -> Reason:
        market = order_type == OrderType.MARKET
        checks = {
            Reason.UNKNOWN_INSTRUMENT: order.instrument < self.instruments,
            Reason.INVALID_SIDE: order.side in set(Side),
            Reason.INVALID_ORDER_TYPE: order_type in set(OrderType),
            Reason.INVALID_TIME_IN_FORCE: tif in set(TimeInForce) and (tif == TimeInForce.IOC or not market),
            Reason.INVALID_SELF_TRADE: self_trade in set(SelfTrade),
            Reason.INVALID_OPTION: flags == 0,
            Reason.INVALID_QUANTITY: 1 <= order.quantity_lots <= MAX_QUANTITY_LOTS,
            Reason.INVALID_PRICE: order.price_ticks == 0
            if market
            else -MAX_BOOK_PRICE_TICKS - 1 <= order.price_ticks <= MAX_BOOK_PRICE_TICKS,
            Reason.DUPLICATE_ORDER_ID: order.order_id not in self.resting,
        }
        return next((reason for reason, holds in checks.items() if not holds), Reason.NONE)

    def match(self, taker: NaiveOrder, order_type: int, tif: int) -> Iterable[BookEvent]:
        market = order_type == OrderType.MARKET
        while taker.quantity_lots > 0:
            makers = self.queue(taker.instrument, 1 - taker.side)
            if not makers or not (market or _reaches(taker, makers[0].price_ticks)):
                break
            maker = makers[0]
            if taker.owner and maker.owner == taker.owner:
                yield _event(EventKind.PREVENTED, taker, Reason.SELF_TRADE)._replace(maker_order_id=maker.order_id)
                return
            traded = min(taker.quantity_lots, maker.quantity_lots)
            taker.quantity_lots -= traded
            maker.quantity_lots -= traded
            if maker.quantity_lots == 0:
                del self.resting[maker.order_id]
            yield _event(EventKind.TRADE, taker)._replace(
                maker_order_id=maker.order_id,
                maker_account=maker.account,
                price_ticks=maker.price_ticks,
                quantity_lots=traded,
                tag=maker.tag,
            )
        if taker.quantity_lots == 0:
            return
        if tif == TimeInForce.IOC:
            reason = Reason.NO_LIQUIDITY if market else Reason.IMMEDIATE_OR_CANCEL
            yield _event(EventKind.CANCELED, taker, reason)
        else:
            self.resting[taker.order_id] = taker

    def queue(self, instrument: int, side: int) -> list[NaiveOrder]:
        """The orders of a side in the order in which they will trade; sorting keeps the order of equal prices."""
        orders = [order for order in self.resting.values() if (order.instrument, order.side) == (instrument, side)]
        return sorted(orders, key=lambda order: order.price_ticks if side == Side.SELL else -order.price_ticks)


def _reaches(taker: NaiveOrder, price_ticks: int) -> bool:
    return taker.price_ticks >= price_ticks if taker.side == Side.BUY else taker.price_ticks <= price_ticks


def _event(kind: EventKind, order: NaiveOrder, reason: Reason = Reason.NONE) -> BookEvent:
    return BookEvent(
        order_id=order.order_id,
        price_ticks=order.price_ticks,
        quantity_lots=order.quantity_lots,
        tag=order.tag,
        account=order.account,
        instrument=order.instrument,
        kind=kind,
        side=order.side,
        reason=reason,
    )
