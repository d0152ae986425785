"""One instrument as the market sees it: its book of price levels, its tape and the trading day's numbers."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import deque
from typing import NamedTuple

from matching_engine.records import Command, CommandKind, Event, Phase, Reason, Side, band

RECENT_TRADES = 200
"""How many trades of the trading day an instrument's tape keeps; older ones are in the read database."""


class Level(NamedTuple):
    """All that rests at one price. A quantity of 0 says the level is gone."""

    price_ticks: int
    quantity_lots: int
    orders: int


class MarketTrade(NamedTuple):
    """A trade as everybody sees it. In an auction nobody takes."""

    trade_id: int
    price_ticks: int
    quantity_lots: int
    amount_fen: int
    taker_side: int
    time_ns: int
    seq: int
    is_auction: bool = False
    is_busted: bool = False


class Indicative(NamedTuple):
    """What a call auction would do now; price None and 0 lots: nothing would trade."""

    price_ticks: int | None
    quantity_lots: int
    imbalance_lots: int
    """Buys less sells at that price."""


class TickerView(NamedTuple):
    """The trading day's numbers. Prices are None where there is none yet; busted trades count in prices only."""

    seq: int
    trading_date: int
    open_ticks: int | None
    high_ticks: int | None
    low_ticks: int | None
    last_ticks: int | None
    best_bid_ticks: int | None
    best_ask_ticks: int | None
    volume_lots: int
    turnover_fen: int
    trades: int
    reference_ticks: int
    lower_limit_ticks: int
    upper_limit_ticks: int
    phase: int
    indicative: Indicative | None
    """None outside a call auction, and until its book is first touched."""
    auction_ends_ns: int
    """When a volatility auction is expected to end; 0: none goes on."""


class BookSide:
    """One side's price levels: totals by price, and the prices in order."""

    __slots__ = ("_keys", "_sign", "_totals")

    def __init__(self, side: int) -> None:
        # Prices are kept ascending; a bid's is negated, so that the best is first on both sides.
        self._sign = -1 if side == Side.BUY else 1
        self._keys: list[int] = []
        self._totals: dict[int, tuple[int, int]] = {}

    def set(self, price_ticks: int, quantity_lots: int, orders: int) -> None:
        """The level's total from now on; 0 lots: it is gone."""
        key = self._sign * price_ticks
        if quantity_lots:
            if key not in self._totals:
                insort(self._keys, key)
            self._totals[key] = (quantity_lots, orders)
        elif self._totals.pop(key, None) is not None:
            del self._keys[bisect_left(self._keys, key)]

    def best(self) -> int | None:
        """The best price."""
        return self._sign * self._keys[0] if self._keys else None

    def level(self, price_ticks: int) -> Level:
        """What rests at a price, nothing included."""
        return Level(price_ticks, *self._totals.get(self._sign * price_ticks, (0, 0)))

    def levels(self, count: int | None = None) -> list[Level]:
        """The best `count` levels, or all, best first."""
        sign, totals = self._sign, self._totals
        return [Level(sign * key, *totals[key]) for key in self._keys[:count]]


class Quotation:
    """The market data of one instrument. Its three seqs say which command last changed each of its streams."""

    __slots__ = (
        "asks",
        "auction_ends_ns",
        "band_ppm",
        "bids",
        "depth_seq",
        "high_ticks",
        "indicative",
        "last_ticks",
        "low_ticks",
        "open_ticks",
        "phase",
        "recent",
        "reference_ticks",
        "ticker_seq",
        "trades",
        "trades_seq",
        "turnover_fen",
        "volume_lots",
    )

    def __init__(self, band_ppm: int, reference_ticks: int, seq: int, phase: int = Phase.CLOSED) -> None:
        self.band_ppm = band_ppm
        self.reference_ticks = reference_ticks
        self.phase = phase
        self.auction_ends_ns = 0
        self.indicative: Indicative | None = None
        self.bids = BookSide(Side.BUY)
        self.asks = BookSide(Side.SELL)
        self.recent: deque[MarketTrade] = deque(maxlen=RECENT_TRADES)
        self.depth_seq = self.trades_seq = self.ticker_seq = seq
        self.begin_day(seq)

    def begin_day(self, seq: int) -> None:
        """No trade yet: the tape and the day's numbers start again; the book stays."""
        self.recent.clear()
        self.open_ticks: int | None = None
        self.high_ticks: int | None = None
        self.low_ticks: int | None = None
        self.last_ticks: int | None = None
        self.volume_lots = self.turnover_fen = self.trades = 0
        self.ticker_seq = seq

    def add_trade(self, trade: MarketTrade) -> None:
        """One more trade of the day."""
        price_ticks = self.last_ticks = trade.price_ticks
        if self.open_ticks is None or self.high_ticks is None or self.low_ticks is None:
            self.open_ticks = self.high_ticks = self.low_ticks = price_ticks
        elif price_ticks > self.high_ticks:
            self.high_ticks = price_ticks
        elif price_ticks < self.low_ticks:
            self.low_ticks = price_ticks
        self.volume_lots += trade.quantity_lots
        self.turnover_fen += trade.amount_fen
        self.trades += 1
        self.recent.append(trade)
        self.trades_seq = self.ticker_seq = trade.seq

    def bust(self, event: Event) -> None:
        """A trade of the day is taken back: it no longer counts, but the prices it made stay, for the market acted on them."""
        self.volume_lots -= event.quantity_lots
        self.turnover_fen -= event.amount_fen
        self.trades -= 1
        for index, trade in enumerate(self.recent):
            if trade.trade_id == event.order_id:
                self.recent[index] = trade._replace(is_busted=True)
        self.trades_seq = self.ticker_seq = event.seq

    def change_phase(self, event: Event, command: Command) -> None:
        """The phase in force from now on. A halt outlives a volatility auction's end, and does not end it."""
        self.phase = event.phase
        if command.kind != CommandKind.RESUME:  # Halted, it was forgotten; not halted, its auction just goes on.
            self.indicative = None
        if event.reason == Reason.VOLATILITY:
            self.auction_ends_ns = command.time_ns + event.number * 1_000_000_000
        elif command.kind == CommandKind.SET_PHASE or command.time_ns >= self.auction_ends_ns:
            self.auction_ends_ns = 0

    def side(self, side: int) -> BookSide:
        """Bids or asks."""
        return self.bids if side == Side.BUY else self.asks

    def ticker(self, trading_date: int) -> TickerView:
        """The day's numbers as they stand."""
        lower, upper = band(self.reference_ticks, self.band_ppm)
        collects = self.phase == Phase.CALL_AUCTION
        return TickerView(
            self.ticker_seq,
            trading_date,
            self.open_ticks,
            self.high_ticks,
            self.low_ticks,
            self.last_ticks,
            self.bids.best(),
            self.asks.best(),
            self.volume_lots,
            self.turnover_fen,
            self.trades,
            self.reference_ticks,
            lower,
            upper,
            self.phase,
            self.indicative if collects else None,
            self.auction_ends_ns if collects else 0,
        )
