"""Today's turnover by five minutes, added up from the candles of every instrument: the beginning of the overview's chart of
today."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from decimal import Decimal
from typing import Any, Final

from rex_client import RexClient

INTERVAL: Final = "5m"
AT_ONCE = 8
"""So many requests are under way: the page's own reading must not crowd out others."""


async def intraday(client: RexClient) -> dict[str, Any]:
    """The trading day's amounts by five minutes, ascending: `{"trading_date": …, "amounts": [[start, yuan], …]}`.

    Five minutes that are not over in every answer are left out: their amount is that of no moment. Candles leave out busted
    trades; those that a decision excludes are in them.
    """
    tickers = await client.tickers()
    traded = [ticker["symbol"] for ticker in tickers if ticker["trades"]]
    date = tickers[0]["trading_date"] if tickers else ""
    begin = await _begin(client, traded[0], date) if traded else None
    sums: dict[str, Decimal] = defaultdict(Decimal)
    running: set[str] = set()
    if begin is not None:
        door = asyncio.Semaphore(AT_ONCE)
        for candles in await asyncio.gather(*[_candles(client, symbol, begin, door) for symbol in traded]):
            running.update(candle["start"] for candle in candles if not candle["closed"])
            for candle in candles:
                sums[candle["start"]] += Decimal(candle["amount"])
    amounts = [[start, f"{sums[start]:.2f}"] for start in sorted(sums.keys() - running)]
    return {"trading_date": date, "begin": begin, "amounts": amounts}


async def _begin(client: RexClient, symbol: str, date: str) -> str | None:
    """When the trading day began, as its own candle says."""
    found = (await client.candles(symbol, "1d", limit=1))["candles"]
    return str(found[-1]["start"]) if found and found[-1]["trading_date"] == date else None


async def _candles(client: RexClient, symbol: str, begin: str, door: asyncio.Semaphore) -> list[Any]:
    async with door:
        found = await client.candles(symbol, INTERVAL, start=begin, limit=1000)
    return list(found["candles"])
