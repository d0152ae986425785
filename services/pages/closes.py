"""The closing prices of the last trading days, of the products with the largest turnover of the year: the small lines of the
overview."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Any

from rex_client import RexClient

PRODUCTS = 10
DAYS = 30


async def closes(client: RexClient) -> dict[str, list[str]]:
    """By symbol, oldest first; the same days for all: one without a trade has the price before."""
    venue = await client.venue()
    report = await client.turnover(int(venue["trading_date"][:4]))
    largest = sorted(report["products"], key=lambda line: Decimal(line["net"]), reverse=True)[:PRODUCTS]
    symbols = [line["symbol"] for line in largest]
    return dict(zip(symbols, await asyncio.gather(*[_closes(client, symbol) for symbol in symbols]), strict=True))


async def _closes(client: RexClient, symbol: str) -> list[Any]:
    page = await client.candles(symbol, "1d", limit=DAYS, gaps="flat")
    return [candle["close"] for candle in page["candles"]]
