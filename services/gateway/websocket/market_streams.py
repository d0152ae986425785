"""The subscriptions to market channels, and the messages that each journal batch produces for them.

A stream is the same for all its subscribers, and a message is encoded once, if it has any. A client has one stream of a channel
for each instrument, of `candles` one for each instrument and length.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import NamedTuple

import structlog

from services.gateway.websocket.candle_stream import CandleStream
from services.gateway.websocket.client_queue import VENUE_WIDE, Hold, Stream
from services.gateway.websocket.push_messages import MarketPushes
from services.gateway.websocket.shared_streams import (
    AuctionStream,
    DepthStream,
    SharedStream,
    Sources,
    StatusStream,
    TopStream,
)
from services.gateway.websocket.subscriber import Subscriber, may_read_market
from services.gateway.websocket.turnover_stream import TurnoverStream
from services.market_data import MarketChanges

MARKET_CHANNELS = ("depth", "trades", "ticker", "top", "candles", "auction")
"""Channels with a stream for each instrument."""
VENUE_CHANNELS = ("status", "turnover")
"""Channels with one stream."""

_KINDS: dict[str, Callable[[Stream, Sources], SharedStream]] = {
    "depth": DepthStream,
    "top": TopStream,
    "candles": CandleStream,
    "auction": AuctionStream,
    "status": StatusStream,
    "turnover": TurnoverStream,
}
CORRECTION_RETRY_S = 1.0
log = structlog.get_logger("rex.websocket")


class Wanted(NamedTuple):
    """A market channel with its options, see Stream."""

    channel: str
    levels: int = 0
    interval: int = 0

    def of(self, instrument: int) -> Stream:
        """The stream of an instrument."""
        return Stream(self.channel, instrument, self.levels, self.interval)

    @property
    def slot(self) -> tuple[str, int]:
        """A client has one stream for each instrument and slot."""
        return self.channel, self.interval if self.channel == "candles" else 0


class Subscribed(NamedTuple):
    """A part of a client's subscriptions: instruments None: all, also those listed later."""

    wanted: Wanted
    instruments: list[int] | None


class _Client:
    """The streams of one client."""

    def __init__(self) -> None:
        self.streams: dict[tuple[tuple[str, int], int], Stream] = {}
        """By slot and instrument."""
        self.every: dict[tuple[str, int], Wanted] = {}
        """What it has of every instrument, by slot."""


