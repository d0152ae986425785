"""What the answers about a year's turnover cost: the report, the wash screen, the proof.

The reports are measured as an operator asks for them: `GET /v1/reports/turnover/{year}` through the venue's own routes, queries
and JSON, on both kinds of read database. Only the socket and the check of the key are left out: less than a millisecond.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import fmean, median
from time import perf_counter, process_time
from typing import Any, NamedTuple

import httpx
import numpy as np
from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncEngine

from load_tests.benchmarks.filled_databases import fill, last_day, write_journal
from load_tests.benchmarks.measurement import Effort, Measurement, no_garbage_collection, spent_s, with_children
from load_tests.benchmarks.orders_beside_readers import readers_measurements
from load_tests.benchmarks.year_of_trades import Sums, YearOfTrades
from load_tests.figure_bars.ring_plans import flow_with, honest_flow, plain_rings
from load_tests.servers.postgres import PostgresServer
from services.data.calendar import TradingCalendar
from services.data.instruments import load_instruments
from services.journal.sqlite import SqliteJournal
from services.messaging.tail import Readable
from services.read_model import database as in_sqlite
from services.read_model.postgres import database as in_postgres
from services.reporting import app
from services.reporting.breakdown import routes as breakdown
from services.reporting.checked_report import report_at_rest
from services.reporting.turns import ReportTurns
from services.surveillance.screen import screen
from services.values.decimals import yuan_text
from services.venue.simulated_year import YearWish, simulate_year

YEAR = 2023
TRADES = 10_000_000
COMMANDS = 5_000_000
SCREEN_TRADES, SCREEN_DAYS = 28_000, 20
BOUNDS_MS = {"report": 50.0, "report at a past seq": 2000.0}
"""The ladder has none: it reads the sums of every member, day and product."""
SCREEN_MS, PROOF_S = 1000.0, 60.0
LEAST_COMMANDS = 50_000
"""Of a simulated year."""
AT_MOST = "at most 100 %"


class Cost(NamedTuple):
    """Of one answer, in ms: by the clock, of processor time of this process, and of the database's server."""

    wall: float
    cpu: float
    server: float


async def report_costs(
    read_database: AsyncEngine, journal: Readable, year: YearOfTrades, runs: int, server: Sequence[int]
) -> dict[str, Cost]:
    """Asks for the report, the report of the past and the ladder in turn. Raises RuntimeError for a wrong answer."""
    calendar, venue = TradingCalendar.load(), FastAPI()

    async def projected(_seq: int) -> None:
        """The database stands where it was filled."""

    turns = ReportTurns(fresh_s=0)  # every answer is made anew
    venue.include_router(app.router(read_database, calendar, projected, journal, turns, turns))
    venue.include_router(breakdown.router(read_database, calendar, projected, turns))
    asked = {
        "report": (f"/v1/reports/turnover/{YEAR}", year.now),
        "report at a past seq": (f"/v1/reports/turnover/{YEAR}?seq={year.past_seq}", year.then),
        "ladder": (f"/v1/reports/turnover/{YEAR}/ladder", year.now),
    }
    costs: dict[str, list[Cost]] = {name: [] for name in asked}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(venue), base_url="http://venue") as client:
        for turn in range(runs + 1):
            for name, (path, sums) in asked.items():
                with no_garbage_collection():
                    before = _now(server)
                    answer = await client.get(path)
                    after = _now(server)
                check_answer(name, answer.json(), sums)
                if turn:
                    costs[name].append(Cost(*(1e3 * (end - start) for start, end in zip(before, after, strict=True))))
    return {name: _typical(found) for name, found in costs.items()}


def _typical(costs: Sequence[Cost]) -> Cost:
    """Medians; of the server, whose time is counted in steps of 10 ms, the mean."""
    wall, cpu, server = zip(*costs, strict=True)
    return Cost(median(wall), median(cpu), fmean(server))


def _now(server: Sequence[int]) -> tuple[float, float, float]:
    return perf_counter(), process_time(), sum(spent_s(*with_children(pid)) for pid in server)


def check_answer(name: str, answer: dict[str, Any], sums: Sums) -> None:
    """Compares the answer with the sum of what was filled, to the fen."""
    net = yuan_text(sums.net_fen)
    expected: list[str | int] = [net, net]
    if name == "ladder":
        ladder = answer["ladder"]
        found = [ladder[rung]["amount"] for rung in ("net", "delivered")]
    else:
        found = [answer[part] for part in ("net", "trades", "busted_trades", "excluded_trades")]
        expected = [net, sums.trades, sums.busted, sums.excluded]
    if found != expected:
        raise RuntimeError(f"the {name} says {found}, and what was filled is {expected}")


def report_measurements(effort: Effort) -> list[Measurement]:
    """The reports on both kinds of read database."""
    return asyncio.run(_reports(effort))


