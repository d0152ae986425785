"""All kinds of load at once, for a given time: the process may not grow.

    python -m tests.faults.soak --seconds 1800 --seed 1

The load on a new `rex serve`: two members place and cancel orders; subscribers connect, read for a while and leave; clients
that never read stay until others replace them; pages are opened. Every second the process's memory, descriptors and sockets
are read; a table of ten samples is printed to standard error. The promises: after the warm-up (a fifth of the time) memory
grows by at most BYTES_AN_ORDER for each order placed, which the venue must keep; when all clients have left, the process has as
many sockets as before they came; no order failed.

In a run of less than five minutes only the sockets are checked: memory has not settled by then.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from statistics import linear_regression
from tempfile import TemporaryDirectory
from time import monotonic
from typing import NamedTuple

from services.client import RexClient, RexError
from tests.e2e.process import ServedVenue, serve
from tests.faults.deaf_client import DeafClient
from tests.faults.process_figures import Figures, figures
from tests.faults.rig import Advance, Report, Rig, main
from tests.faults.traders import Trader, open_traders
from tests.patience import AsyncHttpClient

BYTES_AN_ORDER = 4_096
JUDGED_FROM_S = 300
WARM_UP = 0.2
DEAF = 10
PACE_S = 0.02
"""The time between two orders of a member."""
LEAVING_S = 30.0


class Sample(NamedTuple):
    """The figures of one second."""

    at_s: float
    orders: int
    found: Figures


class Soak:
    """The load, and the samples of the process."""

    def __init__(self, venue: ServedVenue, traders: Sequence[Trader], random: Random, report: Report) -> None:
        self._venue, self._traders, self._random, self._report = venue, traders, random, report
        self.samples: list[Sample] = []
        self.orders = 0

    async def run(self, seconds: int, advance: Advance) -> None:
        """Runs the whole load for this many seconds, and until each kind of it was there."""
        tasks = [asyncio.create_task(self._trade(trader)) for trader in self._traders]
        tasks += [asyncio.create_task(work()) for work in (self._subscribe, self._stay_deaf, self._open_pages)]
        began = monotonic()
        second = 0
        while second < seconds or not (self.orders and all(self._report.counts.values())):
            second += 1
            await asyncio.sleep(max(0.0, began + second - monotonic()))
            self.samples.append(Sample(monotonic() - began, self.orders, figures(self._venue.process.pid)))
            if second <= seconds:
                advance()
            for task in tasks:
                if task.done():
                    task.result()
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)

    async def _trade(self, trader: Trader) -> None:
        async with RexClient(self._venue.url, trader.key) as client:
            await client.connect()
            while True:
                order = await client.place_order(trader.next_order())
                self.orders += 1
                if order["leaves_qty"] and self._random.random() < 0.5:
                    await self._cancel(client, order["order_id"])
                await asyncio.sleep(PACE_S)

    async def _cancel(self, client: RexClient, order_id: str) -> None:
        try:
            await client.cancel_order(order_id=order_id)
            self._report.add("cancels")
        except RexError as problem:
            if problem.code != "order_not_open":
                raise
            self._report.add("cancels_too_late")

    async def _subscribe(self) -> None:
        while True:
            trader = self._random.choice(self._traders)
            async with RexClient(self._venue.url, trader.key) as client:
                pushes = client.subscribe(["depth", "trades", "ticker", "orders"], ["*"])
                for _ in range(self._random.randint(1, 200)):
                    await anext(pushes)
                self._report.add("subscribers")

    async def _stay_deaf(self) -> None:
        async with _closing_all() as deaf:
            while True:
                client = await asyncio.to_thread(DeafClient, self._venue.url, self._random.choice(self._traders).key)
                deaf.append(client)
                self._report.add("deaf_clients")
                if len(deaf) > DEAF:
                    deaf.pop(0).close()
                await asyncio.sleep(0.5)

    async def _open_pages(self) -> None:
        async with AsyncHttpClient(base_url=self._venue.url) as client:
            while True:
                page = await client.get("/ui/")
                if page.status_code == 503 and page.json()["code"] == "too_many_pages":
                    self._report.add("pages_refused")
                else:
                    page.raise_for_status()
                    self._report.add("pages")
                await asyncio.sleep(0.25)


@asynccontextmanager
async def _closing_all() -> AsyncIterator[list[DeafClient]]:
    clients: list[DeafClient] = []
    try:
        yield clients
    finally:
        for client in clients:
            client.close()


def run(seconds: int, seed: int, advance: Advance) -> Report:
    """Runs the soak for `seconds`."""
    report = Report("soak", {"subscribers": 0, "deaf_clients": 0, "pages": 0, "cancels": 0})
    with TemporaryDirectory() as work, serve(Path(work) / "rex-data") as venue:
        asyncio.run(_soak(venue, seconds, Random(seed), report, advance))
    return report


async def _soak(venue: ServedVenue, seconds: int, random: Random, report: Report, advance: Advance) -> None:
    traders = await open_traders(venue)
    before = figures(venue.process.pid)
    soak = Soak(venue, traders, random, report)
    await soak.run(seconds, advance)
    after = await _when_all_have_left(venue.process.pid, before.sockets)
    report.counts |= {"orders": soak.orders, "sockets_before": before.sockets, "sockets_after": after.sockets}
    report.counts |= {"descriptors_most": max(sample.found.descriptors for sample in soak.samples)}
    if after.sockets > before.sockets:
        report.broken.append(f"{after.sockets} sockets are open where there were {before.sockets}")
    _judge_memory(soak.samples, before, after, report)
    sys.stderr.write(_table(soak.samples))


async def _when_all_have_left(pid: int, sockets: int) -> Figures:
    """The figures once the process has closed its clients' sockets, or after LEAVING_S."""
    until = monotonic() + LEAVING_S
    while True:
        found = figures(pid)
        if found.sockets <= sockets or monotonic() > until:
            return found
        await asyncio.sleep(0.1)


def _judge_memory(samples: Sequence[Sample], before: Figures, after: Figures, report: Report) -> None:
    steady = samples[int(len(samples) * WARM_UP) :]
    report.counts |= {"rss_mb_before": before.rss_mb, "rss_mb_steady": steady[0].found.rss_mb}
    report.counts |= {"rss_mb_most": max(sample.found.rss_mb for sample in samples), "rss_mb_after": after.rss_mb}
    if samples[-1].at_s < JUDGED_FROM_S:
        return
    a_second = linear_regression([s.at_s for s in steady], [s.found.rss_bytes for s in steady]).slope
    an_order = linear_regression([s.orders for s in steady], [s.found.rss_bytes for s in steady]).slope
    report.counts |= {"rss_mb_an_hour": round(a_second * 3_600 / 2**20, 1), "rss_bytes_an_order": round(an_order)}
    if an_order > BYTES_AN_ORDER:
        report.broken.append(f"memory grows by {an_order:,.0f} bytes an order, {BYTES_AN_ORDER:,} are allowed")


def _table(samples: Sequence[Sample]) -> str:
    """A table of ten samples."""
    return "".join(
        f"{at_s:7.0f} s  {orders:9,} orders  {found.rss_mb:5} MB  {found.descriptors:4} descriptors  "
        f"{found.sockets:4} sockets  {found.cpu_s:7.0f} s of processor\n"
        for at_s, orders, found in samples[:: max(1, len(samples) // 10)]
    )


RIG = Rig("soak", run, "seconds", short=60, long=1_800)

if __name__ == "__main__":
    sys.exit(main(RIG, __doc__))
