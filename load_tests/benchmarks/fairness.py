"""The response times of a modest member while another member floods the venue.

The venue and the flood are processes of their own; this process is the modest member. On a machine with two cores the three
share them. Quiet and flooded periods alternate, so that other load on the machine affects both.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections import Counter
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from rex_client import RexClient

from load_tests.benchmarks.flood import SOCKETS, Flood, flooding
from load_tests.benchmarks.measurement import Effort, Measurement, process_s
from load_tests.benchmarks.modest_member import Answers, ModestMember
from load_tests.child_process import venue
from load_tests.replay.accounts import Funding, open_accounts, read_instruments

SYMBOL = "PRND-OX"
CASH_FEN = 10**15
STRETCH_S = 6.0
"""The length of each quiet and each flooded period."""
QUICK_STRETCH_S = 2.0
TURNS = 4
QUICK_TURNS = 1
HEAD_START_S = 1.0
"""The time between the start of a flood and the modest member's first order."""


class Measured(NamedTuple):
    """The modest member's answers in quiet and in flooded periods, and the floods."""

    quiet: Answers
    flooded: Answers
    floods: list[Flood]
    cpu_s: float
    """Processor time of the venue during the floods."""


def fairness_measurements(effort: Effort) -> list[Measurement]:
    """The 99th percentile, in ms, of each operation during a flood, beside the same without one.

    Raises RuntimeError if the venue refused any request of either member.
    """
    turns, stretch_s = (QUICK_TURNS, QUICK_STRETCH_S) if effort.quick else (TURNS, STRETCH_S)
    measured = asyncio.run(_measure(turns, stretch_s))
    unexpected = {answer for flood in measured.floods for answer in flood.answers} - {"order"}
    if unexpected:
        raise RuntimeError(f"the flood was to be held back, not refused: {unexpected}")
    refusals = measured.quiet.refusals + measured.flooded.refusals
    if refusals:
        raise RuntimeError(f"the modest member was refused: {dict(refusals)}")
    return [_measurement(measured, operation) for operation in measured.quiet.milliseconds]


def _measurement(measured: Measured, operation: str) -> Measurement:
    quiet, flooded = measured.quiet, measured.flooded
    orders = sum(flood.answers.get("order", 0) for flood in measured.floods)
    seconds = sum(flood.seconds for flood in measured.floods)
    return Measurement(
        f"{operation} beside a flood",
        flooded.percentile(operation, 99),
        "ms p99",
        "the same without a flood, p99",
        quiet.percentile(operation, 99),
        "300 % at most",
        note=f"p50 {quiet.percentile(operation, 50):.2f} ms quiet, {flooded.percentile(operation, 50):.2f} ms flooded; "
        f"{len(quiet.milliseconds[operation])} and {len(flooded.milliseconds[operation])} requests, 0 refused; the flood got "
        f"{orders / seconds:,.0f} orders/s over {SOCKETS} sockets, {measured.cpu_s / orders * 1e6:.0f} µs of its process each",
    )


async def _measure(turns: int, stretch_s: float) -> Measured:
    with tempfile.TemporaryDirectory(prefix="rex-fairness-") as folder, venue(Path(folder) / "venue") as ours:
        async with RexClient(ours.url, ours.operator_key) as operator:
            instrument = (await read_instruments(operator))[SYMBOL]
            funding = Funding(CASH_FEN, Counter())
            flooder, modest = await open_accounts(operator, {"flooding": funding, "modest": funding})
        price = instrument.reference_price - instrument.tick_size
        order = {"symbol": SYMBOL, "side": "buy", "price": str(price), "quantity": 1}
        port = urlsplit(ours.url).port or 80
        member = ModestMember(port, modest.key, order)
        await member.trade(Answers(), QUICK_STRETCH_S)  # a warm-up
        quiet, flooded, floods, cpu_s = Answers(), Answers(), list[Flood](), 0.0
        for _ in range(turns):
            await member.trade(quiet, stretch_s)
            cpu_s -= process_s(ours.pid)
            async with flooding(port, flooder.key, order, floods):
                await asyncio.sleep(HEAD_START_S)
                await member.trade(flooded, stretch_s)
            cpu_s += process_s(ours.pid)
        return Measured(quiet, flooded, floods, cpu_s)
