"""The candles of one instrument and length: the running one with its trades, at most four times a second, and busted ones out.

A candle is closed by the first command of the venue that is stamped after its end; no clock of this process decides it.
"""

from __future__ import annotations

from typing import get_args

from services.gateway.websocket.client_queue import Stream
from services.gateway.websocket.market_models import CandleData, CandleInterval, CandlesData
from services.gateway.websocket.shared_streams import SharedStream, Sources
from services.market_data import Candle, MarketChanges
from services.market_data.candles import day_candle, window
from services.values.decimals import yuan_text
from services.values.times import date_text, second_text

SECONDS: dict[CandleInterval, int] = dict(zip(get_args(CandleInterval), (60, 300, 900, 3600, 86_400), strict=True))
NAMES: dict[int, CandleInterval] = {seconds: name for name, seconds in SECONDS.items()}
SNAPSHOT_CANDLES = 60
"""How many of the day's last candles a snapshot holds."""
_DAY_S = SECONDS["1d"]
_PACE_S = 0.25


class CandleStream(SharedStream):
    """A candle of the day (`1d`) is that of a trading date; its start is 0 here."""

    def __init__(self, stream: Stream, sources: Sources) -> None:
        super().__init__(stream, sources, _PACE_S)
        self._length_s = stream.interval
        self._changed: dict[int, None] = {}
        self._trading_date = sources.market.trading_date
        self._shown = {start_s: found for start_s in self._starts() if (found := self._candle(start_s)) is not None}
        """The day's candles by start, oldest first, as they were pushed last."""
        self._running = {start_s for start_s, candle in self._shown.items() if not candle.closed}

    def take(self, changes: MarketChanges) -> None:
        """The changes of a batch: new trades, and the time, which may have closed a candle."""
        number, market = self.stream.instrument, self.sources.market
        for trade in changes.traded.get(number, ()):
            self._changed[self._start(trade.time_ns // 10**9)] = None
        if market.trading_date != self._trading_date:
            self._day_rolled()
        if self._running:
            self._changed.update((start_s, None) for start_s in self._running if self._is_closed(start_s))
        if self._changed:
            self.touch()

    def corrected(self, minute_s: int) -> None:
        """A busted trade was taken out of a minute."""
        self._changed[self._start(minute_s)] = None
        self.touch()

    def shown(self) -> CandlesData:
        """See SharedStream."""
        return CandlesData(NAMES[self._length_s], list(self._shown.values())[-SNAPSHOT_CANDLES:], [])

    def update(self) -> CandlesData | None:
        """See SharedStream."""
        starts, self._changed = sorted(self._changed), {}
        candles, removed = [], []
        for start_s in starts:
            candle = self._candle(start_s)
            if candle == self._shown.get(start_s):
                continue
            if candle is None:
                removed.append(self._shown.pop(start_s).start)
                self._running.discard(start_s)
                continue
            self._shown[start_s] = candle
            (self._running.discard if candle.closed else self._running.add)(start_s)
            candles.append(candle)
        return CandlesData(NAMES[self._length_s], candles, removed) if candles or removed else None

    def _day_rolled(self) -> None:
        """The day is over, and with it every candle: pushes the running ones, and those that changed, for the last time."""
        ended = self.sources.market.of_instrument[self.stream.instrument].candles.ended
        closed = []
        for start_s in sorted(self._running.union(self._changed)):
            candle = self._candle(start_s, ended)
            if candle is not None:
                candle.closed = True
                if candle != self._shown.get(start_s):
                    closed.append(candle)
        if closed:
            self.push(CandlesData(NAMES[self._length_s], closed, []), self.present_seq())
        # A trade of the batch may be of the new day: what is marked as changed stays so.
        self._trading_date, self._shown, self._running = self.sources.market.trading_date, {}, set()

    def _start(self, second: int) -> int:
        return 0 if self._length_s == _DAY_S else second - second % self._length_s

    def _starts(self) -> dict[int, None]:
        minutes = self.sources.market.of_instrument[self.stream.instrument].candles.minutes
        return dict.fromkeys(self._start(minute_s) for minute_s in minutes)

    def _is_closed(self, start_s: int) -> bool:
        return self._length_s != _DAY_S and self.sources.market.time_ns >= (start_s + self._length_s) * 10**9

    def _candle(self, start_s: int, minutes: dict[int, Candle] | None = None) -> CandleData | None:
        """The candle of the present day, or of the day with these minutes; None without a trade."""
        if minutes is None:
            minutes = self.sources.market.of_instrument[self.stream.instrument].candles.minutes
        candle = day_candle(minutes) if self._length_s == _DAY_S else window(minutes, start_s, self._length_s)
        return None if candle is None else self._data(start_s, candle)

    def _data(self, start_s: int, candle: Candle) -> CandleData:
        price = self.sources.state.instruments[self.stream.instrument].price_text
        return CandleData(
            date_text(self._trading_date) if self._length_s == _DAY_S else second_text(start_s),
            price(candle.open_ticks),
            price(candle.high_ticks),
            price(candle.low_ticks),
            price(candle.close_ticks),
            candle.quantity_lots,
            yuan_text(candle.amount_fen),
            candle.trades,
            self._is_closed(start_s),
        )
