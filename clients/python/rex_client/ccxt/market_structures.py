"""Market data in ccxt's structures. Amounts are in the market's unit, not in lots."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from rex_client.ccxt.market import Market
from rex_client.ccxt.times import milliseconds, stamp

Json = dict[str, Any]

PERCENT_STEP = Decimal("0.0001")
AVERAGE_STEP = Decimal("0.000001")
UNKNOWN_IN_TICKER = ("bidVolume", "askVolume", "previousClose", "indexPrice", "markPrice")


def decimal(text: str | None) -> Decimal | None:
    """A number of the venue; None stays None."""
    return None if text is None else Decimal(text)


def ticker(market: Market, told: Json) -> Json:
    """A ticker structure. It is of the trading day, which begins at 17:00 in Shanghai, not of the last 24 hours."""
    last, opened, amount = decimal(told["last"]), decimal(told["open"]), market.amount(told["volume"])
    change = average = percentage = vwap = None
    if last is not None and opened is not None:
        change, average = last - opened, (last + opened) / 2
        percentage = (change / opened * 100).quantize(PERCENT_STEP, ROUND_HALF_UP)
    if amount:
        vwap = (Decimal(told["turnover"]) / amount).quantize(AVERAGE_STEP, ROUND_HALF_UP)
    return {
        "symbol": market.symbol,
        **stamp(None),
        "high": decimal(told["high"]),
        "low": decimal(told["low"]),
        "bid": decimal(told["best_bid"]),
        "ask": decimal(told["best_ask"]),
        "open": opened,
        "last": last,
        "close": last,
        "change": change,
        "percentage": percentage,
        "average": average,
        "vwap": vwap,
        "baseVolume": amount,
        "quoteVolume": Decimal(told["turnover"]),
        **dict.fromkeys(UNKNOWN_IN_TICKER),
        "info": told,
    }


def order_book(
    market: Market,
    bids: Iterable[tuple[str, int]],
    asks: Iterable[tuple[str, int]],
    seq: int,
    info: Any,
) -> Json:
    """An order book structure of (price, lots) levels, best first; `nonce` is the venue's seq."""

    def levels(side: Iterable[tuple[str, int]]) -> list[list[Decimal]]:
        return [[Decimal(price), market.amount(lots)] for price, lots in side]

    return {
        "symbol": market.symbol,
        "bids": levels(bids),
        "asks": levels(asks),
        **stamp(None),
        "nonce": seq,
        "info": info,
    }


def public_trade(market: Market, told: Json) -> Json:
    """A trade structure. A trade of an auction has no taker, so its side is None."""
    return {
        **_trade(market, told),
        "order": None,
        "side": told["taker_side"],
        "takerOrMaker": None,
        "fee": None,
        "fees": [],
    }


def own_trade(market: Market, told: Mapping[str, Any]) -> Json:
    """A trade structure of a fill. In an auction nobody takes; such a fill pays the maker's rate, and says maker."""
    liquidity = told.get("liquidity")
    fee = {"currency": market.structure["quote"], "cost": Decimal(told["fee"])}
    return {
        **_trade(market, told),
        "order": told.get("order_id"),
        "side": told["side"],
        "takerOrMaker": "maker" if liquidity == "auction" else liquidity,
        "fee": fee,
        "fees": [fee],
    }


def _trade(market: Market, told: Mapping[str, Any]) -> Json:
    return {
        "info": told,
        "id": told["trade_id"],
        **stamp(told.get("time")),
        "symbol": market.symbol,
        "type": None,
        "price": Decimal(told["price"]),
        "amount": market.amount(told["quantity"]),
        "cost": Decimal(told["amount"]),
    }


def ohlcv(market: Market, candle: Json) -> list[Any]:
    """Start in milliseconds, open, high, low, close, volume."""
    prices = [Decimal(candle[name]) for name in ("open", "high", "low", "close")]
    return [milliseconds(candle["start"]), *prices, market.amount(candle["quantity"])]
