"""Tables of the naive engine: accounts, instruments, orders, trades and client order ids as plain rows."""

from __future__ import annotations

from dataclasses import dataclass, field

from matching_engine.records import MAX_PRICE_TICKS, Phase, band


@dataclass(slots=True)
class Account:
    owner: int
    account_class: int = 0
    cash: int = 0
    reserved: int = 0
    day_amount: int = 0
    max_order_lots: int = 0
    max_order_fen: int = 0
    max_day_fen: int = 0
    max_open_orders: int = 0
    kill_switch: bool = False


@dataclass(slots=True)
class Holding:
    lots: int = 0
    reserved: int = 0


@dataclass(slots=True, eq=False)
class Order:
    """An order. An incoming order shows all of its lots; the trigger is 0 unless it is a waiting stop."""

    order_id: int
    account: int
    owner: int
    instrument: int
    side: int
    order_type: int
    time_in_force: int
    self_trade: int
    flags: int
    time_s: int
    price: int
    trigger: int
    shown: int
    display: int
    hidden: int = 0
    filled: int = 0
    lot_reserve: int = 0

    @property
    def leaves(self) -> int:
        return self.shown + self.hidden


Queues = tuple[dict[int, list[Order]], dict[int, list[Order]]]
"""By side: price (or trigger) -> the orders there, oldest first."""


@dataclass(slots=True)
class Instrument:
    tick_value: int
    reference: int
    band_ppm: int
    max_quantity: int
    phase: int
    halted: bool
    received: int = 0
    last: int = 0
    day_lots: int = 0
    day_amount: int = 0
    collar_ppm: int = 0
    volatility_ppm: int = 0
    auction_s: int = 0
    in_auction: bool = False
    auction_ends_ns: int = 0
    quotes: tuple[int, int] = (0, 0)
    quotes_since_ns: int = 0
    quotes_until_ns: int = 0
    closing_seq: int = 0
    sides: Queues = field(default_factory=lambda: ({}, {}))
    waiting: Queues = field(default_factory=lambda: ({}, {}))

    def edges(self) -> tuple[int, int]:
        """The day's lowest and highest price."""
        low, high = band(self.reference, self.band_ppm)
        return low, min(high, MAX_PRICE_TICKS)

    def anchor(self) -> int:
        """6.3: the last price of the trading day, or the reference price while there is none."""
        return self.last or self.reference

    def phase_in_force(self) -> int:
        """4.1"""
        if self.halted:
            return int(Phase.HALTED)
        return int(Phase.CALL_AUCTION) if self.in_auction else self.phase


@dataclass(slots=True)
class Trade:
    trade_id: int
    price: int
    lots: int
    amount: int
    fee: int
    maker_fee: int
    account: int
    maker_account: int
    instrument: int
    side: int
    busted: bool = False


@dataclass(slots=True)
class ClientId:
    order_id: int
    digest: int
    day: int


def around(price: int, rate_ppm: int) -> tuple[int, int]:
    """The prices within a rate of a price: ceil(price x (1 - rate)) to floor(price x (1 + rate))."""
    return -(-price * (1_000_000 - rate_ppm) // 1_000_000), price * (1_000_000 + rate_ppm) // 1_000_000
