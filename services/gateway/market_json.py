"""Market data as JSON: `schemas.Depth`, `PublicTrade` and `Ticker` as dicts, for REST and WebSocket alike."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from services.gateway.execution_report import date_text, time_text
from services.gateway.instruments import PHASE_NAMES, Instrument, yuan_text
from services.gateway.venue_orders import SIDE_NAMES
from services.market_data import CHECKSUM_LEVELS, Level, Market, MarketTrade, depth_checksum


def checksum(instrument: Instrument, market: Market) -> int:
    """CRC-32 over the top ten levels of each side, as `services.market_data.checksum` defines it."""
    price_text = instrument.price_text
    bids, asks = market.depth(instrument.number, CHECKSUM_LEVELS)
    return depth_checksum(
        [(price_text(level.price_ticks), level.quantity_lots) for level in bids],
        [(price_text(level.price_ticks), level.quantity_lots) for level in asks],
    )


def levels_json(instrument: Instrument, levels: Iterable[Level]) -> list[dict[str, Any]]:
    """`schemas.DepthLevel`s."""
    price_text = instrument.price_text
    return [{"price": price_text(price), "quantity": quantity, "orders": orders} for price, quantity, orders in levels]


def depth_json(instrument: Instrument, market: Market, levels: int | None = None) -> dict[str, Any]:
    """`schemas.Depth` as of the market's last command; at most `levels` of each side."""
    bids, asks = market.depth(instrument.number, levels)
    return {
        "symbol": instrument.symbol,
        "seq": market.seq,
        "bids": levels_json(instrument, bids),
        "asks": levels_json(instrument, asks),
        "checksum": checksum(instrument, market),
    }


def trade_json(instrument: Instrument, trade: MarketTrade) -> dict[str, Any]:
    """`schemas.PublicTrade`."""
    return {
        "trade_id": str(trade.trade_id),
        "symbol": instrument.symbol,
        "price": instrument.price_text(trade.price_ticks),
        "quantity": trade.quantity_lots,
        "amount": yuan_text(trade.amount_fen),
        "taker_side": SIDE_NAMES[trade.taker_side],
        "time": time_text(trade.time_ns),
        "seq": trade.seq,
    }


def ticker_json(instrument: Instrument, market: Market) -> dict[str, Any]:
    """`schemas.Ticker`; its `seq` is of the command that last changed it."""
    view = market.ticker(instrument.number)

    def price(price_ticks: int | None) -> str | None:
        return None if price_ticks is None else instrument.price_text(price_ticks)

    return {
        "symbol": instrument.symbol,
        "seq": view.seq,
        "trading_date": date_text(view.trading_date),
        "last": price(view.last_ticks),
        "open": price(view.open_ticks),
        "high": price(view.high_ticks),
        "low": price(view.low_ticks),
        "best_bid": price(view.best_bid_ticks),
        "best_ask": price(view.best_ask_ticks),
        "volume": view.volume_lots,
        "turnover": yuan_text(view.turnover_fen),
        "trades": view.trades,
        "reference_price": price(view.reference_ticks),
        "lower_limit": price(view.lower_limit_ticks),
        "upper_limit": price(view.upper_limit_ticks),
        "phase": PHASE_NAMES[view.phase],
    }
