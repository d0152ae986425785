"""Market data as JSON, for REST and WebSocket alike: the models of `http/market.py` as dicts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from matching_engine.records import Phase
from services.data.trading_hours import PhaseChange
from services.market_data import CHECKSUM_LEVELS, Level, MarketTrade, TickerView, depth_checksum
from services.values.decimals import yuan_text
from services.values.times import date_text, time_text
from services.venue_state.instruments import PHASE_NAMES, VenueInstrument
from services.venue_state.orders import SIDE_NAMES


def level_json(instrument: VenueInstrument, level: Level) -> dict[str, Any]:
    """`DepthLevel`."""
    return {
        "price": instrument.price_text(level.price_ticks),
        "quantity": level.quantity_lots,
        "orders": level.orders,
    }


def depth_json(instrument: VenueInstrument, bids: list[Level], asks: list[Level], seq: int) -> dict[str, Any]:
    """`Depth`: both sides, best price first. The checksum covers the levels sent, at most the top ten of each side."""
    bid_levels = [level_json(instrument, level) for level in bids]
    ask_levels = [level_json(instrument, level) for level in asks]
    return {
        "symbol": instrument.symbol,
        "seq": seq,
        "bids": bid_levels,
        "asks": ask_levels,
        "checksum": depth_checksum(_top(bid_levels), _top(ask_levels)),
    }


def _top(levels: list[dict[str, Any]]) -> list[tuple[str, int]]:
    return [(level["price"], level["quantity"]) for level in levels[:CHECKSUM_LEVELS]]


def trade_json(instrument: VenueInstrument, trade: MarketTrade) -> dict[str, Any]:
    """`PublicTrade`."""
    return {
        "trade_id": str(trade.trade_id),
        "symbol": instrument.symbol,
        "price": instrument.price_text(trade.price_ticks),
        "quantity": trade.quantity_lots,
        "amount": yuan_text(trade.amount_fen),
        "taker_side": None if trade.is_auction else SIDE_NAMES[trade.taker_side],
        "time": time_text(trade.time_ns),
        "seq": trade.seq,
        "auction": trade.is_auction,
        "busted": trade.is_busted,
    }


def past_trade(row: Mapping[Any, Any], *, is_busted: bool) -> MarketTrade:
    """The trade of a row of the read database."""
    return MarketTrade(
        trade_id=row["trade_id"],
        price_ticks=row["price_ticks"],
        quantity_lots=row["quantity_lots"],
        amount_fen=row["amount_fen"],
        taker_side=row["taker_side"],
        time_ns=row["time_ns"],
        seq=row["seq"],
        is_auction=row["phase"] == Phase.CALL_AUCTION,
        is_busted=is_busted,
    )


def ticker_json(instrument: VenueInstrument, view: TickerView) -> dict[str, Any]:
    """`Ticker`."""

    def price(price_ticks: int | None) -> str | None:
        return None if price_ticks is None else instrument.price_text(price_ticks)

    indicative = view.indicative
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
        "indicative_price": price(indicative.price_ticks) if indicative else None,
        "indicative_volume": indicative.quantity_lots if indicative else None,
        "indicative_imbalance": indicative.imbalance_lots if indicative else None,
        "auction_ends_at": time_text(view.auction_ends_ns) if view.auction_ends_ns else None,
    }


AUCTION_FIELDS = ("phase", "indicative_price", "indicative_volume", "indicative_imbalance", "auction_ends_at")


def auction_json(instrument: VenueInstrument, view: TickerView) -> dict[str, Any]:
    """`AuctionIndication`: what the ticker says of the auction."""
    ticker = ticker_json(instrument, view)
    return {"symbol": instrument.symbol, "seq": view.seq, **{name: ticker[name] for name in AUCTION_FIELDS}}


def change_json(change: PhaseChange) -> dict[str, Any]:
    """`ScheduledChange`."""
    return {
        "time": time_text(change.time_ns),
        "phase": PHASE_NAMES[change.phase],
        "trading_date": change.trading_date.isoformat(),
    }
