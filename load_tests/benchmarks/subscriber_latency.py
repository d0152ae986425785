"""How long after an order was due its change of the book is at 1,000 subscribers, while 1,000 orders a second come in.

Each subscriber follows the depth of one instrument over a socket of its own; each order changes one book. A latency counts from
the time at which the order was due to the push that contains it, at each subscriber of its instrument.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
import time
from bisect import bisect_left, bisect_right
from collections import Counter
from itertools import count
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
from rex_client import RexClient

from load_tests.benchmarks.depth_subscribers import COLUMNS
from load_tests.benchmarks.gateway_rates import ACCOUNTS, CASH_FEN, LOTS, Servers
from load_tests.benchmarks.measurement import Effort, Measurement, no_garbage_collection, spent_s
from load_tests.child_process import RunningVenue, beside, venue
from load_tests.replay.accounts import Funding, open_accounts, read_instruments

SUBSCRIBERS, A_KEY = 1_000, 16
RATE = 1_000
"""Orders a second."""
ORDERS = 10_000
"""Of a run: ten seconds."""
BURST_S = 0.005
"""Orders that are due within so long are sent together."""
AT_MOST_MS = 100.0
Due = dict[str, list[tuple[int, int]]]
"""By symbol, in order: the seq of each order, and when it was due, in ns of the machine's monotonic clock."""


async def _paced_orders(servers: Servers, clients: list[RexClient], orders: int) -> Due:
    """RATE orders a second; accounts take turns."""
    bodies, start_ns, sent = servers.bodies(), time.monotonic_ns() + 100_000_000, []
    for number in range(orders):
        due_ns = start_ns + number * 10**9 // RATE
        wait_s = (due_ns - time.monotonic_ns()) / 1e9
        if wait_s > 0:
            await asyncio.sleep(max(wait_s, BURST_S))
        reply = await clients[number % len(clients)].submit_order(json.loads(next(bodies)))
        sent.append((due_ns, reply))
    due: Due = {}
    for due_ns, reply in sent:
        order = await reply
        due.setdefault(order["symbol"], []).append((order["seq"], due_ns))
    for of_symbol in due.values():
        of_symbol.sort()
    return due


def _latencies_ms(rows: np.ndarray, due: Due, symbols: list[str]) -> np.ndarray:
    """A latency for each order at each subscriber of its instrument."""
    found: list[float] = []
    seqs = {symbol: [seq for seq, _ in of_symbol] for symbol, of_symbol in due.items()}
    for number, prev_seq, seq, now_ns in rows.tolist():
        symbol = symbols[number]
        if symbol in due:
            first, end = bisect_right(seqs[symbol], prev_seq), bisect_left(seqs[symbol], seq + 1)
            found += [(now_ns - due_ns) / 1e6 for _, due_ns in due[symbol][first:end]]
    return np.array(found)


async def _measure(ours: RunningVenue, folder: Path, effort: Effort, interval_ms: int) -> Measurement:
    async with RexClient(ours.url, ours.operator_key) as operator:
        instruments = await read_instruments(operator)
        funding = Funding(CASH_FEN, Counter(dict.fromkeys(instruments, LOTS)))
        accounts = await open_accounts(operator, {f"account {interval_ms} {one}": funding for one in range(ACCOUNTS)})
        keys = [(await operator.issue_key(f"reader {one}", ["read"]))["key"] for one in range(-(-SUBSCRIBERS // A_KEY))]
    port, file = urlsplit(ours.url).port or 80, folder / f"pushes-{interval_ms}"
    servers = Servers(port, 0, accounts, list(instruments.values()), count(interval_ms * ORDERS))
    clients = [RexClient(ours.url, account.key) for account in accounts]
    for client in clients:
        await client.connect()
    command = [str(port), str(SUBSCRIBERS), str(file), str(interval_ms), ",".join(instruments), *keys]
    async with beside("load_tests.benchmarks.depth_subscribers", *command) as found:
        before_s = spent_s(ours.pid)
        with no_garbage_collection():
            due = await _paced_orders(servers, clients, effort.messages(ORDERS))
        cpu_s = spent_s(ours.pid) - before_s
        await asyncio.sleep(1)  # The last pushes are on their way.
    for client in clients:
        await client.close()
    rows = np.frombuffer(file.read_bytes(), np.int64).reshape(-1, COLUMNS)
    latencies = _latencies_ms(rows, due, list(instruments))
    p50, p99, most = np.percentile(latencies, (50, 99, 100))
    pace = f", at most one push in {interval_ms} ms" if interval_ms else ""
    note = (
        f"p50 {p50:.1f} ms, most {most:.1f} ms; {len(latencies):,} changes in {len(rows):,} pushes; CPU of the order process "
        f"{cpu_s:.1f} s of {effort.messages(ORDERS) / RATE:.0f} s, of the subscribers {found['cpu_s']:.1f} s; "
        f"{found['snapshots']:.0f} snapshots for a full queue; {found['gaps']:.0f} gaps without one"
    )
    return Measurement(
        f"depth to {SUBSCRIBERS:,} subscribers, {RATE:,} orders/s{pace}",
        float(p99),
        "ms p99",
        "the aim",
        AT_MOST_MS + interval_ms,
        "at most 100 %",
        note=note,
    )


def subscriber_measurements(effort: Effort) -> list[Measurement]:
    """The p99 from the time an order is due to its change at every subscriber, for each change, and throttled."""

    async def both(ours: RunningVenue, folder: Path) -> list[Measurement]:
        return [await _measure(ours, folder, effort, interval_ms) for interval_ms in (0, 250)]

    with tempfile.TemporaryDirectory(prefix="rex-subscribers-") as name, venue(Path(name, "venue")) as ours:
        return asyncio.run(both(ours, Path(name)))
