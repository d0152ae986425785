"""Readers of dashboards and reports, as a process of their own.

Each reader does what a page and its person do: it follows the tickers of all symbols and the depth of one over a WebSocket,
fetches that depth every second and the year's report every other second, as the page does, and opens one of the other reports
every five seconds.

    python -m load_tests.benchmarks.report_readers URL YEAR READERS KEY...

prints one JSON line when every reader has its first report. When standard input ends, prints how many documents and pushes the
readers got, and ends. The keys are used in turn: a key may have 16 WebSockets.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections import Counter
from collections.abc import Coroutine, Sequence
from itertools import count
from typing import Any

import httpx
from rex_client import RexClient

from services.processes.own_process import stand_back

REPORT_EVERY, OTHER_EVERY = 2, 5
"""FairQueue of a second."""
OTHERS = ("ladder", "splits?by=product", "concentration", "months", "fees", "effects")


class Reader:
    """One reader; adds what it gets to `got`."""

    def __init__(
        self, client: RexClient, http: httpx.AsyncClient, year: int, number: int, of: int, got: Counter[str]
    ) -> None:
        self._client, self._http, self._year, self._number, self._of, self._got = client, http, year, number, of, got
        self.ready = asyncio.Event()

    async def run(self) -> None:
        """Reads until it is canceled."""
        symbols = [instrument["symbol"] for instrument in await self._client.instruments()]
        symbol = symbols[self._number % len(symbols)]
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._hear("ticker", "*"))
            tasks.create_task(self._hear("depth", symbol))
            tasks.create_task(self._look(symbol))

    async def _hear(self, channel: str, symbol: str) -> None:
        async for _ in self._client.subscribe([channel], [symbol]):
            self._got["pushes"] += 1

    async def _look(self, symbol: str) -> None:
        report = f"/v1/reports/turnover/{self._year}"
        await asyncio.sleep(self._number / self._of)  # People do not look at the same millisecond.
        for turn in count(self._number):
            await self._client.depth(symbol)
            self._got["documents"] += 1
            if turn % REPORT_EVERY == 0 or not self.ready.is_set():
                await self._get(report)
                self.ready.set()
            if turn % OTHER_EVERY == 0:
                await self._get(f"{report}/{OTHERS[turn // OTHER_EVERY % len(OTHERS)]}")
            await asyncio.sleep(1)

    async def _get(self, path: str) -> None:
        answer = await self._http.get(path)
        answer.raise_for_status()
        self._got["documents"] += 1


async def read(url: str, year: int, readers: int, keys: list[str]) -> None:
    """Runs the readers until standard input ends."""
    got: Counter[str] = Counter()
    people = []
    for number in range(readers):
        key = keys[number % len(keys)]
        http = httpx.AsyncClient(base_url=url, headers={"authorization": f"Bearer {key}"}, timeout=30)
        people.append(Reader(RexClient(url, key), http, year, number, readers, got))
    await until_told([reader.run() for reader in people], [reader.ready for reader in people], got)


async def until_told(
    works: Sequence[Coroutine[Any, Any, None]], ready: Sequence[asyncio.Event], got: Counter[str]
) -> None:
    """Runs the works, prints a line when all are ready, ends them with standard input, and prints what they got in between."""
    async with asyncio.TaskGroup() as tasks:
        running = [tasks.create_task(work) for work in works]
        await asyncio.gather(*(one.wait() for one in ready))
        got.clear()
        print(json.dumps({"ready": len(ready)}), flush=True)
        await asyncio.to_thread(sys.stdin.read)
        for task in running:
            task.cancel()
    print(json.dumps(got), flush=True)


if __name__ == "__main__":
    stand_back()
    asyncio.run(read(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4:]))
