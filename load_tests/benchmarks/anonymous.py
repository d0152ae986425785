"""What requests that anybody may send without a key cost the venue: documentation, metrics, pages.

The venue is a process of its own; its processor time is read before and after the requests of each kind. Then a flood of all of
them, a process of its own, is sent to a venue with its limits beside a modest member, as in `fairness`.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections import Counter
from itertools import repeat
from pathlib import Path
from urllib.parse import urlsplit

from rex_client import RexClient

from load_tests.benchmarks import http_load
from load_tests.benchmarks.anonymous_flood import CONNECTIONS, flooded, get
from load_tests.benchmarks.fairness import CASH_FEN, SYMBOL
from load_tests.benchmarks.measurement import Effort, Measurement, process_s
from load_tests.benchmarks.modest_member import Answers, ModestMember
from load_tests.child_process import RunningVenue, venue
from load_tests.replay.accounts import Funding, open_accounts, read_instruments

FREE = (
    "/healthz",
    "/metrics",
    "/openapi.json",
    "/asyncapi.json",
    "/docs",
    "/docs/websocket",
    "/docs/static/swagger-ui.css",
    "/docs/static/swagger-ui-bundle.js",
)
"""Answered 200, however often."""
OTHERS = ("/", "/ui/", "/ui/control", "/ui/trade/PRND-OX", "/nowhere", "/v1/venue")
"""A redirect; pages; a path that does not exist; a public one, beyond the limit of the address."""

UNLIMITED = {"REX_KEYLESS_ANSWERS_PER_S": "0"}
"""For what an answer costs: at the rate of turns the idle venue would be in it."""

LIMIT_US = 300
REQUESTS = 2_000
STRETCH_S = 6.0
QUICK_STRETCH_S = 2.0
TURNS = 3


def anonymous_measurements(effort: Effort) -> list[Measurement]:
    """µs of processor time for a request of each path; the 99th percentile, in ms, of a member's operations beside a flood."""
    return asyncio.run(_measure(effort))


async def _measure(effort: Effort) -> list[Measurement]:
    with tempfile.TemporaryDirectory(prefix="rex-anonymous-") as folder:
        with venue(Path(folder) / "unlimited", variables=UNLIMITED) as ours:
            costs = [await _cost(ours, path, effort.messages(REQUESTS)) for path in (*FREE, *OTHERS)]
        with venue(Path(folder) / "venue") as ours:
            return costs + await _beside_a_member(ours, effort)


async def _cost(ours: RunningVenue, path: str, requests: int) -> Measurement:
    port = urlsplit(ours.url).port or 80
    streams = [repeat(get(port, path), requests // CONNECTIONS) for _ in range(CONNECTIONS)]
    await http_load.load(port, [repeat(get(port, path), requests // 10)])  # A warm-up: what is made once is made here.
    before = process_s(ours.pid)
    answers = (await http_load.load(port, streams)).answers
    cost_us = (process_s(ours.pid) - before) / answers.total() * 1e6
    note = ", ".join(f"{count:,} × {status}" for status, count in answers.items())
    limit = "may cost at most"
    return Measurement(f"GET {path} without a key", cost_us, "µs CPU", limit, LIMIT_US, "100 % at most", note=note)


async def _beside_a_member(ours: RunningVenue, effort: Effort) -> list[Measurement]:
    """Raises RuntimeError if the venue refused any request of the member."""
    port = urlsplit(ours.url).port or 80
    async with RexClient(ours.url, ours.operator_key) as operator:
        instrument = (await read_instruments(operator))[SYMBOL]
        (modest,) = await open_accounts(operator, {"modest": Funding(CASH_FEN, Counter())})
    price = str(instrument.reference_price - instrument.tick_size)
    member = ModestMember(port, modest.key, {"symbol": SYMBOL, "side": "buy", "price": price, "quantity": 1})
    turns, stretch_s = (1, QUICK_STRETCH_S) if effort.quick else (TURNS, STRETCH_S)
    await member.trade(Answers(), QUICK_STRETCH_S)  # a warm-up
    quiet, beside, answers = Answers(), Answers(), dict[str, int]()
    for _ in range(turns):
        await member.trade(quiet, stretch_s)
        async with flooded(port, (*FREE, *OTHERS), answers):
            await member.trade(beside, stretch_s)
    if refusals := quiet.refusals + beside.refusals:
        raise RuntimeError(f"the modest member was refused: {dict(refusals)}")
    note = f"the flood got {sum(answers.values()) / turns / stretch_s:,.0f} answers/s: {answers}"
    return [
        Measurement(
            f"{operation} beside a flood without a key",
            beside.percentile(operation, 99),
            "ms p99",
            "the same without a flood, p99",
            quiet.percentile(operation, 99),
            "300 % at most",
            note=f"p50 {quiet.percentile(operation, 50):.2f} ms quiet, {beside.percentile(operation, 50):.2f} beside; {note}",
        )
        for operation in quiet.milliseconds
    ]
