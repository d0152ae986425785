"""Queues of the naive engine: where orders rest and wait, how they leave, the events of it, and the uncrossing of call
auctions."""

from __future__ import annotations

from matching_engine.records import EventKind, Phase, Reason, Side
from tests.model.naive_ledger import Ledger
from tests.model.naive_tables import Order

Levels = dict[int, int]
"""price -> lots, hidden ones too"""


def auction(buys: Levels, sells: Levels, reference: int) -> tuple[int, int, int]:
    """4.4: price, volume and imbalance; all 0 where no order would trade.

    Between the prices of two neighbouring orders the volume is the same at every tick. Of all ticks, only these prices, the
    ticks next to them and the reference itself can be nearest to the reference.
    """
    if not buys or not sells or max(buys) < min(sells):
        return 0, 0, 0
    candidates = {reference}
    for price in (*buys, *sells):
        candidates |= {price - 1, price, price + 1}
    ranked = []
    for price in candidates:
        bought = sum(lots for limit, lots in buys.items() if limit >= price)
        sold = sum(lots for limit, lots in sells.items() if limit <= price)
        volume, imbalance = min(bought, sold), bought - sold
        ranked.append((-volume, abs(imbalance), abs(price - reference), -price, imbalance))
    volume, _, _, price, imbalance = min(ranked)
    return -price, -volume, imbalance


