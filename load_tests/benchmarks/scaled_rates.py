"""The scaled venue beside the embedded one: CPU time an order of every server process, and latency.

Both venues run at once and are measured in turns, so that other load of the machine reaches both.
All processes, PostgreSQL and the load share the cores of this machine. CPU time can be compared; wall clock shows how crowded
the machine was.
"""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import subprocess
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path
from statistics import median
from typing import NamedTuple
from urllib.parse import urlsplit

from rex_client import RexClient

from load_tests.benchmarks import paced_orders
from load_tests.benchmarks.gateway_rates import (
    ACCOUNTS,
    CASH_FEN,
    CONNECTIONS,
    LOTS,
    Servers,
    rest_rate,
    websocket_rate,
)
from load_tests.benchmarks.measurement import Effort, Measurement, spent_s, with_children
from load_tests.child_process import venue
from load_tests.replay.accounts import Funding, open_accounts, read_instruments
from load_tests.servers.postgres import PostgresServer
from services.scaled.launch import REX, LaunchedVenue

GATEWAYS = (1, 2, 4)
ORDERS = {"WebSocket": 20_000, "REST": 6_000}
TURNS = 3
"""How often each load of each venue is measured."""
PACED_S = 10
"""How long orders are sent at half the maximum rate, seconds."""


class _Venue(NamedTuple):
    """A running venue: the addresses that take orders, and the processes by name."""

    urls: list[str]
    operator_key: str
    pids: dict[str, int]
    postgres: int | None
    """The postmaster; its backends are its children."""


class _Load(NamedTuple):
    """What one load cost: orders a second, and microseconds of CPU an order by process."""

    rate: float
    cpu_us: dict[str, float]

    @property
    def rex_us(self) -> float:
        """Of all processes of REX."""
        return sum(cost for name, cost in self.cpu_us.items() if name != "postgres")


@contextmanager
def _embedded() -> Iterator[_Venue]:
    with tempfile.TemporaryDirectory(prefix="rex-embedded-") as folder, venue(Path(folder) / "venue") as running:
        pids = dict(zip(("venue", "projector"), with_children(running.pid), strict=True))
        yield _Venue([running.url], running.operator_key, pids, None)


@contextmanager
def _scaled(server: PostgresServer, gateways: int) -> Iterator[_Venue]:
    """A venue in a database of its own: one sequencer, a projector and so many gateways."""
    with ExitStack() as opened:
        folder = opened.enter_context(tempfile.TemporaryDirectory(prefix="rex-scaled-"))
        variables = {
            "REX_DATABASE_URL": server.create_database(f"rex_{secrets.token_hex(4)}"),
            "REX_LINK_SECRET": secrets.token_urlsafe(32),
            "REX_DATA_DIR": folder,
            "REX_SCHEDULE": "always",
        }
        for command in ("migrate", "init"):
            subprocess.run([REX, command, "--json"], env=os.environ | variables, stdout=subprocess.DEVNULL, check=True)
        key = json.loads((Path(folder) / "keys.json").read_text())["operator"]["key"]
        errors = opened.enter_context((Path(folder) / "errors").open("a+b"))
        processes = LaunchedVenue(os.environ | variables, errors)
        opened.callback(processes.stop)
        pids = {"sequencer": processes.start("sequencer").pid}
        processes.wait_ready()
        pids["projector"] = processes.start("projector").pid
        started = [processes.start("gateway") for _ in range(gateways)]
        processes.wait_ready()
        pids |= {f"gateway {number}": gateway.pid for number, gateway in enumerate(started, 1)}
        yield _Venue([gateway.url for gateway in started], key, pids, server.pid)


async def _funded(running: _Venue, numbers: Iterator[int]) -> list[Servers]:
    """The accounts, and one `Servers` for each address that takes orders."""
    async with RexClient(running.urls[0], running.operator_key) as operator:
        instruments = await read_instruments(operator)
        funding = Funding(CASH_FEN, Counter(dict.fromkeys(instruments, LOTS)))
        wanted = {f"benchmark account {number}": funding for number in range(1, ACCOUNTS + 1)}
        accounts = await open_accounts(operator, wanted)
    ports = [urlsplit(url).port or 80 for url in running.urls]
    return [Servers(port, 0, accounts, list(instruments.values()), numbers) for port in ports]


