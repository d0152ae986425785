"""The market data of all pages: one connection to the venue's public API, shared by every page of the process.

The venue pushes tickers and trades. The depth of symbols that pages watch is fetched once a second, the year's report about
every two seconds. A page never waits for the venue: it shows the data held here, and `problem` says why it may be outdated.
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
from services.dashboard.terms import phase_name

Json = dict[str, Any]

TAPE_TRADES = 60
"""The number of trades, of all instruments together, that the tape keeps."""

BUSTS = 20
"""The number of busted trades that are kept."""

SYMBOL_TRADES = 40
"""The number of trades fetched for a watched instrument."""

_LOOK_SECONDS = 1.0
_REPORT_LOOKS = 2
_LISTING_LOOKS = 30
"""The report and the list of instruments are fetched in every 2nd and every 30th round of `_look`."""

_PATIENCE_SECONDS = 2.0
"""How long a page that is opened during the start waits for the list of instruments; NiceGUI's limit for a page is 3 s."""

_WATCHED_SECONDS = 5.0
"""How long a symbol's depth and trades are still fetched after a page last watched it."""


class LiveFeed:
    """The venue's public data, kept current for the pages."""

    def __init__(self, url: Callable[[], str], read_key: str) -> None:
        self._url = url
        self._read_key = read_key
        self._watched: dict[str, float] = {}
        self._newly_watched = asyncio.Event()
        self._listed = asyncio.Event()
        self.problem: str | None = "not connected yet"
        """The reason why the data may be outdated; None if it is current."""
        self.venue: Json | None = None
        self.instruments: dict[str, Json] = {}
        self.tickers: dict[str, Json] = {}
        self.tape: list[Json] = []
        """Trades of all instruments, newest first."""
        self.busts: list[Json] = []
        """Busted trades: those of the tape and some older ones."""
        self.report: Json | None = None
        self.depths: dict[str, Json] = {}
        self.trades: dict[str, list[Json]] = {}
        """The last trades of each watched instrument, newest first."""

    async def run(self) -> None:
        """Follows the venue until it is canceled; connects again after a failure."""
        await keep_connected(lambda: RexClient(self._url(), self._read_key), self._follow, self._say)

    async def instrument(self, symbol: str) -> Json | None:
        """An instrument by its symbol; None if none has it, or if the venue has not answered in _PATIENCE_SECONDS."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_PATIENCE_SECONDS):
                await self._listed.wait()
        return self.instruments.get(symbol)

    def watch(self, symbol: str) -> None:
        """Called by a page that shows this instrument: its depth and trades are fetched for _WATCHED_SECONDS more."""
        if symbol not in self._watched:
            self._newly_watched.set()
        self._watched[symbol] = time.monotonic()

    def phases(self) -> Counter[str]:
        """The number of instruments in each phase, by the phase's English name."""
        return Counter(phase_name(ticker) for ticker in self.tickers.values())

    def calendar_assumed(self) -> bool:
        """Whether the year has no trading calendar: then every figure that depends on trading days is an assumption."""
        return self.report is not None and self.report["calendar"] == "assumed"

    def simulated(self) -> bool:
        """Whether the year, or its beginning, was simulated."""
        return self.report is not None and bool(self.report["simulated"])

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
                # A snapshot may repeat trades, and there is one for each instrument: trade ids give the order of all.
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
                    # The next page that watches the symbol shows nothing until new data arrive, not the last page's data.
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
