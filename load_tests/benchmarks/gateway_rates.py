"""The rate of the gateway over HTTP and WebSocket, each order durable before its reply, beside a bare server.

Both servers are processes of their own; this process is the load. On a machine with two cores they share them.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager
from functools import partial
from itertools import count, islice
from pathlib import Path
from statistics import median
from typing import NamedTuple
from urllib.parse import urlsplit

from rex_client import RexClient

from load_tests.benchmarks import http_load, websocket_load
from load_tests.benchmarks.measurement import Effort, Measurement, ratio_range
from load_tests.child_process import child, venue
from load_tests.flows.flow_message import FlowInstrument
from load_tests.replay.accounts import Funding, TradingAccount, open_accounts, read_instruments

ACCOUNTS = 8
CONNECTIONS = 64
WINDOW = 64
CASH_FEN = 10**14
LOTS = 10**7


class Servers(NamedTuple):
    """The ports of the venue and the bare server, and the venue's accounts and instruments."""

    venue_port: int
    bare_port: int
    accounts: list[TradingAccount]
    instruments: list[FlowInstrument]
    numbers: Iterator[int]
    """The numbers in the client_order_ids: each is used once."""
    venue_pid: int = 0

    def bodies(self) -> Iterator[bytes]:
        """Bodies of orders that rest: around the reference price, the instruments in turn; no two of them trade."""
        for number in self.numbers:
            instrument = self.instruments[number % len(self.instruments)]
            ticks = 1 + number // len(self.instruments) % 20
            side, away = (("buy", -ticks), ("sell", ticks))[number % 2]
            order = {
                "symbol": instrument.symbol,
                "side": side,
                "order_type": "limit",
                "time_in_force": "gtc",
                "price": str(instrument.reference_price + away * instrument.tick_size),
                "quantity": 1,
                "client_order_id": f"b{number}",
            }
            yield json.dumps(order).encode()


@asynccontextmanager
async def servers() -> AsyncIterator[Servers]:
    """Starts a venue with funded accounts, and the bare server."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="rex-gateway-")))
        ours = stack.enter_context(venue(folder / "venue"))
        bare_command = [sys.executable, "-m", "load_tests.benchmarks.bare_server", str(folder / "bare.sqlite")]
        bare = stack.enter_context(child(bare_command))
        async with RexClient(ours.url, ours.operator_key) as operator:
            instruments = await read_instruments(operator)
            funding = Funding(CASH_FEN, Counter(dict.fromkeys(instruments, LOTS)))
            wanted = {f"benchmark account {number}": funding for number in range(1, ACCOUNTS + 1)}
            accounts = await open_accounts(operator, wanted)
        port = urlsplit(ours.url).port or 80
        yield Servers(port, bare["port"], accounts, list(instruments.values()), count(), ours.pid)


async def rest_rate(servers: Servers, path: str, port: int, connections: int, requests: int) -> float:
    """Orders a second over `connections` connections of all accounts in turn; each sends its next order after the reply to the
    last."""

    def posts(key: str) -> Iterator[bytes]:
        for body in islice(servers.bodies(), requests // connections):
            yield http_load.post(path, f"127.0.0.1:{port}", body, key)

    streams = [posts(servers.accounts[number % ACCOUNTS].key) for number in range(connections)]
    return (await http_load.load(port, streams)).rate("201")


async def websocket_rate(
    servers: Servers, path: str, port: int, messages: int, *, members: int = ACCOUNTS, connections: int = ACCOUNTS
) -> float:
    """Orders a second over `connections` connections of `members` accounts in turn, with WINDOW orders under way on each."""

    def frames(number: int) -> Iterator[bytes]:
        for body in islice(servers.bodies(), messages // connections):
            yield websocket_load.text_frame(b'{"method":"place_order","params":%b,"req_id":%d}' % (body, number))

    streams = [frames(number) for number in range(connections)]
    keys = [servers.accounts[number % members].key for number in range(connections)]
    result = await websocket_load.load(port, path, keys, streams, WINDOW, _kind_of_reply)
    return result.rate("order")


def _kind_of_reply(payload: bytes) -> str:
    # The echo returns the order itself, the venue a result that holds it.
    return "order" if b'"client_order_id"' in payload and b'"error"' not in payload else payload[:200].decode()


async def _in_turn(runs: int, *measures: Callable[[], Awaitable[float]]) -> list[list[float]]:
    """The rates of each measure, which alternate, after a warm-up round."""
    rates: list[list[float]] = [[] for _ in measures]
    for turn in range(runs + 1):
        for number, measure in enumerate(measures):
            rate = await measure()
            if turn:
                rates[number].append(rate)
    return rates


async def _rest(effort: Effort) -> list[Measurement]:
    async with servers() as both:
        measurements = []
        for connections, bare_path, limit_name, requests, at_least in (
            (CONNECTIONS, "/orders", "bare FastAPI + pydantic", 12_800, "60 % of bare"),
            (1, "/committed-orders", "bare FastAPI + pydantic + one commit", 1_500, ""),
        ):
            wanted = effort.messages(requests)
            rates, limits = await _in_turn(
                effort.runs,
                partial(rest_rate, both, "/v1/orders", both.venue_port, connections, wanted),
                partial(rest_rate, both, bare_path, both.bare_port, connections, wanted),
            )
            name = f"REST orders, {connections} connection{'s' if connections > 1 else ''}"
            measurements.append(
                Measurement(
                    name,
                    median(rates),
                    "orders/s",
                    limit_name,
                    median(limits),
                    at_least,
                    note=ratio_range(rates, limits),
                )
            )
        return measurements


async def _websocket(effort: Effort) -> list[Measurement]:
    async with servers() as both:
        wanted, measurements = effort.messages(40_000), []
        for name, members, connections, at_least in (
            ("WebSocket orders", ACCOUNTS, ACCOUNTS, "15 k/s"),
            ("WebSocket orders of one member", 1, 16, "8 k/s"),
        ):
            senders = {"members": members, "connections": connections}
            rates, limits = await _in_turn(
                effort.runs,
                partial(websocket_rate, both, "/v1/ws", both.venue_port, wanted, **senders),
                partial(websocket_rate, both, "/echo", both.bare_port, wanted, **senders),
            )
            note = f"{ratio_range(rates, limits)}; {connections} connections, {WINDOW} orders under way on each"
            measurements.append(
                Measurement(name, median(rates), "orders/s", "bare echo", median(limits), at_least, note=note)
            )
        return measurements


def rest_measurements(effort: Effort) -> list[Measurement]:
    """Orders a second over REST, one order a request."""
    return asyncio.run(_rest(effort))


def websocket_measurements(effort: Effort) -> list[Measurement]:
    """Orders a second over WebSocket, one order a message."""
    return asyncio.run(_websocket(effort))
