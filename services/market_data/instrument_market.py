"""The market data of one instrument: price levels, tape and the trading day's ticker."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import deque
from typing import NamedTuple

from matching_engine.records import Command, CommandKind, Event, Phase, Reason, Side, band
from services.market_data.candles import DayCandles
from services.market_data.trade import MarketTrade

_BUY = int(Side.BUY)  # Reading a member of an enum costs three times the comparison.
RECENT_TRADES = 200
"""Trades of the trading day that an instrument's tape keeps; older ones are in the read database."""


class Level(NamedTuple):
    """The sum of the resting orders at one price. Quantity 0: the level is gone."""

    price_ticks: int
    quantity_lots: int
    orders: int


class Indicative(NamedTuple):
    """Price and quantity that a call auction would trade now; price None and 0 lots where nothing would trade."""

    price_ticks: int | None
    quantity_lots: int
    imbalance_lots: int
    """Buys less sells at that price."""


class TickerView(NamedTuple):
    """The ticker of the trading day. Prices are None before the first trade or order; busted trades count in prices only."""

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
    """None outside a call auction, and before the auction's book first changes."""
    auction_ends_ns: int
    """Expected end of a volatility auction; 0 where there is none."""


class BookSide:
    """The price levels of one side: totals by price, and the sorted prices."""

    __slots__ = ("_keys", "_sign", "_totals")

    def __init__(self, side: int) -> None:
        # Keys are ascending; a bid's price is negated, so that the best is first on both sides.
        self._sign = -1 if side == _BUY else 1
        self._keys: list[int] = []
        self._totals: dict[int, tuple[int, int]] = {}

    def set(self, price_ticks: int, quantity_lots: int, orders: int) -> bool:
        """Sets the total of a level; 0 lots remove it. Returns whether the best price is another one now."""
        key, keys, totals = self._sign * price_ticks, self._keys, self._totals
        if quantity_lots:
            is_new = key not in totals
            totals[key] = (quantity_lots, orders)
            if is_new:
                insort(keys, key)
            return is_new and keys[0] == key
        if totals.pop(key, None) is None:
            return False
        index = bisect_left(keys, key)
        del keys[index]
        return not index

    def best(self) -> int | None:
        """The best price."""
        return self._sign * self._keys[0] if self._keys else None

    def level(self, price_ticks: int) -> Level:
        """The level at a price; quantity 0 where nothing rests."""
        return Level(price_ticks, *self._totals.get(self._sign * price_ticks, (0, 0)))

    def levels(self, count: int | None = None) -> list[Level]:
        """The best `count` levels, or all, best first."""
        sign, totals = self._sign, self._totals
        return [Level(sign * key, *totals[key]) for key in self._keys[:count]]


class InstrumentMarket:
    """The market data of one instrument. Its three seqs are those of the commands that last changed each stream."""

    __slots__ = (
        "asks",
        "auction_ends_ns",
        "band_ppm",
        "bids",
        "candles",
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
        self.candles = DayCandles()
        self.depth_seq = self.trades_seq = self.ticker_seq = seq
        self.begin_day(seq)

    def begin_day(self, seq: int) -> None:
        """Clears the tape and the day's numbers; the price levels stay."""
        self.recent.clear()
        self.candles.begin_day()
        self.open_ticks: int | None = None
        self.high_ticks: int | None = None
        self.low_ticks: int | None = None
        self.last_ticks: int | None = None
        self.volume_lots = self.turnover_fen = self.trades = 0
        self.ticker_seq = seq

    def add_trade(self, trade: MarketTrade) -> None:
        """Adds a trade to the tape and to the day's numbers."""
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
        """Takes a busted trade out of volume, turnover and count. Its price stays, because the market acted on it. Candles
        follow (candles.py)."""
        self.candles.bust()
        self.volume_lots -= event.quantity_lots
        self.turnover_fen -= event.amount_fen
        self.trades -= 1
        for index, trade in enumerate(self.recent):
            if trade.trade_id == event.order_id:
                self.recent[index] = trade._replace(is_busted=True)
        self.trades_seq = self.ticker_seq = event.seq

    def change_phase(self, event: Event, command: Command) -> None:
        """Sets the phase in force. A halt neither ends a volatility auction nor ends with it."""
        self.phase = event.phase
        if command.kind != CommandKind.RESUME:  # A halt has cleared it; without a halt, the auction goes on.
            self.indicative = None
        self.auction_ends_ns = auction_end_ns(event, command, self.auction_ends_ns)

    def side(self, side: int) -> BookSide:
        """Bids or asks."""
        return self.bids if side == _BUY else self.asks

    def ticker(self, trading_date: int) -> TickerView:
        """The current ticker."""
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


_ENDS_AUCTIONS = (CommandKind.SET_PHASE, CommandKind.DELIST_INSTRUMENT)


def auction_end_ns(event: Event, command: Command, before_ns: int) -> int:
    """When the volatility auction ends that is in force after PHASE_CHANGED, 0 for none; `before_ns` is that of before. A halt
    neither ends a volatility auction nor ends with it."""
    if event.reason == Reason.VOLATILITY:
        return command.time_ns + event.number * 1_000_000_000
    if command.kind in _ENDS_AUCTIONS or command.time_ns >= before_ns:
        return 0
    return before_ns