async def _measured(running: _Venue, servers: Sequence[Servers], kind: str, orders: int) -> _Load:
    """The load over all gateways at once, each with an equal part."""
    before = _cpu_s(running)
    each = orders // len(servers)
    if kind == "WebSocket":
        loads = [websocket_rate(one, "/v1/ws", one.venue_port, each) for one in servers]
    else:
        connections = CONNECTIONS // len(servers)
        loads = [rest_rate(one, "/v1/orders", one.venue_port, connections, each) for one in servers]
    rates = await asyncio.gather(*loads)
    after = _cpu_s(running)
    return _Load(sum(rates), {name: (after[name] - before[name]) * 1e6 / orders for name in before})


def _cpu_s(running: _Venue) -> dict[str, float]:
    """User and system time of each process; of PostgreSQL those of all its processes together."""
    spent = {name: spent_s(pid) for name, pid in running.pids.items()}
    if running.postgres is not None:
        spent["postgres"] = spent_s(*with_children(running.postgres))
    return spent


async def _in_turns(venues: Sequence[_Venue], numbers: Iterator[int], effort: Effort) -> list[dict[str, _Load]]:
    """The median of each kind of load, by venue."""
    servers = [await _funded(running, numbers) for running in venues]
    found = []
    for kind, full in ORDERS.items():
        loads: list[list[_Load]] = [[] for _ in venues]
        for turn in range(1 + min(TURNS, effort.runs)):
            for number, running in enumerate(venues):
                load = await _measured(running, servers[number], kind, effort.messages(full))
                if turn:  # The first one warms up.
                    loads[number].append(load)
        found.append([_median(each) for each in loads])
    return [dict(zip(ORDERS, each, strict=True)) for each in zip(*found, strict=True)]


def _median(loads: Sequence[_Load]) -> _Load:
    names = loads[0].cpu_us
    return _Load(
        median(load.rate for load in loads), {name: median(load.cpu_us[name] for load in loads) for name in names}
    )


async def _latency(venues: Sequence[_Venue], numbers: Iterator[int], rate: float, effort: Effort) -> Measurement:
    """The reply times at half the maximum rate: of the embedded venue, then of the scaled one with one gateway."""
    half = rate / 2
    embedded, scaled = [
        (await paced_orders.replies(servers, half, effort.messages(int(PACED_S * half)))).replied
        for running in venues
        for servers in await _funded(running, numbers)
    ]
    return Measurement(
        "scaled, 1 gateway, WebSocket orders at half the maximum rate, p99",
        scaled["p99"] / 1000,
        "ms",
        "the promise",
        30.0,
        at_least="at most 100 %",
        note=f"{half:,.0f} orders/s; p50 {scaled['p50'] / 1000:.1f} ms; embedded at the same rate: p99"
        f" {embedded['p99'] / 1000:.1f} ms, p50 {embedded['p50'] / 1000:.1f} ms",
    )


def scaled_measurements(effort: Effort) -> list[Measurement]:
    """CPU time an order of every process: scaled with 1, 2 and 4 gateways, each in turns with the embedded venue; the latency
    of one gateway."""
    measurements = []
    numbers = count()
    with PostgresServer(max_connections="200") as server, _embedded() as embedded:
        for gateways in GATEWAYS:
            with _scaled(server, gateways) as running:
                limits, loads = asyncio.run(_in_turns([embedded, running], numbers, effort))
                measurements += [_measurement(kind, gateways, load, limits[kind]) for kind, load in loads.items()]
                if gateways == 1:
                    measurements.append(
                        asyncio.run(_latency([embedded, running], numbers, loads["WebSocket"].rate, effort))
                    )
    return measurements


def _measurement(kind: str, gateways: int, load: _Load, embedded: _Load) -> Measurement:
    return Measurement(
        f"scaled, {gateways} gateway{'s' if gateways > 1 else ''}, {kind} orders",
        round(load.rex_us, 1),
        "CPU µs an order",
        "embedded, in turns",
        round(embedded.rex_us, 1),
        at_least="at most 125 %" if gateways == 1 else "",
        note=f"{load.rate:,.0f} orders/s beside {embedded.rate:,.0f}; {_worded(load.cpu_us)}",
    )


def _worded(cpu_us: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {cost:.0f}" for name, cost in cpu_us.items())
