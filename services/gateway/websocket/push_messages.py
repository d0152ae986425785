"""The pushes of depth, trades and ticker, each a stream of its own for every instrument, as JSON text.

Each text is encoded once for all clients. `prev_seq` is the seq of the previous push on the same stream, so it is the same for
every client; the snapshot of a new subscriber carries the seq of the stream, not of the venue.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

from matching_engine.records import Side
from services.gateway.replies.market_json import ticker_json, trade_json
from services.gateway.websocket.client_queue import Stream
from services.gateway.websocket.market_models import SNAPSHOT_TRADES, DepthData, LevelData, Push, TradesData, text_of
from services.market_data import CHECKSUM_LEVELS, Level, Market, MarketChanges, depth_checksum
from services.venue_state.instruments import PHASE_NAMES, VenueInstrument
from services.venue_state.state import VenueState

_BUY = int(Side.BUY)


class MarketPushes:
    """Snapshots and updates of whole depths, trades and tickers."""

    def __init__(self, state: VenueState, market: Market) -> None:
        self._state = state
        self._market = market

    def snapshot(self, stream: Stream) -> str:
        """The snapshot of a stream."""
        channel, number = stream.channel, stream.instrument
        quotation = self._market.of_instrument[number]
        if channel == "depth":
            bids, asks = self._market.depth(number)
            data = depth_data(self._state.instruments[number], quotation.phase, bids, asks, (bids, asks))
            return self._text("depth", "snapshot", number, quotation.depth_seq, None, data)
        if channel == "trades":
            instrument = self._state.instruments[number]
            recent = self._market.recent_trades(number, stream.levels or SNAPSHOT_TRADES)
            trades = TradesData([trade_json(instrument, trade) for trade in reversed(recent)], [])
            return self._text("trades", "snapshot", number, quotation.trades_seq, None, trades)
        return self._text("ticker", "snapshot", number, quotation.ticker_seq, None, self._ticker(number))

    def depth_update(self, number: int, changes: MarketChanges) -> str:
        """The new values of the changed levels; 0 lots: the level is empty. The checksum covers the whole top of the book."""
        quotation = self._market.of_instrument[number]
        touched = changes.levels[number]
        bids = [quotation.bids.level(price) for side, price in touched if side == _BUY]
        asks = [quotation.asks.level(price) for side, price in touched if side != _BUY]
        top = self._market.depth(number, CHECKSUM_LEVELS)
        data = depth_data(self._state.instruments[number], quotation.phase, bids, asks, top)
        return self._text("depth", "update", number, quotation.depth_seq, changes.depth[number], data)

    def trades_update(self, number: int, changes: MarketChanges) -> str:
        """The new trades, oldest first, and the ids of busted trades."""
        instrument, seq = self._state.instruments[number], self._market.of_instrument[number].trades_seq
        data = TradesData(
            [trade_json(instrument, trade) for trade in changes.traded.get(number, ())],
            [str(trade_id) for trade_id in changes.busted.get(number, ())],
        )
        return self._text("trades", "update", number, seq, changes.trades[number], data)

    def ticker_update(self, number: int, changes: MarketChanges) -> str:
        """The whole ticker."""
        seq = self._market.of_instrument[number].ticker_seq
        return self._text("ticker", "update", number, seq, changes.ticker[number], self._ticker(number))

    def _ticker(self, number: int) -> dict[str, Any]:
        return ticker_json(self._state.instruments[number], self._market.ticker(number))

    def _text(
        self, channel: str, kind: Literal["snapshot", "update"], number: int, seq: int, prev_seq: int | None, data: Any
    ) -> str:
        symbol = self._state.instruments[number].symbol
        return text_of(Push(channel, kind, symbol, seq, prev_seq, self._state.incarnation, data))


def depth_data(
    instrument: VenueInstrument,
    phase: int,
    bids: Iterable[Level],
    asks: Iterable[Level],
    top: tuple[list[Level], list[Level]],
) -> DepthData:
    """Levels to send, and the checksum over the top ten of the levels that the client then has."""
    price_text = instrument.price_text
    best_bids, best_asks = (
        [(price_text(level.price_ticks), level.quantity_lots) for level in side[:CHECKSUM_LEVELS]] for side in top
    )
    return DepthData(
        PHASE_NAMES[phase],
        [level_data(instrument, level) for level in bids],
        [level_data(instrument, level) for level in asks],
        depth_checksum(best_bids, best_asks),
    )


def level_data(instrument: VenueInstrument, level: Level) -> LevelData:
    """A level, with its price as text."""
    return LevelData(instrument.price_text(level.price_ticks), level.quantity_lots, level.orders)
