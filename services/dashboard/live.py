"""What all pages of a process read: one connection to the venue's public API, kept current, shared by every page.

Tickers and trades are pushed. Depth is fetched once a second for the symbols that pages look at, the year's report every few
seconds. A page never waits for the venue: it shows what is here, and `problem` says when that may be old.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import Callable
from itertools import count
from typing import Any

from services.client import RexClient
from services.dashboard.connection import keep_connected

Json = dict[str, Any]

TAPE_TRADES = 60
"""How many trades of the whole market the tape keeps."""

BUSTS = 20
"""How many of the trades that were taken back are kept."""

SYMBOL_TRADES = 40
"""How many trades of a watched instrument a page gets."""

_LOOK_SECONDS = 1.0
_REPORT_LOOKS = 2
_LISTING_LOOKS = 30
"""Every how many looks the report and the list of instruments are fetched."""

_PATIENCE_SECONDS = 2.0
"""How long a page that is opened during the start waits for the list of instruments; NiceGUI gives a page 3 s."""

_WATCHED_SECONDS = 5.0
"""How long a symbol is fetched for after a page last asked for it."""


class LiveFeed:
    """The venue as the pages know it."""

    def __init__(self, url: Callable[[], str], read_key: str) -> None:
        self._url = url
        self._read_key = read_key
        self._watched: dict[str, float] = {}
        self._newly_watched = asyncio.Event()
        self._listed = asyncio.Event()
        self.problem: str | None = "not connected yet"
        """Why what is here may be old, in words; None while all is well."""
        self.venue: Json | None = None
        self.instruments: dict[str, Json] = {}
        self.tickers: dict[str, Json] = {}
        self.tape: list[Json] = []
        """Trades of all instruments, newest first."""
        self.busts: list[Json] = []
        """Trades that operators took back, those of the tape and some before them."""
        self.report: Json | None = None
        self.depths: dict[str, Json] = {}
        self.trades: dict[str, list[Json]] = {}
        """The last trades of each watched instrument, newest first."""

    async def run(self) -> None:
        """Follows the venue until it is canceled; a lost connection is made anew."""
        await keep_connected(lambda: RexClient(self._url(), self._read_key), self._follow, self._say)

    async def instrument(self, symbol: str) -> Json | None:
        """An instrument by its symbol; None where none is listed so, or the venue has not answered for a while."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_PATIENCE_SECONDS):
                await self._listed.wait()
        return self.instruments.get(symbol)

    def watch(self, symbol: str) -> None:
        """A page looks at this instrument now: its depth and trades are kept for a few seconds more."""
        if symbol not in self._watched:
            self._newly_watched.set()
        self._watched[symbol] = time.monotonic()

    def phases(self) -> Counter[str]:
        """How many instruments are in each phase."""
        return Counter(ticker["phase"] for ticker in self.tickers.values())

    def calendar_assumed(self) -> bool:
        """Whether the year has no calendar, so that every figure about its days is an assumption."""
        return self.report is not None and self.report["calendar"] == "assumed"

    def _say(self, problem: str) -> None:
        self.problem = problem

    async def _follow(self, client: RexClient) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._hear(client))
            tasks.create_task(self._look(client))

    async def _hear(self, client: RexClient) -> None:
        async for push in client.subscribe(["ticker", "trades"], ["*"]):
            if push["channel"] == "ticker":
                self.tickers[push["symbol"]] = push["data"]
            else:
                # A snapshot may repeat trades, and each instrument has its own: one order for all is that of the ids.
                known = {trade["trade_id"]: trade for trade in [*self.tape, *push["data"]["trades"]]}
                for trade_id in known.keys() & set(push["data"]["busted"]):
                    known[trade_id] |= {"busted": True}
                newest = sorted(known.values(), key=lambda trade: -int(trade["trade_id"]))
                self.tape = newest[:TAPE_TRADES]
                busts = {trade["trade_id"]: trade for trade in [*newest, *self.busts] if trade["busted"]}
                self.busts = list(busts.values())[:BUSTS]

    async def _look(self, client: RexClient) -> None:
        for look in count():
            if look % _LISTING_LOOKS == 0:
                self.instruments = {instrument["symbol"]: instrument for instrument in await client.instruments()}
                self._listed.set()
            self.venue = await client.venue()
            if look % _REPORT_LOOKS == 0:
                self.report = await client.turnover(int(self.venue["trading_date"][:4]))
            for symbol, since in list(self._watched.items()):
                if time.monotonic() - since > _WATCHED_SECONDS:
                    # The next page to look shows nothing until it is told: not what the last one saw.
                    del self._watched[symbol]
                    self.depths.pop(symbol, None)
                    self.trades.pop(symbol, None)
                else:
                    self.depths[symbol] = await client.depth(symbol)
                    self.trades[symbol] = await client.trades(symbol, limit=SYMBOL_TRADES)
            self.problem = None
            self._newly_watched.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_LOOK_SECONDS):
                    await self._newly_watched.wait()