class Queues(Ledger):
    def __init__(self) -> None:
        super().__init__()
        self.touched: dict[tuple[int, int, int], None] = {}
        self.called: set[int] = set()

    def touch(self, o: Order) -> None:
        self.touched[o.instrument, o.side, o.price] = None

    def phase(self, instrument: int) -> int:
        return self.listed[instrument].phase_in_force()

    def best(self, instrument: int, side: int) -> int | None:
        """The best price of a side at which orders rest."""
        prices = self.listed[instrument].sides[side]
        if not prices:
            return None
        return max(prices) if side == Side.BUY else min(prices)

    def crosses(self, o: Order, price: int | None) -> bool:
        """Whether the price of an order reaches the price of the other side."""
        if price is None:
            return False
        return price <= o.price if o.side == Side.BUY else price >= o.price

    def queue(self, instrument: int, side: int) -> list[Order]:
        """3.8: orders in the book, best price first; then waiting stops, the first to be triggered first; at one price oldest
        first."""
        row = self.listed[instrument]
        resting = [o for p in sorted(row.sides[side], reverse=side == Side.BUY) for o in row.sides[side][p]]
        waiting = [o for t in sorted(row.waiting[side], reverse=side == Side.SELL) for o in row.waiting[side][t]]
        return resting + waiting

    def open_orders(self) -> list[Order]:
        """All open orders by instrument, buys first."""
        return [o for number in range(len(self.listed)) for side in Side for o in self.queue(number, side)]

    # In and out of a queue

    def rest(self, o: Order) -> None:
        """Adds an order to the book, at the back of its price; an iceberg hides all but its display quantity (1.9)."""
        if o.display:
            o.shown, o.hidden = min(o.display, o.leaves), max(o.leaves - o.display, 0)
        self.orders[o.order_id] = o
        self.listed[o.instrument].sides[o.side].setdefault(o.price, []).append(o)
        self.touch(o)

    def hold(self, o: Order) -> None:
        """Adds a waiting stop, at the back of its trigger price."""
        self.orders[o.order_id] = o
        self.listed[o.instrument].waiting[o.side].setdefault(o.trigger, []).append(o)

    def take_out(self, o: Order) -> None:
        """Takes an order out of its queue."""
        row = self.listed[o.instrument]
        queues, price = (row.waiting[o.side], o.trigger) if o.trigger else (row.sides[o.side], o.price)
        queues[price].remove(o)
        if not queues[price]:
            del queues[price]
        del self.orders[o.order_id]
        if not o.trigger:
            self.touch(o)

    def after_loss(self, o: Order) -> None:
        """A resting order whose shown part is used up is refilled at the back, or removed (1.9)."""
        self.touch(o)
        if o.shown:
            return
        if not o.hidden:
            self.take_out(o)
            return
        queue = self.listed[o.instrument].sides[o.side][o.price]
        queue.remove(o)
        queue.append(o)
        o.shown = min(o.display, o.hidden)
        o.hidden -= o.shown

    # Ends

    def decrement(self, o: Order, lots: int, kind: EventKind, reason: Reason, other: int = 0) -> None:
        """Takes `lots` open lots from an order, releases their reserve and emits the event."""
        self.reserve(o, -lots)
        if lots == o.leaves:
            o.shown = o.hidden = 0
        else:
            o.shown -= lots
        self.emit(
            kind,
            reason=reason,
            order_id=o.order_id,
            maker_order_id=other,
            account=o.account,
            instrument=o.instrument,
            side=o.side,
            price_ticks=o.price,
            quantity_lots=lots,
            leaves_lots=o.leaves,
            reserve_fen=-lots * o.lot_reserve,
        )

    def end(self, o: Order, kind: EventKind, reason: Reason) -> None:
        """Ends an open order."""
        self.decrement(o, o.leaves, kind, reason)
        self.take_out(o)

    # Trades

    def trade(self, taker: Order, maker: Order, price: int, lots: int, phase: Phase) -> None:
        self.settle_trade(taker, maker, price, lots, phase)
        self.listed[taker.instrument].last = price
        for o in (taker, maker):
            o.shown -= lots
            o.filled += lots

    def auction(self, instrument: int) -> tuple[int, int, int]:
        """The auction price of an instrument's book, its volume and imbalance."""
        buys, sells = (
            {price: sum(o.leaves for o in queue) for price, queue in side.items()}
            for side in self.listed[instrument].sides
        )
        return auction(buys, sells, self.listed[instrument].reference)

    def uncross(self, instrument: int) -> None:
        """4.5: trades at one price, the best buy with the best sell, each time the smaller of their shown parts."""
        price, volume, _ = self.auction(instrument)
        buys, sells = self.listed[instrument].sides
        if volume:
            self.listed[instrument].closing_seq = self.last_seq
        while volume:
            buy, sell = buys[max(buys)][0], sells[min(sells)][0]
            lots = min(buy.shown, sell.shown, volume)
            self.trade(buy, sell, price, lots, Phase.CALL_AUCTION)
            volume -= lots
            self.after_loss(buy)
            self.after_loss(sell)

    # After a command

    def note_quotes(self) -> None:
        """4.10: the best prices of continuous trading, and since when neither has changed."""
        for number, row in enumerate(self.listed):
            quotes = (self.best(number, Side.BUY) or 0, self.best(number, Side.SELL) or 0)
            if self.phase(number) == Phase.CONTINUOUS and quotes != row.quotes:
                row.quotes, row.quotes_since_ns = quotes, self.time_ns

    def emit_levels(self) -> None:
        """Emits the touched levels in the order of first touch; then by instrument (4.6) INDICATIVE for touched call
        auctions, and, if orders would trade, for those that begin or have a new reference."""
        for instrument, side, price in self.touched:
            queue = self.listed[instrument].sides[side].get(price, [])
            self.emit(
                EventKind.LEVEL,
                instrument=instrument,
                side=side,
                price_ticks=price,
                quantity_lots=sum(o.shown for o in queue),
                number=len(queue),
            )
        touched = {instrument for instrument, _, _ in self.touched}
        for instrument in sorted(touched | {i for i in self.called if self.auction(i)[1] > 0}):
            if self.phase(instrument) == Phase.CALL_AUCTION:
                price, volume, imbalance = self.auction(instrument)
                self.emit(
                    EventKind.INDICATIVE,
                    instrument=instrument,
                    price_ticks=price,
                    quantity_lots=volume,
                    leaves_lots=imbalance,
                )
