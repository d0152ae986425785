"""Short words for tests of the engine: a small venue, an order in one call, whole event lists to compare with."""

from __future__ import annotations

from typing import Any

from matching_engine import Engine
from matching_engine.records import (
    ALL_INSTRUMENTS,
    Command,
    CommandKind,
    Event,
    EventKind,
    OrderType,
    Phase,
    Reason,
    Side,
    TimeInForce,
)
from tests.model.naive_engine import NaiveEngine

BUY, SELL = Side.BUY, Side.SELL
DAY, GTC, IOC = TimeInForce.DAY, TimeInForce.GTC, TimeInForce.IOC
CASH = 10**9
LOTS = 1000


class Talk:
    """A venue: instrument 0 at 1,000 ticks of 1 yuan ± 5 %, fees of 300 and 500 ppm, accounts 2, 3 and 4 (owner 3) with
    ten million yuan and 1,000 lots each. `seq` is the last command's, so an order's id right after it was sent."""

    def __init__(self, engine: Engine | NaiveEngine) -> None:
        self.engine = engine
        self.seq = 0
        self.tell(CommandKind.SET_PHASE, instrument=ALL_INSTRUMENTS, phase=Phase.CONTINUOUS)
        self.tell(CommandKind.SET_FEES, rate_ppm=300, taker_rate_ppm=500)
        self.list_instrument(0)
        for owner in (0, 0, 3):
            self.tell(CommandKind.OPEN_ACCOUNT, owner=owner)
        for account in (2, 3, 4):
            self.tell(CommandKind.DEPOSIT, account=account, amount_fen=CASH)
            self.tell(CommandKind.RECEIVE, account=account, quantity_lots=LOTS)

    def tell(self, kind: int, **fields: Any) -> list[Event]:
        self.seq += 1
        return self.engine.submit(Command(seq=self.seq, kind=kind, **fields))

    def list_instrument(self, instrument: int, **fields: int) -> list[Event]:
        terms = {"amount_fen": 100, "price_ticks": 1000, "rate_ppm": 50_000, "quantity_lots": 500}
        return self.tell(CommandKind.LIST_INSTRUMENT, instrument=instrument, **terms | fields)

    def order(
        self, account: int, side: Side, lots: int, price: int, time_in_force: TimeInForce = GTC, **fields: Any
    ) -> list[Event]:
        return self.tell(
            CommandKind.NEW_ORDER,
            account=account,
            side=side,
            quantity_lots=lots,
            price_ticks=price,
            time_in_force=time_in_force,
            **{"order_type": OrderType.LIMIT, **fields},
        )

    def market(self, account: int, side: Side, lots: int) -> list[Event]:
        return self.order(account, side, lots, 0, IOC, order_type=OrderType.MARKET)

    def cancel(self, account: int, order_id: int = 0, client_order_id: bytes = b"") -> list[Event]:
        return self.tell(CommandKind.CANCEL, account=account, order_id=order_id, client_order_id=client_order_id)

    def day_roll(self, date: int) -> list[Event]:
        return self.tell(CommandKind.DAY_ROLL, date=date)

    # What one expects: the fields of an event of the last command

    def event(self, kind: EventKind, **fields: int) -> Event:
        return Event(seq=self.seq, kind=kind, **fields)

    def accepted(
        self, account: int, side: Side, lots: int, price: int, reserve: int = 0, market: bool = False
    ) -> Event:
        return self.event(
            EventKind.ACCEPTED,
            order_id=self.seq,
            account=account,
            side=side,
            order_type=OrderType.MARKET if market else OrderType.LIMIT,
            price_ticks=price,
            quantity_lots=lots,
            leaves_lots=lots,
            reserve_fen=reserve,
        )

    def ended(self, kind: EventKind, reason: Reason, order_id: int, account: int, **fields: int) -> Event:
        return self.event(kind, reason=reason, order_id=order_id, account=account, **fields)

    def rejected(self, reason: Reason, **fields: int) -> Event:
        return self.event(EventKind.REJECTED, reason=reason, **fields)

    def level(self, side: Side, price: int, lots: int, orders: int, instrument: int = 0) -> Event:
        return self.event(
            EventKind.LEVEL,
            instrument=instrument,
            side=side,
            price_ticks=price,
            quantity_lots=lots,
            number=orders,
        )
