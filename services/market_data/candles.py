"""Candles of one instrument in the trading day: kept by the minute, longer ones are added up from minutes.

A trade goes into the minute of its time (UTC). A busted trade is taken out: what its minute is without it, the read database
knows, since only there all trades of the day are. Until it has answered, the minute keeps the trade.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from services.market_data.trade import MarketTrade

MINUTE_S = 60
_MINUTE_NS = MINUTE_S * 10**9


@dataclass(slots=True)
class Candle:
    """Prices in ticks, quantity in lots, amount in fen."""

    open_ticks: int
    high_ticks: int
    low_ticks: int
    close_ticks: int
    quantity_lots: int
    amount_fen: int
    trades: int

    def add(self, later: Candle) -> None:
        """Adds a later candle."""
        self.high_ticks = max(self.high_ticks, later.high_ticks)
        self.low_ticks = min(self.low_ticks, later.low_ticks)
        self.close_ticks = later.close_ticks
        self.quantity_lots += later.quantity_lots
        self.amount_fen += later.amount_fen
        self.trades += later.trades


@dataclass(frozen=True, slots=True)
class CorrectedMinute:
    """A minute as the read database has it, without its busted trades, after the command `seq`."""

    trading_date: int
    start_s: int
    candle: Candle | None
    seq: int


class DayCandles:
    """The minutes of the trading day with trades."""

    __slots__ = ("_corrected", "_open_corrections", "_since_bust", "ended", "minutes")

    def __init__(self) -> None:
        self.minutes: dict[int, Candle] = {}
        """By their first second since 1970 UTC, oldest first."""
        self.begin_day()

    def begin_day(self) -> None:
        """Begins without minutes; those of the day before are `ended`."""
        self.ended, self.minutes = self.minutes, {}
        self._corrected: dict[int, int] = {}
        self._since_bust: list[MarketTrade] = []
        self._open_corrections = 0

    def add(self, trade: MarketTrade) -> None:
        """Adds the next trade."""
        if self._open_corrections:
            self._since_bust.append(trade)
        self._add(trade)

    def _add(self, trade: MarketTrade) -> None:
        start_s = trade.time_ns // _MINUTE_NS * MINUTE_S
        if self._corrected and trade.seq <= self._corrected.get(start_s, 0):
            return
        price, candle = trade.price_ticks, self.minutes.get(start_s)
        if candle is None:
            self.minutes[start_s] = Candle(price, price, price, price, trade.quantity_lots, trade.amount_fen, 1)
            return
        if price > candle.high_ticks:
            candle.high_ticks = price
        elif price < candle.low_ticks:
            candle.low_ticks = price
        candle.close_ticks = price
        candle.quantity_lots += trade.quantity_lots
        candle.amount_fen += trade.amount_fen
        candle.trades += 1

    def bust(self) -> None:
        """A trade of the day was busted: from now on trades are remembered until `correct`."""
        self._open_corrections += 1

    def correct(self, minute: CorrectedMinute) -> None:
        """Replaces the minute of a busted trade, and adds the trades since. One call for each `bust` of the same day."""
        if minute.candle is None:
            self.minutes.pop(minute.start_s, None)
        else:
            self.minutes[minute.start_s] = minute.candle
            self.minutes = dict(sorted(self.minutes.items()))
        self._corrected[minute.start_s] = minute.seq
        for trade in self._since_bust:
            if trade.time_ns // _MINUTE_NS * MINUTE_S == minute.start_s:
                self._add(trade)
        self._open_corrections -= 1
        if not self._open_corrections:
            self._since_bust.clear()


def window(minutes: Mapping[int, Candle], start_s: int, length_s: int) -> Candle | None:
    """The candle of the minutes from start_s on, for length_s; None without a trade."""
    return _sum(map(minutes.get, range(start_s, start_s + length_s, MINUTE_S)))


def day_candle(minutes: Mapping[int, Candle]) -> Candle | None:
    """The candle of all minutes; None without a trade."""
    return _sum(minutes.values())


def _sum(minutes: Iterable[Candle | None]) -> Candle | None:
    found: Candle | None = None
    for minute in minutes:
        if minute is None:
            continue
        if found is None:
            found = replace(minute)
        else:
            found.add(minute)
    return found
