"""Market data by ccxt's names."""

from __future__ import annotations

from collections import deque
from contextlib import aclosing
from functools import partial
from typing import Any, Literal, cast

from rex_client.ccxt import market_structures as structures
from rex_client.ccxt.errors import BadRequest, ccxt_errors
from rex_client.ccxt.markets import Markets
from rex_client.ccxt.pages import DEFAULT_LIMIT, Span, rows
from rex_client.ccxt.params import Json, Params, known
from rex_client.ccxt.times import milliseconds

Interval = Literal["1m", "5m", "15m", "1h", "1d"]

CANDLES_A_PAGE = 1_000
TRADES_A_PAGE = 200
BOOK_LEVELS = 100


class PublicMethods(Markets):
    """What everybody may read."""

    timeframes = {"1m": "1m", "5m": "5m", "15m": "15m", "1h": "1h", "1d": "1d"}  # noqa: RUF012  ccxt's shape

    async def fetch_time(self, params: Params | None = None) -> int:
        """The venue's clock, in milliseconds."""
        known(params)
        with ccxt_errors():
            return milliseconds((await self.client.time())["time"])

    async def fetch_status(self, params: Params | None = None) -> Json:
        """`ok`, or `maintenance` while the venue's kill switch refuses new orders."""
        known(params)
        with ccxt_errors():
            told = await self.client.venue()
        status = "maintenance" if told["kill_switch"] else "ok"
        return {"status": status, "updated": None, "eta": None, "url": None, "info": told}

    async def fetch_ticker(self, symbol: str, params: Params | None = None) -> Json:
        """The statistics of the trading day."""
        known(params)
        market = await self._market(symbol)
        with ccxt_errors():
            return structures.ticker(market, await self.client.ticker(market.id))

    async def fetch_tickers(self, symbols: list[str] | None = None, params: Params | None = None) -> dict[str, Json]:
        """The statistics of the trading day by symbol, of all markets or of these."""
        known(params)
        await self.load_markets()
        wanted = {(await self._market(symbol)).id for symbol in (self.symbols if symbols is None else symbols)}
        with ccxt_errors():
            told = [each for each in await self.client.tickers() if each["symbol"] in wanted]
        tickers = [structures.ticker(self._market_of_id(each["symbol"]), each) for each in told]
        return {ticker["symbol"]: ticker for ticker in tickers}

    async def fetch_order_book(self, symbol: str, limit: int | None = None, params: Params | None = None) -> Json:
        """The best levels of both sides: 100, or `limit` of 1 to 500."""
        known(params)
        market = await self._market(symbol)
        with ccxt_errors():
            told = await self.client.depth(market.id, BOOK_LEVELS if limit is None else limit)
        bids, asks = ([(level["price"], level["quantity"]) for level in told[side]] for side in ("bids", "asks"))
        return structures.order_book(market, bids, asks, told["seq"], told)

    async def fetch_trades(
        self, symbol: str, since: int | None = None, limit: int | None = None, params: Params | None = None
    ) -> list[Json]:
        """Trades, oldest first, without those that were busted: the last 100 or `limit`, or the first ones since then.

        The venue tells trades newest first, so with `since` every page from now to then is read; `until` shortens that.
        """
        market, span = await self._market(symbol), Span(since, limit, params)
        wanted = limit or DEFAULT_LIMIT
        page_of = partial(self.client.past_trades, market.id, start=span.start, end=span.end, limit=TRADES_A_PAGE)
        kept: deque[Json] = deque(maxlen=wanted)  # Newest first: what is read later pushes out what is newer.
        async with aclosing(rows(page_of, "trades")) as every_trade:
            async for told in every_trade:
                if not told["busted"]:
                    kept.append(structures.public_trade(market, told))
                if since is None and len(kept) == wanted:
                    break
        return list(reversed(kept))

    async def fetch_ohlcv(
        self,
        symbol: str,
        timeframe: str = "1m",
        since: int | None = None,
        limit: int | None = None,
        params: Params | None = None,
    ) -> list[list[Any]]:
        """Candles, oldest first: the last 100 or `limit`, or the first ones since then.

        `params`: `until`, and `gaps="flat"` for intervals without a trade, which are left out otherwise.
        """
        if timeframe not in self.timeframes:
            raise BadRequest(f"timeframe: {timeframe} is none of {', '.join(self.timeframes)}")
        market, span, wanted = await self._market(symbol), Span(since, limit, params, "gaps"), limit or DEFAULT_LIMIT
        candles: list[Json] = []
        cursor = None
        while True:
            with ccxt_errors():
                page = await self.client.candles(
                    market.id,
                    cast(Interval, timeframe),
                    start=span.start,
                    end=span.end,
                    limit=min(wanted, CANDLES_A_PAGE),
                    gaps=span.params.get("gaps"),
                    cursor=cursor,
                )
            candles = page["candles"] + candles if since is None else candles + page["candles"]
            cursor = page["next_cursor"]
            if cursor is None or len(candles) >= wanted:
                break
        kept = candles[-wanted:] if since is None else candles[:wanted]
        return [structures.ohlcv(market, candle) for candle in kept]
