"""Sums over events: balances, levels, open orders and turnover, as `matching_engine/records.py` defines them."""

from __future__ import annotations

from collections import defaultdict

from matching_engine.records import VENUE, Event, EventKind, Side

ENDS = (EventKind.CANCELED, EventKind.EXPIRED)


class EventSums:
    def __init__(self) -> None:
        self.cash: dict[int, int] = defaultdict(int)
        self.reserved: dict[int, int] = defaultdict(int)
        self.lots: dict[tuple[int, int], int] = defaultdict(int)
        self.reserved_lots: dict[tuple[int, int], int] = defaultdict(int)
        self.levels: dict[tuple[int, int], dict[int, tuple[int, int]]] = defaultdict(dict)
        self.leaves: dict[int, int] = {}
        self.turnover = 0
        self.deposited = 0
        self.received: dict[int, int] = defaultdict(int)

    def read(self, e: Event) -> None:
        if e.kind == EventKind.BALANCE_CHANGED:
            self.deposited += e.amount_fen
            self.received[e.instrument] += e.quantity_lots
            self.cash[e.account] += e.amount_fen
            self.lots[e.account, e.instrument] += e.quantity_lots
        elif e.kind == EventKind.TRADE:
            self.trade(e)
        elif e.kind == EventKind.TRADE_BUSTED:
            self.move(e, -1)
        elif e.kind in (EventKind.ACCEPTED, EventKind.REPLACED):
            self.reserve(e, e.quantity_lots)
            self.leaves[e.order_id] = e.leaves_lots
        elif e.kind in (*ENDS, EventKind.SELF_TRADE_PREVENTED):
            assert e.leaves_lots == self.leaves[e.order_id] - e.quantity_lots
            self.reserve(e, -e.quantity_lots)
            self.left(e.order_id, e.leaves_lots)
        elif e.kind == EventKind.LEVEL:
            side = self.levels[e.instrument, e.side]
            side[e.price_ticks] = (e.quantity_lots, e.number)
            if e.number == 0:
                assert side.pop(e.price_ticks) == (0, 0)

    def depth(self, instrument: int, side: int) -> list[tuple[int, int, int]]:
        """(price, lots, orders) of each level, best first."""
        levels = self.levels[instrument, side]
        return [(price, *levels[price]) for price in sorted(levels, reverse=side == Side.BUY)]

    def crossed(self, instrument: int) -> bool:
        buys, sells = self.levels[instrument, Side.BUY], self.levels[instrument, Side.SELL]
        return bool(buys and sells) and max(buys) >= min(sells)

    def reserve(self, e: Event, lots: int) -> None:
        self.reserved[e.account] += e.reserve_fen
        if e.side == Side.SELL:
            assert e.reserve_fen == 0
            self.reserved_lots[e.account, e.instrument] += lots

    def left(self, order_id: int, lots: int) -> None:
        if lots:
            self.leaves[order_id] = lots
        else:
            del self.leaves[order_id]

    def trade(self, e: Event) -> None:
        buyer, seller = self.move(e, 1)
        self.reserved[buyer] += e.reserve_fen
        self.reserved_lots[seller, e.instrument] -= e.quantity_lots
        assert e.leaves_lots == self.leaves[e.order_id] - e.quantity_lots
        self.left(e.order_id, e.leaves_lots)
        self.left(e.maker_order_id, self.leaves[e.maker_order_id] - e.quantity_lots)

    def move(self, e: Event, sign: int) -> tuple[int, int]:
        """Applies a trade's cash and lots, or reverses them; returns buyer and seller."""
        taker, maker = (e.account, e.fee_fen), (e.maker_account, e.maker_fee_fen)
        (buyer, buyer_fee), (seller, seller_fee) = (taker, maker) if e.side == Side.BUY else (maker, taker)
        self.cash[buyer] -= sign * (e.amount_fen + buyer_fee)
        self.lots[buyer, e.instrument] += sign * e.quantity_lots
        self.cash[seller] += sign * (e.amount_fen - seller_fee)
        self.lots[seller, e.instrument] -= sign * e.quantity_lots
        self.cash[VENUE] += sign * (buyer_fee + seller_fee)
        self.turnover += sign * e.amount_fen
        return buyer, seller
