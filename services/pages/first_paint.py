"""What the first paint of the pages shows: answers of the public API.

Each is asked for at most once in FRESH_S (or what SLOWLY says), and only when a page is asked for.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from decimal import Decimal
from functools import partial
from typing import Any, Final

import structlog
from rex_client import OutcomeUnknown, RexClient, RexError

from services.pages.kept import FRESH_S, Kept

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


log = structlog.get_logger("rex.pages")

SLOWLY: Mapping[str, float] = {"intraday": 60.0, "closes": 300.0, "last_day": 60.0}
"""An answer that is made of many, or seldom changes, in seconds: the page's script knows what came since."""
PATIENCE_S = 2.0
"""How long a page waits for an answer; without it the page comes with a gap, which its script fills."""

Read = Callable[[RexClient], Awaitable[Any]]


async def _report(client: RexClient) -> Any:
    venue = await client.venue()
    return await client.turnover(int(venue["trading_date"][:4]))


async def _months(client: RexClient) -> Any:
    venue = await client.venue()
    return await client.months(int(venue["trading_date"][:4]))


async def _last_day(client: RexClient) -> Any:
    venue = await client.venue()
    return await client.last_day(int(venue["trading_date"][:4]))


READS: Mapping[str, Read] = {
    "venue": lambda client: client.venue(),
    "instruments": lambda client: client.instruments(),
    "tickers": lambda client: client.tickers(),
    "report": _report,
    "months": _months,
    "last_day": _last_day,
    "intraday": intraday,
    "closes": closes,
}


class FirstPaint:
    """The answers."""

    def __init__(self, url: Callable[[], str], read_key: str | None) -> None:
        """`url` returns the venue's address, which is known once the server listens. Without a key there are no answers."""
        self._url = url
        self._key = read_key
        self._answers: Kept[str, Any] = Kept(len(READS), _fresh_s)
        self._last: dict[str, Any] = {}

    async def read(self, names: Sequence[str]) -> dict[str, Any]:
        """The answers of READS by name. Of one that did not come in PATIENCE_S the last one; None where there was none."""
        return dict(zip(names, await asyncio.gather(*map(self._read, names)), strict=True))

    async def _read(self, name: str) -> Any:
        if self._key is None:
            return None
        answer = self._answers.task(name, partial(self._ask, name, self._key))
        try:
            return await asyncio.wait_for(asyncio.shield(answer), PATIENCE_S)
        except TimeoutError:
            return self._last.get(name)

    async def _ask(self, name: str, key: str) -> Any:
        async with RexClient(self._url(), key) as client:
            try:
                self._last[name] = answer = await READS[name](client)
                return answer
            except (RexError, OutcomeUnknown, ConnectionError):
                return None
            except Exception:  # A page comes with a gap; a failure that is kept would be one of every page.
                log.exception("the first paint could not be read", name=name)
                return None

    async def close(self) -> None:
        """Ends what is under way."""
        await self._answers.close()


def _fresh_s(name: str, answer: asyncio.Task[Any]) -> float:
    return SLOWLY.get(name, FRESH_S) if answer.result() else FRESH_S
