"""Stops a demo under the load of its traders, again and again: every stop ends with a status, and none hangs.

    python -m tests.faults stops --count 200 --seed 1

A `rex demo` trades with its simulated traders, and readers ask for pages, reports and market data. After a number of commands
drawn from the seed it gets SIGTERM or SIGINT. It must end with status 0: a part that does not end within 10 seconds would be
ended by the watchdog, with status 8.
"""

from __future__ import annotations

import asyncio
import os
import signal
import time
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import httpx

from tests.faults.rig import Advance, Report, Rig, scratch
from tests.faults.venue_process import printing
from tests.patience import PATIENCE_S, AsyncHttpClient

READERS = 4
READ = ("/ui/", "/v1/market/tickers", "/v1/reports/turnover/2026", "/v1/market/PRND-OX/trades", "/metrics")
FEWEST, MOST = 0, 1_000
"""Commands after the start, before the signal."""
UNLIMITED = {"REX_PUBLIC_READS_PER_S": "0", "REX_KEYLESS_ANSWERS_PER_S": "0"}
OPTIONS = ("--no-history", "--rate", "500", "--port", "0")


def run(trials: int, seed: int, advance: Advance) -> Report:
    """Runs `trials` trials, each in a new folder."""
    report = Report("stops", {"longest_stop_ms": 0})
    random = Random(seed)
    for trial in range(1, trials + 1):
        with TemporaryDirectory(dir=scratch()) as folder:
            number = random.choice((signal.SIGTERM, signal.SIGINT))
            _one_stop(Path(folder) / "rex-data", number, random.randint(FEWEST, MOST), trial, report)
        advance()
    return report


def _one_stop(folder: Path, number: signal.Signals, commands: int, trial: int, report: Report) -> None:
    with printing("demo", *OPTIONS, "--data-dir", folder, variables=UNLIMITED) as (process, out, errors):
        while "API" not in (line := out.readline()):
            assert line, f"the demo ended before it was ready: {errors.read_text()}"
        assert process.pid is not None
        asyncio.run(_read_until(line.split()[2].removesuffix("/docs"), commands, process.pid, number))
        began = time.monotonic()
        process.join(PATIENCE_S)
        report.highest("longest_stop_ms", round((time.monotonic() - began) * 1_000))
        if process.exitcode != 0:
            said = errors.read_text()[-300:]
            report.broken.append(f"trial {trial}: {number.name} ended it with status {process.exitcode}: {said}")


async def _read_until(url: str, commands: int, pid: int, number: signal.Signals) -> None:
    """Reads until so many commands are committed; then sends the signal and reads on until the venue is gone."""

    async def read() -> None:
        try:
            while True:
                for path in READ:
                    await client.get(path)
        except httpx.TransportError:
            return

    async with AsyncHttpClient(base_url=url) as client, asyncio.TaskGroup() as readers:
        for _ in range(READERS):
            readers.create_task(read())
        begin = last = await _seq(client)
        while last < begin + commands:
            last = await _seq(client)
        os.kill(pid, number)


async def _seq(client: AsyncHttpClient) -> int:
    return int((await client.get("/v1/time")).json()["seq"])


RIG = Rig("stops", run, "trials", short=10, long=200)
