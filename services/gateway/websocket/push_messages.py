"""The pushes of the WebSocket channels as JSON text: one envelope around the data of each channel.

Each text is encoded once for all clients. `prev_seq` is the seq of the previous push on the same stream, so it is the same for
every client; the snapshot of a new subscriber carries the seq of the stream, not of the venue.
"""

from __future__ import annotations

from typing import Any

import msgspec

from matching_engine.records import Side
from services.gateway.replies.market_json import depth_json, ticker_json, trade_json
from services.gateway.websocket.client_queue import Stream
from services.market_data import CHECKSUM_LEVELS, Market, MarketChanges
from services.venue_state.state import VenueState

SNAPSHOT_TRADES = 50
"""How many of the day's latest trades the snapshot of a trades stream holds."""

_encode = msgspec.json.Encoder().encode


def json_text(message: dict[str, Any]) -> str:
    """A message as JSON text."""
    return _encode(message).decode()


class MarketPushes:
    """Snapshots and updates of depth, trades and ticker."""

    def __init__(self, state: VenueState, market: Market) -> None:
        self._state = state
        self._market = market

    def snapshot(self, stream: Stream) -> str:
        """The snapshot of a stream."""
        channel, number = stream
        quotation = self._market.quotations[number]
        if channel == "depth":
            return self._text("depth", "snapshot", number, quotation.depth_seq, None, self._depth(number))
        if channel == "trades":
            instrument = self._state.instruments[number]
            recent = self._market.recent_trades(number, SNAPSHOT_TRADES)
            data = {"trades": [trade_json(instrument, trade) for trade in reversed(recent)], "busted": []}
            return self._text("trades", "snapshot", number, quotation.trades_seq, None, data)
        return self._text("ticker", "snapshot", number, quotation.ticker_seq, None, self._ticker(number))

    def depth_update(self, number: int, changes: MarketChanges) -> str:
        """The new values of the changed levels; 0 lots: the level is empty. The checksum covers the whole top of the book."""
        quotation = self._market.quotations[number]
        top = self._market.depth(number, CHECKSUM_LEVELS)
        instrument = self._state.instruments[number]
        data = depth_json(instrument, *top, quotation.depth_seq)
        touched = changes.levels[number]
        bids = [quotation.bids.level(price) for side, price in touched if side == Side.BUY]
        asks = [quotation.asks.level(price) for side, price in touched if side == Side.SELL]
        changed = depth_json(instrument, bids, asks, quotation.depth_seq)
        data = {"bids": changed["bids"], "asks": changed["asks"], "checksum": data["checksum"]}
        return self._text("depth", "update", number, quotation.depth_seq, changes.depth[number], data)

    def trades_update(self, number: int, changes: MarketChanges) -> str:
        """The new trades, oldest first, and the ids of busted trades."""
        instrument, seq = self._state.instruments[number], self._market.quotations[number].trades_seq
        data = {
            "trades": [trade_json(instrument, trade) for trade in changes.traded.get(number, ())],
            "busted": [str(trade_id) for trade_id in changes.busted.get(number, ())],
        }
        return self._text("trades", "update", number, seq, changes.trades[number], data)

    def ticker_update(self, number: int, changes: MarketChanges) -> str:
        """The whole ticker."""
        seq = self._market.quotations[number].ticker_seq
        return self._text("ticker", "update", number, seq, changes.ticker[number], self._ticker(number))

    def _depth(self, number: int) -> dict[str, Any]:
        bids, asks = self._market.depth(number)
        depth = depth_json(self._state.instruments[number], bids, asks, self._market.quotations[number].depth_seq)
        return {"bids": depth["bids"], "asks": depth["asks"], "checksum": depth["checksum"]}

    def _ticker(self, number: int) -> dict[str, Any]:
        return ticker_json(self._state.instruments[number], self._market.ticker(number))

    def _text(self, channel: str, kind: str, number: int, seq: int, prev_seq: int | None, data: dict[str, Any]) -> str:
        symbol = self._state.instruments[number].symbol
        return push_text(channel, kind, symbol, seq, prev_seq, self._state.incarnation, data)


def push_text(
    channel: str, kind: str, symbol: str | None, seq: int, prev_seq: int | None, incarnation: str, data: dict[str, Any]
) -> str:
    """The envelope of every push."""
    return json_text(
        {
            "channel": channel,
            "type": kind,
            "symbol": symbol,
            "seq": seq,
            "prev_seq": prev_seq,
            "incarnation": incarnation,
            "data": data,
        }
    )
