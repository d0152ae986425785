"""The answers about the market as records; `records` says how they are made."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Literal

from rex_client.records import Record, Side


class Instrument(Record, frozen=True, kw_only=True):
    """A listed instrument; prices in yuan per unit, `lot_size` in units."""

    symbol: str
    name_en: str
    name_zh: str
    category: str
    family: str
    unit: str
    lot_size: int
    tick_size: Decimal
    reference_price: Decimal
    settlement_source: str | None
    lower_limit: Decimal
    upper_limit: Decimal
    max_quantity: int
    phase: str
    reference_price_source: Literal["sourced", "assumed"]
    spec: str
    note: str
    band_rate: Decimal
    collar_rate: Decimal | None
    volatility_rate: Decimal | None
    auction_seconds: int | None


class Ticker(Record, frozen=True, kw_only=True):
    """The statistics of the trading day: `volume` in lots, `turnover` in yuan, a trade counts once."""

    symbol: str
    seq: int
    trading_date: date
    last: Decimal | None
    open: Decimal | None
    high: Decimal | None
    low: Decimal | None
    best_bid: Decimal | None
    best_ask: Decimal | None
    volume: int
    turnover: Decimal
    trades: int
    reference_price: Decimal
    lower_limit: Decimal
    upper_limit: Decimal
    phase: str
    indicative_price: Decimal | None
    indicative_volume: int | None
    indicative_imbalance: int | None
    auction_ends_at: datetime | None


class Level(Record, frozen=True, kw_only=True):
    """The displayed lots and the number of orders at one price."""

    price: Decimal
    quantity: int
    orders: int


class Depth(Record, frozen=True, kw_only=True):
    """Both sides of a book, best price first."""

    symbol: str
    seq: int
    bids: tuple[Level, ...]
    asks: tuple[Level, ...]
    checksum: int


class Trade(Record, frozen=True, kw_only=True):
    """A trade, without its parties; `taker_side` is None for one of an auction."""

    trade_id: str
    symbol: str
    price: Decimal
    quantity: int
    amount: Decimal
    taker_side: Side | None
    time: datetime
    seq: int
    auction: bool
    busted: bool


class Candle(Record, frozen=True, kw_only=True):
    """The trades of an interval: `quantity` in lots, `amount` in yuan. Only a candle of `1d` has a `trading_date`.

    A push's candle of `1d` has no time in `start`, and is no such record.
    """

    start: datetime
    trading_date: date | None = None
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    quantity: int
    amount: Decimal
    trades: int
    closed: bool
