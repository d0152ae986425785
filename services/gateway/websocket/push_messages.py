"""The pushes of the WebSocket channels as text: one envelope around each channel's data.

Every text is made once, however many clients get it. `prev_seq` is the seq of the push before it on the same stream, so it is
the same for all of them: a new subscriber's snapshot carries the stream's own seq, not the venue's.
"""

from __future__ import annotations

from typing import Any

import msgspec

from matching_engine.records import Event, Phase, Side
from services.decimals import yuan_text
from services.gateway.replies.execution_report import date_text, time_text
from services.gateway.replies.market_json import depth_json, ticker_json, trade_json
from services.gateway.websocket.client_queue import Stream
from services.market_data import CHECKSUM_LEVELS, Market, MarketChanges
from services.venue_state.orders import SIDE_NAMES, VenueOrder
from services.venue_state.state import VenueState

SNAPSHOT_TRADES = 50
"""How many of the day's last trades the snapshot of a trades stream holds."""

_encode = msgspec.json.Encoder().encode


def json_text(message: dict[str, Any]) -> str:
    """A message as it is sent."""
    return _encode(message).decode()


class MarketPushes:
    """Snapshots and updates of depth, trades and ticker."""

    def __init__(self, state: VenueState, market: Market) -> None:
        self._state = state
        self._market = market

    def snapshot(self, stream: Stream) -> str:
        """The stream as it stands."""
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
        """The touched levels as they now stand; 0 lots: the level is gone."""
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
        """The new trades, oldest first, and the ids of trades that were taken back."""
        instrument, seq = self._state.instruments[number], self._market.quotations[number].trades_seq
        data = {
            "trades": [trade_json(instrument, trade) for trade in changes.traded.get(number, ())],
            "busted": [str(trade_id) for trade_id in changes.busted.get(number, ())],
        }
        return self._text("trades", "update", number, seq, changes.trades[number], data)

    def ticker_update(self, number: int, changes: MarketChanges) -> str:
        """All of the ticker as it now stands."""
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


def fill_json(order: VenueOrder, event: Event, state: VenueState) -> dict[str, Any]:
    """`schemas.Fill` of a TRADE event, from the side of one of its two orders."""
    instrument = state.instruments[event.instrument]
    is_taker = event.order_id == order.order_id
    return {
        "trade_id": str(event.trade_id),
        "order_id": str(order.order_id),
        "client_order_id": order.client_order_id or None,
        "symbol": instrument.symbol,
        "side": SIDE_NAMES[order.side],
        "liquidity": "auction" if event.phase == Phase.CALL_AUCTION else "taker" if is_taker else "maker",
        "price": instrument.price_text(event.price_ticks),
        "quantity": event.quantity_lots,
        "amount": yuan_text(event.amount_fen),
        "fee": yuan_text(event.fee_fen if is_taker else event.maker_fee_fen),
        "trading_date": date_text(state.trading_date),
        "time": time_text(order.updated_ns),
        "seq": event.seq,
        "busted": False,
    }


def bust_json(account: int, event: Event, state: VenueState) -> dict[str, Any]:
    """What a TRADE_BUSTED event gives back, from the side of one of its two accounts."""
    instrument, is_taker = state.instruments[event.instrument], event.account == account
    return {
        "trade_id": str(event.order_id),
        "symbol": instrument.symbol,
        "side": SIDE_NAMES[event.side if is_taker else 1 - event.side],
        "price": instrument.price_text(event.price_ticks),
        "quantity": event.quantity_lots,
        "amount": yuan_text(event.amount_fen),
        "fee": yuan_text(event.fee_fen if is_taker else event.maker_fee_fen),
        "seq": event.seq,
    }
