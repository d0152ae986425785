"""Streams that remember what they showed last: limited or throttled depth, the top of the book, auctions, the venue's status.

A stream pushes the difference between what it showed and what holds now. So it may leave out what lies between, and `prev_seq`
is still the seq of the push before. All subscribers of a stream get the same texts.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import msgspec

from services.data.trading_hours import TradingHours
from services.gateway.http.venue import next_changes_json
from services.gateway.replies.market_json import AUCTION_FIELDS, ticker_json
from services.gateway.websocket.client_queue import Stream
from services.gateway.websocket.market_models import (
    AuctionData,
    ChangeData,
    InstrumentStatus,
    Push,
    StatusData,
    TopData,
    text_of,
)
from services.gateway.websocket.push_messages import depth_data, level_data
from services.gateway.websocket.subscriber import Subscriber, may_read_market
from services.market_data import Level, Market
from services.market_data.reading import MarketReads
from services.values.times import date_text, time_text
from services.venue_state.instruments import PHASE_NAMES
from services.venue_state.state import VenueState


class Timer(Protocol):
    """The part of an event loop that streams use."""

    def time(self) -> float:
        """Seconds that never go back."""

    def call_later(self, delay: float, callback: Callable[[], Any]) -> asyncio.TimerHandle:
        """Calls back after `delay` seconds."""


@dataclass(frozen=True)
class Sources:
    """What streams show, and the clocks by which they do it."""

    state: VenueState
    market: Market
    reads: MarketReads
    hours: TradingHours
    clock: Callable[[], int]
    timer: Timer


class SharedStream(ABC):
    """One stream. `touch` says that its source may have changed; it pushes at once, or when its interval has passed."""

    _shown: Any = None
    """The data that the stream showed last, where it keeps them as such."""

    def __init__(self, stream: Stream, sources: Sources, interval_s: float = 0.0) -> None:
        self.stream = stream
        self.sources = sources
        self.subscribers: dict[Subscriber, None] = {}
        self.seq = self.present_seq()
        """The seq of the last push; before the first, that of the snapshot."""
        self._interval_s = interval_s
        self._not_before = 0.0
        self._later: asyncio.TimerHandle | None = None

    def present_seq(self) -> int:
        """The number of the command that last changed the source; here of the one after which the whole market stands."""
        return self.sources.market.seq

    def shown(self) -> Any:
        """The data of a snapshot: what the stream showed last."""
        return self._shown

    @abstractmethod
    def update(self) -> Any:
        """The data of an update, which is shown from now on; None where nothing has changed."""

    def snapshot(self) -> str:
        """The snapshot as JSON text."""
        return self._text("snapshot", None, self.shown())

    def subscribe(self, client: Subscriber) -> None:
        """Subscribes to a snapshot and then the updates."""
        self.subscribers[client] = None
        client.queue.need_snapshot(self.stream)

    def touch(self) -> None:
        """Pushes what has changed, now or once the interval has passed."""
        if self._later is not None:
            return
        wait_s = self._not_before - self.sources.timer.time() if self._interval_s else 0.0
        if wait_s > 0:
            self._later = self.sources.timer.call_later(wait_s, self._due)
        else:
            self.flush()

    def close(self) -> None:
        """Ends the stream: nobody is subscribed any more."""
        if self._later is not None:
            self._later.cancel()

    def flush(self) -> None:
        """Pushes what has changed."""
        data = self.update()
        if data is not None:
            self.push(data, self.present_seq())

    def push(self, data: Any, seq: int) -> None:
        """Pushes an update to every subscriber."""
        if self._interval_s:
            self._not_before = self.sources.timer.time() + self._interval_s
        prev_seq, self.seq = self.seq, seq
        text = self._text("update", prev_seq, data)
        for client in self.subscribers:
            if may_read_market(client, self.sources.state):
                client.queue.put_market(self.stream, text)

    def _due(self) -> None:
        self._later = None
        self.flush()

    def _text(self, kind: Any, prev_seq: int | None, data: Any) -> str:
        state, number = self.sources.state, self.stream.instrument
        symbol = state.instruments[number].symbol if number >= 0 else None
        return text_of(Push(self.stream.channel, kind, symbol, self.seq, prev_seq, state.incarnation, data))


class DepthStream(SharedStream):
    """The best `levels` of each side, or all, at most once in an interval."""

    def __init__(self, stream: Stream, sources: Sources) -> None:
        super().__init__(stream, sources, stream.interval / 1000)
        self._bids, self._asks, self._phase = self._present()

    def present_seq(self) -> int:
        """See SharedStream."""
        return self.sources.market.of_instrument[self.stream.instrument].depth_seq

    def shown(self) -> Any:
        """See SharedStream."""
        return self._data(self._bids, self._asks)

    def update(self) -> Any:
        """The levels that are new or changed; then those that are gone from what is shown."""
        bids, asks, phase = self._present()
        if (bids, asks, phase) == (self._bids, self._asks, self._phase):
            return None
        changed = _changed(self._bids, bids), _changed(self._asks, asks)
        self._bids, self._asks, self._phase = bids, asks, phase
        return self._data(*changed)

    def _present(self) -> tuple[list[Level], list[Level], int]:
        number, market = self.stream.instrument, self.sources.market
        return *market.depth(number, self.stream.levels or None), market.of_instrument[number].phase

    def _data(self, bids: list[Level], asks: list[Level]) -> Any:
        instrument = self.sources.state.instruments[self.stream.instrument]
        return depth_data(instrument, self._phase, bids, asks, (self._bids, self._asks))


def _changed(old: list[Level], new: list[Level]) -> list[Level]:
    before, now = set(old), {level.price_ticks for level in new}
    gone = [Level(level.price_ticks, 0, 0) for level in old if level.price_ticks not in now]
    return [level for level in new if level not in before] + gone


class ValueStream(SharedStream):
    """A stream whose updates are whole values."""

    def __init__(self, stream: Stream, sources: Sources, interval_s: float = 0.0) -> None:
        super().__init__(stream, sources, interval_s)
        self._shown = self.present()

    @abstractmethod
    def present(self) -> Any:
        """The value now."""

    def update(self) -> Any:
        """See SharedStream."""
        value = self.present()
        if value == self._shown:
            return None
        self._shown = value
        return value


class TopStream(ValueStream):
    """Best bid and offer with their quantities."""

    def __init__(self, stream: Stream, sources: Sources) -> None:
        super().__init__(stream, sources, stream.interval / 1000)

    def present_seq(self) -> int:
        """See SharedStream."""
        return self.sources.market.of_instrument[self.stream.instrument].depth_seq

    def present(self) -> TopData:
        """See ValueStream."""
        number, market = self.stream.instrument, self.sources.market
        instrument, phase = self.sources.state.instruments[number], market.of_instrument[number].phase
        bid, ask = ([level_data(instrument, level) for level in side] for side in market.depth(number, 1))
        return TopData(PHASE_NAMES[phase], bid[0] if bid else None, ask[0] if ask else None)


class AuctionStream(ValueStream):
    """Price, volume and imbalance that a call auction would trade with."""

    def present_seq(self) -> int:
        """See SharedStream."""
        return self.sources.market.of_instrument[self.stream.instrument].ticker_seq

    def present(self) -> AuctionData:
        """See ValueStream."""
        number = self.stream.instrument
        ticker = ticker_json(self.sources.state.instruments[number], self.sources.market.ticker(number))
        return AuctionData(**{name: ticker[name] for name in AUCTION_FIELDS})


class StatusStream(SharedStream):
    """Phases and halts of all instruments, the venue's kill switch, the trading date, and the next changes of the timetable."""

    def __init__(self, stream: Stream, sources: Sources) -> None:
        super().__init__(stream, sources)
        self._key, self._instruments = self._present_key(), self._present_instruments()

    def shown(self) -> StatusData:
        """See SharedStream."""
        return self._data(self._instruments)

    def update(self) -> StatusData | None:
        """The instruments that changed."""
        key = self._present_key()
        if key == self._key:
            return None
        before, self._key, self._instruments = self._instruments, key, self._present_instruments()
        return self._data([now for now in self._instruments if now not in before])

    def _present_key(self) -> tuple[object, ...]:
        """What a status is made of, cheap to compare after each batch."""
        state, market = self.sources.state, self.sources.market
        phases = [(quotation.phase, quotation.auction_ends_ns) for quotation in market.of_instrument]
        return state.trading_date, state.kill_switch, phases

    def _present_instruments(self) -> list[InstrumentStatus]:
        market = self.sources.market
        return [
            status_of(instrument.symbol, quotation.phase, quotation.auction_ends_ns)
            for instrument, quotation in zip(self.sources.state.instruments, market.of_instrument, strict=False)
        ]

    def _data(self, instruments: list[InstrumentStatus]) -> StatusData:
        sources = self.sources
        changes = msgspec.convert(next_changes_json(sources.hours, sources.clock()), list[ChangeData])
        state = sources.state
        return StatusData(date_text(state.trading_date), state.kill_switch, instruments, changes)


def status_of(symbol: str, phase: int, auction_ends_ns: int) -> InstrumentStatus:
    """An instrument's status; `auction_ends_ns` is 0 where no volatility auction lasts."""
    return InstrumentStatus(symbol, PHASE_NAMES[phase], time_text(auction_ends_ns) if auction_ends_ns else None)
