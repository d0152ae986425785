"""Matching of the naive engine: incoming orders, self-trade prevention, volatility auctions and triggers."""

from __future__ import annotations

from matching_engine.records import (
    MAX_PRICE_TICKS,
    EventKind,
    OrderType,
    Phase,
    Reason,
    SelfTrade,
    Side,
    TimeInForce,
)
from tests.model.naive_queues import Queues
from tests.model.naive_tables import Instrument, Order, around

CANCELED, SELF_TRADE_PREVENTED = EventKind.CANCELED, EventKind.SELF_TRADE_PREVENTED
LATEST_NS = 2**63 - 1


def is_waiting_type(o: Order) -> bool:
    return o.order_type in (OrderType.STOP, OrderType.STOP_LIMIT)


def may_rest(o: Order) -> bool:
    """A triggered STOP is a MARKET order, whatever the stop's time in force was."""
    return o.order_type != OrderType.MARKET and o.time_in_force not in (TimeInForce.IOC, TimeInForce.FOK)


class Matching(Queues):
    def __init__(self) -> None:
        super().__init__()
        self.line: list[Order] = []

    # Incoming orders

    def arrive(self, o: Order) -> None:
        """Runs a new order, an amended one or a triggered one (now a MARKET or LIMIT order)."""
        row = self.listed[o.instrument]
        if is_waiting_type(o):
            if row.last and self.reached(o, row.last, row.last):
                self.line.append(o)  # 2.4
            else:
                self.hold(o)
        elif self.phase(o.instrument) == Phase.CALL_AUCTION:
            self.collect(o)
        else:
            self.enter(o)

    def run_line(self) -> None:
        """2.2: runs triggered stops one by one; the stops that they trigger join the end of the line."""
        while self.line:
            o = self.line.pop(0)
            is_stop = o.order_type == OrderType.STOP
            o.order_type = int(OrderType.MARKET if is_stop else OrderType.LIMIT)
            o.trigger = 0
            self.emit(
                EventKind.TRIGGERED,
                order_id=o.order_id,
                account=o.account,
                instrument=o.instrument,
                side=o.side,
                order_type=o.order_type,
                price_ticks=o.price,
                quantity_lots=o.leaves,
                leaves_lots=o.leaves,
            )
            if is_stop and self.phase(o.instrument) != Phase.CONTINUOUS:
                self.decrement(o, o.leaves, CANCELED, Reason.VOLATILITY)  # 2.5
            else:
                self.arrive(o)

    def reached(self, o: Order, low: int, high: int) -> bool:
        """2.1"""
        return high >= o.trigger if o.side == Side.BUY else low <= o.trigger

    def trigger(self, instrument: int, low: int, high: int) -> None:
        """2.2: the stops that trades from `low` to `high` reach: buys, lowest trigger first, then sells, highest first."""
        for side in Side:
            for o in self.queue(instrument, side):
                if o.trigger and self.reached(o, low, high):
                    self.take_out(o)
                    self.line.append(o)

    def come_into_force(self, instrument: int) -> None:
        """4.2: uncrosses a crossed book where a new phase requires it; 2.3: triggers stops."""
        row = self.listed[instrument]
        if self.phase(instrument) in (Phase.CLOSED, Phase.AUCTION_MATCHING, Phase.CONTINUOUS):
            self.uncross(instrument)
        if self.phase(instrument) == Phase.CONTINUOUS:  # 4.10
            row.quotes_since_ns, row.closing_seq = self.time_ns, 0
        if self.phase(instrument) == Phase.CONTINUOUS and row.last:
            self.trigger(instrument, row.last, row.last)
            self.run_line()
        if self.phase(instrument) == Phase.CALL_AUCTION:
            self.called.add(instrument)  # 4.6

    # Continuous trading

    def enter(self, o: Order) -> None:
        """1.1: trades at the makers' prices, best first and oldest first, then rests or is canceled."""
        row = self.listed[o.instrument]
        low, high = self.volatility_band(row)
        if o.time_in_force == TimeInForce.FOK and self.reachable(o, low, high) < o.leaves:
            self.decrement(o, o.leaves, CANCELED, Reason.FILL_OR_KILL)
            return
        prices = []
        while o.leaves:
            price = self.best(o.instrument, 1 - o.side)
            if price is None or not self.crosses(o, price):
                break
            if not low <= price <= high:
                self.begin_auction(o, row)
                break
            maker = row.sides[1 - o.side][price][0]
            if maker.owner == o.owner:
                self.prevent(o, maker)
                continue
            self.trade(o, maker, price, min(o.shown, maker.shown), Phase.CONTINUOUS)
            self.after_loss(maker)
            prices.append(price)
        if o.leaves and o.order_id not in self.orders:
            self.rest_or_cancel(o)
        if prices and self.phase(o.instrument) == Phase.CONTINUOUS:
            self.trigger(o.instrument, min(prices), max(prices))  # 2.2

    def rest_or_cancel(self, o: Order) -> None:
        """The open lots after matching: they rest, or are canceled."""
        if may_rest(o):
            self.rest(o)
        elif o.order_type == OrderType.MARKET:
            self.decrement(o, o.leaves, CANCELED, Reason.NO_LIQUIDITY)
        else:
            self.decrement(o, o.leaves, CANCELED, Reason.IMMEDIATE_OR_CANCEL)

    def reachable(self, o: Order, low: int, high: int) -> int:
        """1.7: the lots that a FOK order could trade, counted level by level in the order in which it would meet them."""
        count = 0
        sides = self.listed[o.instrument].sides[1 - o.side]
        for price in sorted(sides, reverse=o.side == Side.SELL):
            if not self.crosses(o, price) or not low <= price <= high:
                break
            met = [(maker, maker.shown, maker.hidden) for maker in sides[price]]
            while met and count < o.leaves:
                maker, shown, hidden = met.pop(0)
                if maker.owner != o.owner:
                    count += shown
                    if hidden:
                        refill = min(maker.display, hidden)
                        met.append((maker, refill, hidden - refill))
                elif o.self_trade != SelfTrade.CANCEL_OLDEST:
                    return count
        return count

    # Self-trade prevention

    def prevent(self, o: Order, maker: Order) -> None:
        """5.1 and 5.2: the incoming order would meet one of its own group; the resting order's event comes first."""
        incoming, resting = o.leaves, maker.leaves
        if o.self_trade == SelfTrade.DECREMENT:
            incoming = resting = min(o.leaves, maker.shown)
        if o.self_trade != SelfTrade.CANCEL_NEWEST:
            self.decrement(maker, resting, SELF_TRADE_PREVENTED, Reason.SELF_TRADE, o.order_id)
            self.after_loss(maker)
        if o.self_trade != SelfTrade.CANCEL_OLDEST:
            self.decrement(o, incoming, SELF_TRADE_PREVENTED, Reason.SELF_TRADE, maker.order_id)

    # The call phase

    def collect(self, o: Order) -> None:
        """5.3: self-trade prevention against orders of the own group, in the order in which the order would meet them; then
        it rests."""
        sides = self.listed[o.instrument].sides[1 - o.side]
        for price in sorted(sides, reverse=o.side == Side.SELL):
            if not self.crosses(o, price):
                break
            met = list(sides[price])
            while met and o.leaves:
                maker = met.pop(0)
                if maker.owner == o.owner:
                    self.prevent(o, maker)
                    if maker.leaves:  # A refilled order is met again, at the back of its queue.
                        met.append(maker)
        if o.leaves:
            self.rest(o)

    def volatility_band(self, row: Instrument) -> tuple[int, int]:
        """4.7: the lowest and highest price at which an order may trade whose matching begins now."""
        if not row.volatility_ppm:
            return 1, MAX_PRICE_TICKS
        low, high = around(row.anchor(), row.volatility_ppm)
        return max(low, 1), min(high, MAX_PRICE_TICKS)

    def begin_auction(self, o: Order, row: Instrument) -> None:
        """4.7: begins an auction in place of a trade beyond the band."""
        if may_rest(o):
            self.collect(o)
        else:
            self.decrement(o, o.leaves, CANCELED, Reason.VOLATILITY)
        row.in_auction, row.quotes_until_ns = True, self.time_ns
        row.auction_ends_ns = min(self.time_ns + row.auction_s * 10**9, LATEST_NS)
        self.emit(
            EventKind.PHASE_CHANGED,
            instrument=o.instrument,
            phase=Phase.CALL_AUCTION,
            reason=Reason.VOLATILITY,
            number=row.auction_s,
        )
