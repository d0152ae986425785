"""What 20 readers of dashboards and reports, and 50 open trade pages, do to the order path: the response times of paced REST
orders, without and with them.

The venue is the embedded one, each order durable before its reply, and has a simulated year behind it, so the reports are full.
Readers and pages run in a process of their own, behind the load in priority: they stand for other machines.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from itertools import count, islice
from pathlib import Path
from statistics import median
from urllib.parse import urlsplit

from rex_client import RexClient

from load_tests.benchmarks.gateway_rates import ACCOUNTS, CASH_FEN, LOTS, Servers
from load_tests.benchmarks.http_load import post
from load_tests.benchmarks.measurement import Effort, Measurement, no_garbage_collection, spent_s
from load_tests.child_process import RunningVenue, beside, venue
from load_tests.replay.accounts import Funding, open_accounts, read_instruments
from load_tests.replay.latency import Latencies
from services.data.calendar import TradingCalendar
from services.venue.simulated_year import YearWish, simulate_year

READERS, PAGES, KEYS = 20, 50, 4
REPORT_READERS, TRADE_PAGES = "load_tests.benchmarks.report_readers", "load_tests.benchmarks.trade_pages"
RATE = 200
"""Orders a second."""
ORDERS = 1_600
"""Of a run: eight seconds."""
CONNECTIONS = 16
YEAR, COMMANDS = 2023, 80_000
"""The simulated year, of about so many commands: what a demo begins with."""
TIMES_AT_MOST = 1.5


@dataclass
class Runs:
    """What the runs of one kind measured."""

    p99_ms: list[float] = field(default_factory=list)
    p50_ms: list[float] = field(default_factory=list)
    cpu_s: float = 0.0
    """Of the venue's process."""
    got: Counter[str] = field(default_factory=Counter)
    """What the readers or pages got."""

    def add(self, found: Latencies, cpu_s: float) -> None:
        """Adds a run."""
        summary = found.summary_us()
        self.p99_ms.append(summary["p99"] / 1e3)
        self.p50_ms.append(summary["p50"] / 1e3)
        self.cpu_s += cpu_s

    @property
    def spread_ms(self) -> float:
        """From the lowest p99 to the highest: the noise of a run."""
        return max(self.p99_ms) - min(self.p99_ms)

    def text(self) -> str:
        """Medians, and all p99s."""
        each = ", ".join(f"{one:.1f}" for one in self.p99_ms)
        return f"p99 {median(self.p99_ms):.1f} ms ({each}), p50 {median(self.p50_ms):.1f} ms"


async def paced_rest(servers: Servers, orders: int) -> Latencies:
    """RATE orders a second over REST; connections and accounts take turns. A latency counts from the time the order was due.

    Raises RuntimeError for any answer but 201.
    """
    found, loop = Latencies(), asyncio.get_running_loop()
    bodies = list(islice(servers.bodies(), orders))
    host = f"127.0.0.1:{servers.venue_port}"
    start_s = loop.time() + 0.1

    async def send(first: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", servers.venue_port)
        for number in range(first, orders, CONNECTIONS):
            due_s = start_s + number / RATE
            await asyncio.sleep(max(due_s - loop.time(), 0))
            writer.write(post("/v1/orders", host, bodies[number], servers.accounts[number % ACCOUNTS].key))
            head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
            answer = await reader.readexactly(int(head.partition("content-length: ")[2].partition("\r\n")[0]))
            if head[9:12] != "201":
                raise RuntimeError(f"not an order: {head[9:12]} {answer[:200].decode()}")
            found.record(loop.time() - due_s)
        writer.close()
        await writer.wait_closed()

    with no_garbage_collection():
        await asyncio.gather(*(send(first) for first in range(CONNECTIONS)))
    return found


async def _measure(effort: Effort) -> tuple[Runs, Runs, Runs]:
    """Without others, beside the readers, beside the pages: in turns."""
    with tempfile.TemporaryDirectory(prefix="rex-readers-") as name:
        folder = Path(name, "venue")
        wish = YearWish(YEAR, effort.seed, commands=COMMANDS)
        await simulate_year(folder, wish, TradingCalendar.load())
        with venue(folder, "--accept-clock") as ours:
            servers, keys = await _ready(ours)
            await paced_rest(servers, RATE)  # a warm-up
            quiet, read, shown = Runs(), Runs(), Runs()
            for _ in range(2 if effort.quick else 4):
                await _run(ours, servers, effort, quiet)
                async with beside(REPORT_READERS, ours.url, str(YEAR), str(READERS), *keys) as got:
                    await _run(ours, servers, effort, read)
                read.got.update(got)
                async with beside(TRADE_PAGES, ours.url, str(PAGES), *keys) as got:
                    await _run(ours, servers, effort, shown)
                shown.got.update(got)
            return quiet, read, shown


async def _run(ours: RunningVenue, servers: Servers, effort: Effort, runs: Runs) -> None:
    before_s = spent_s(ours.pid)
    runs.add(await paced_rest(servers, effort.messages(ORDERS)), spent_s(ours.pid) - before_s)


async def _ready(ours: RunningVenue) -> tuple[Servers, list[str]]:
    """Funded accounts, and keys for the readers."""
    async with RexClient(ours.url, ours.operator_key) as operator:
        instruments = await read_instruments(operator)
        funding = Funding(CASH_FEN, Counter(dict.fromkeys(instruments, LOTS)))
        accounts = await open_accounts(operator, {f"benchmark account {one}": funding for one in range(ACCOUNTS)})
        keys = [(await operator.issue_key(f"reader {one}", ["read"]))["key"] for one in range(KEYS)]
    return Servers(urlsplit(ours.url).port or 80, 0, accounts, list(instruments.values()), count()), keys


def readers_measurements(effort: Effort) -> list[Measurement]:
    """The p99 of orders beside the readers, and beside open trade pages: medians of runs that alternate with runs without."""
    quiet, read, shown = asyncio.run(_measure(effort))
    documents = f"the readers got {read.got['documents']:,} documents and {read.got['pushes']:,} pushes"
    return [
        _beside(f"{READERS} readers", quiet, read, documents),
        _beside(f"{PAGES} open trade pages", quiet, shown, f"the pages got {shown.got['pushes']:,} pushes"),
    ]


def _beside(whom: str, quiet: Runs, runs: Runs, got: str) -> Measurement:
    alone_ms, beside_ms = median(quiet.p99_ms), median(runs.p99_ms)
    note = (
        f"{beside_ms / alone_ms:.2f} × without them; its process without: {quiet.text()}, its CPU {quiet.cpu_s:.1f} s; "
        f"with: {runs.text()}, its CPU {runs.cpu_s:.1f} s; {got}"
    )
    return Measurement(
        f"REST orders beside {whom}, {RATE} orders/s",
        beside_ms,
        "ms p99",
        f"{TIMES_AT_MOST} × without them + its spread",
        TIMES_AT_MOST * alone_ms + quiet.spread_ms,
        "at most 100 %",
        note=note,
    )
