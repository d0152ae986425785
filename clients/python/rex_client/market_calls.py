"""The routes of market data and of the venue as methods."""

from __future__ import annotations

from datetime import date as Date
from typing import Literal
from urllib.parse import quote

from rex_client.calls import Calls, Json, Time

FIRST_TIME = "1970-01-01T00:00:00Z"


class MarketCalls(Calls):
    """What everybody may read, over REST. `start` (from then on) and `end` (before it) are aware datetimes or RFC 3339."""

    # ------------------------------------------------------------------ the venue

    async def venue(self) -> Json:
        """Name, seq, incarnation, trading date, schedule."""
        return await self._object("GET", "/v1/venue")

    async def time(self) -> Json:
        """The venue's clock and last seq: `time` and `seq`."""
        return await self._object("GET", "/v1/time")

    async def calendar(self, year: int | None = None) -> Json:
        """A year's trading days, by default the present one's, and the timetable of the present day."""
        return await self._object("GET", "/v1/calendar", query={"year": year})

    async def instruments(self) -> list[Json]:
        """Every listed instrument, with the price band of the trading day."""
        return await self._list("/v1/instruments")

    async def fees(self) -> Json:
        """The fee rates of the key's account class, as fractions of a trade's value."""
        return await self._object("GET", "/v1/fees")

    # ------------------------------------------------------------------ now

    async def depth(self, symbol: str, levels: int = 20) -> Json:
        """Both sides of the book, best price first."""
        return await self._object("GET", _market(symbol, "depth"), query={"levels": levels})

    async def ticker(self, symbol: str) -> Json:
        """The statistics of the trading day."""
        return await self._object("GET", _market(symbol, "ticker"))

    async def tickers(self) -> list[Json]:
        """The statistics of the trading day, of every instrument."""
        return await self._list("/v1/market/tickers")

    async def auction(self, symbol: str) -> Json:
        """What a call auction would trade now."""
        return await self._object("GET", _market(symbol, "auction"))

    async def trades(self, symbol: str, limit: int = 50) -> list[Json]:
        """Today's last trades, newest first."""
        return await self._list(_market(symbol, "trades"), query={"limit": limit})

    # ------------------------------------------------------------------ the past

    async def past_trades(
        self,
        symbol: str,
        *,
        date: Date | None = None,
        start: Time | None = None,
        end: Time | None = None,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> Json:
        """One page of trades of any day, newest first: `trades` and `next_cursor`. `date` is a trading day."""
        if date is None and start is None and end is None and cursor is None:
            start = FIRST_TIME  # The route answers with a page only where a condition is given.
        query = {"date": date, "start": start, "end": end, "cursor": cursor, "limit": limit}
        return await self._object("GET", _market(symbol, "trades"), query=query)

    async def trade(self, trade_id: str) -> Json:
        """One trade of any day."""
        return await self._object("GET", f"/v1/market/trades/{quote(trade_id, safe='')}")

    async def candles(
        self,
        symbol: str,
        interval: Literal["1m", "5m", "15m", "1h", "1d"] = "1m",
        *,
        start: Time | None = None,
        end: Time | None = None,
        limit: int | None = None,
        gaps: Literal["skip", "flat"] | None = None,
        cursor: str | None = None,
    ) -> Json:
        """One page of candles, oldest first: `candles` and `next_cursor`.

        With `start` the first from then on, and the cursor leads to later ones; without it the last ones, and the cursor leads
        to earlier ones. `gaps="flat"` makes a candle of an interval without a trade, too.
        """
        query = {"interval": interval, "start": start, "end": end, "limit": limit, "gaps": gaps, "cursor": cursor}
        return await self._object("GET", _market(symbol, "candles"), query=query)


def _market(symbol: str, what: str) -> str:
    return f"/v1/market/{quote(symbol, safe='')}/{what}"