class MarketStreams:
    """All market subscriptions of this gateway. `publish` neither waits nor raises."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        self._pushes = MarketPushes(sources.state, sources.market)
        self._direct: dict[tuple[str, int], dict[Subscriber, Stream]] = {}
        """By channel and instrument. Their updates are the same whatever their snapshots hold."""
        self._shared: dict[int, dict[Stream, SharedStream]] = {}
        """By instrument."""
        self._clients: dict[Subscriber, _Client] = {}
        self._correcting: set[asyncio.Task[None]] = set()

    def snapshot(self, stream: Stream) -> str:
        """The snapshot of a stream with subscribers."""
        shared = self._shared.get(stream.instrument, {}).get(stream)
        return self._pushes.snapshot(stream) if shared is None else shared.snapshot()

    # ------------------------------------------------------------------ subscriptions

    def subscribe(self, client: Subscriber, wanted: Wanted, instruments: Iterable[int] | None) -> None:
        """Subscribes to a snapshot and then the updates of each instrument. None: every instrument, also those listed later."""
        own = self._clients.setdefault(client, _Client())
        if instruments is None:
            self.subscribe_to_later(client, wanted)
        for instrument in self._all(wanted) if instruments is None else instruments:
            stream, place = wanted.of(instrument), (wanted.slot, instrument)
            before = own.streams.get(place)
            if before is not None and before != stream:
                self._leave(client, before)
            own.streams[place] = stream
            if _is_direct(stream):
                self._direct.setdefault(stream[:2], {})[client] = stream
                client.queue.need_snapshot(stream)
            else:
                self.shared(stream).subscribe(client)

    def subscribe_to_later(self, client: Subscriber, wanted: Wanted) -> None:
        """Subscribes to the instruments that are listed later."""
        self._clients.setdefault(client, _Client()).every[wanted.slot] = wanted

    def hold(self, client: Subscriber, stream: Stream) -> tuple[int, Hold]:
        """Subscribes to the trades of an instrument, or to the status, whose updates the client's queue holds back; returns the
        stream's seq, and the hold."""
        own, slot = self._clients.setdefault(client, _Client()), Wanted(stream.channel).slot
        own.streams[slot, stream.instrument] = stream
        hold = client.queue.hold(stream)
        if _is_direct(stream):
            self._direct.setdefault(stream[:2], {})[client] = stream
            return self._sources.market.of_instrument[stream.instrument].trades_seq, hold
        shared = self.shared(stream)
        shared.subscribers[client] = None
        return shared.seq, hold

    def unsubscribe(self, client: Subscriber, wanted: Wanted, instruments: Iterable[int] | None) -> None:
        """Undoes `subscribe`, whatever `levels` and pace were asked for; instruments without a subscription are no error."""
        own = self._clients.get(client)
        if own is None:
            return
        if instruments is None:
            own.every.pop(wanted.slot, None)
        for instrument in self._all(wanted) if instruments is None else instruments:
            stream = own.streams.pop((wanted.slot, instrument), None)
            if stream is not None:
                self._leave(client, stream)

    def leave(self, client: Subscriber) -> None:
        """Removes every subscription of a client that has disconnected."""
        own = self._clients.pop(client, None)
        if own is not None:
            for stream in own.streams.values():
                self._leave(client, stream)

    def subscribed(self, client: Subscriber) -> list[Subscribed]:
        """What the client is subscribed to."""
        own = self._clients.get(client, _Client())
        every = set(own.every.values())
        single: dict[Wanted, list[int]] = {}
        for stream in own.streams.values():
            wanted = Wanted(stream.channel, stream.levels, stream.interval)
            if wanted not in every:
                single.setdefault(wanted, []).append(stream.instrument)
        return [*(Subscribed(wanted, None) for wanted in every), *(Subscribed(*item) for item in single.items())]

    def _all(self, wanted: Wanted) -> range:
        if wanted.channel in VENUE_CHANNELS:
            return range(VENUE_WIDE, VENUE_WIDE + 1)
        return range(len(self._sources.market.of_instrument))

    def shared(self, stream: Stream) -> SharedStream:
        """The stream, for all its subscribers; made where it has none yet."""
        streams = self._shared.setdefault(stream.instrument, {})
        if stream not in streams:
            streams[stream] = _KINDS[stream.channel](stream, self._sources)
        return streams[stream]

    def _leave(self, client: Subscriber, stream: Stream) -> None:
        client.queue.forget(stream)
        if _is_direct(stream):
            subscribers = self._direct[stream[:2]]
            subscribers.pop(client, None)
            if not subscribers:
                del self._direct[stream[:2]]
            return
        streams = self._shared[stream.instrument]
        shared = streams[stream]
        shared.subscribers.pop(client, None)
        if not shared.subscribers:
            shared.close()
            del streams[stream]
            if not streams:
                del self._shared[stream.instrument]

    # ------------------------------------------------------------------ pushes of a batch

    def publish(self, changes: MarketChanges) -> None:
        """Pushes the changes of a batch; state and market have applied it."""
        for instrument in changes.listed:
            for client, own in self._clients.items():
                for wanted in own.every.values():
                    if wanted.channel not in VENUE_CHANNELS:
                        self.subscribe(client, wanted, (instrument,))
        if self._direct:
            pushes = self._pushes
            self._publish_direct("depth", changes.depth, changes, pushes.depth_update)
            self._publish_direct("trades", changes.trades, changes, pushes.trades_update)
            self._publish_direct("ticker", changes.ticker, changes, pushes.ticker_update)
        if self._shared:
            self._publish_shared(changes)
        for instrument, trade_ids in changes.busted.items():
            for trade_id in trade_ids:
                task = asyncio.ensure_future(self._correct(instrument, trade_id, self._sources.market.seq))
                self._correcting.add(task)
                task.add_done_callback(self._correcting.discard)

    def _publish_direct(
        self, channel: str, changed: dict[int, int], changes: MarketChanges, update: Callable[[int, MarketChanges], str]
    ) -> None:
        for instrument in changed:
            subscribers = self._direct.get((channel, instrument))
            if subscribers:
                text = update(instrument, changes)
                for client, stream in subscribers.items():
                    if may_read_market(client, self._sources.state):
                        client.queue.put_market(stream, text)

    def _publish_shared(self, changes: MarketChanges) -> None:
        for instrument, streams in self._shared.items():
            touched = instrument == VENUE_WIDE or instrument in changes.depth or instrument in changes.ticker
            for shared in streams.values():
                if isinstance(shared, CandleStream):
                    shared.take(changes)
                elif touched:
                    shared.touch()

    async def _correct(self, instrument: int, trade_id: int, seq: int) -> None:
        """Takes a busted trade out of its minute, once the read database knows the minute without it."""
        while True:
            try:
                minute = await self._sources.reads.corrected_minute(trade_id, seq)
                break
            except Exception as error:  # The read database is behind or away.
                log.warning("candle not corrected yet", trade_id=trade_id, error=str(error))
                await asyncio.sleep(CORRECTION_RETRY_S)
        market = self._sources.market
        if minute.trading_date != market.trading_date:
            return
        market.of_instrument[instrument].candles.correct(minute)
        for shared in list(self._shared.get(instrument, {}).values()):
            if isinstance(shared, CandleStream):
                shared.corrected(minute.start_s)


def _is_direct(stream: Stream) -> bool:
    """Whether the stream's messages are made from a batch alone: they say everything that changed, at once."""
    return stream.channel in ("trades", "ticker") or (stream.channel == "depth" and not stream.levels | stream.interval)