async def _reports(effort: Effort) -> list[Measurement]:
    day = last_day(effort)
    days = TradingCalendar.load().days(YEAR)
    trades = effort.messages(TRADES)
    year = YearOfTrades(trades, days, day.commands, load_instruments(), day.prevented, effort.seed)
    # Without replication, what COPY writes into a table that was emptied in the same transaction needs no log.
    no_log = PostgresServer(
        shared_buffers="256MB",
        max_wal_size="8GB",
        maintenance_work_mem="256MB",
        wal_level="minimal",
        max_wal_senders="0",
    )
    with tempfile.TemporaryDirectory(prefix="rex-figure-") as name, no_log as server:
        folder, url = Path(name), server.create_database("rex")
        began_s = perf_counter()
        sealed = await write_journal(folder / "journal.sqlite", day, year.first_seq(len(days) - 1))
        await fill(folder / "read.sqlite", url, year, *sealed)
        filled_s = perf_counter() - began_s
        journal = await SqliteJournal.open(folder / "journal.sqlite", read_only=True)
        file = in_sqlite.open_read_database(folder / "read.sqlite", read_only=True)
        database = await in_postgres.open_read_database(url)
        try:
            of_file = await report_costs(file, journal, year, effort.short_runs, ())
            of_server = await report_costs(database, journal, year, effort.short_runs, (server.pid,))
        finally:
            await file.dispose()
            await database.dispose()
            await journal.close()
    what = f"{trades:,} trades of {len(days)} days, {year.member_days:,} sums of members, filled in {filled_s:.0f} s; exact"
    return [*_of_reports("SQLite", of_file, what), *_of_reports("PostgreSQL", of_server, what)]


def _of_reports(kind: str, costs: dict[str, Cost], what: str) -> Iterator[Measurement]:
    for name, cost in costs.items():
        spent = f"CPU {cost.cpu:.1f} ms" + (f", PostgreSQL {cost.server:.0f} ms" if kind == "PostgreSQL" else "")
        named, note = f"yearly {name} on {kind}", f"{spent}; {what}"
        if name in BOUNDS_MS:
            yield Measurement(named, cost.wall, "ms", "the bound", BOUNDS_MS[name], AT_MOST, note=note)
        else:
            yield Measurement(named, cost.wall, "ms", note=note)


def _screen(effort: Effort) -> Iterator[Measurement]:
    """Twenty days with 28,000 trades, honest ones and with four rings among them."""
    for name, flow in (
        ("without rings", honest_flow(effort.seed, SCREEN_TRADES // SCREEN_DAYS)),
        ("with four rings", flow_with(effort.seed, plain_rings(), SCREEN_TRADES // SCREEN_DAYS)),
    ):
        recent = flow.trades[flow.trades["trading_date"] >= np.unique(flow.trades["trading_date"])[-SCREEN_DAYS]]
        costs, findings = [], 0
        for _ in range(effort.runs + 1):
            with no_garbage_collection():
                before = _now(())
                findings = len(screen(recent))
                costs.append(Cost(*(1e3 * (end - start) for start, end in zip(before, _now(()), strict=True))))
        cost = _typical(costs[1:])
        note = f"CPU {cost.cpu:.0f} ms; {len(recent):,} trades, {findings} findings"
        yield Measurement(
            f"wash screen of {SCREEN_DAYS} days, {name}", cost.wall, "ms", "the bound", SCREEN_MS, AT_MOST, note=note
        )


def _proof(effort: Effort) -> Measurement:
    """What `rex report YEAR --prove` does, on a simulated year. The bound goes with the number of commands."""
    with tempfile.TemporaryDirectory(prefix="rex-proof-") as name:
        folder = Path(name)
        commands = max(effort.messages(COMMANDS), LEAST_COMMANDS)
        wish = YearWish(YEAR, effort.seed, commands=commands)
        made = asyncio.run(simulate_year(folder, wish, TradingCalendar.load()))
        before = _now(())
        checked = asyncio.run(report_at_rest(folder, YEAR, prove=True))
        wall_s, cpu_s, _ = (end - start for start, end in zip(before, _now(()), strict=True))
    if not checked.agree or checked.figure is None or checked.figure.net_fen != made.turnover_fen:
        raise RuntimeError("the computations of the simulated year disagree")
    bound_s = PROOF_S * made.last_seq / COMMANDS
    note = f"CPU {cpu_s:.1f} s; {made.last_seq:,} commands of a simulated year; all computations agree"
    return Measurement("proof of a year", wall_s, "s", "the bound", bound_s, AT_MOST, note=note)


def figure_measurements(effort: Effort) -> list[Measurement]:
    """The report of 10,000,000 trades on both kinds of read database, the wash screen, the proof of 5,000,000 commands, orders
    beside readers."""
    return [*report_measurements(effort), *_screen(effort), _proof(effort), *readers_measurements(effort)]
