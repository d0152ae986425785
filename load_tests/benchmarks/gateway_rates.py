"""The gateway over HTTP and WebSocket, every order durable before its reply; beside bare servers that do no work.

Both servers are processes of their own and this process is the load: on a machine of two cores they share them.
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
from typing import NamedTuple
from urllib.parse import urlsplit

from load_tests.benchmarks import http_load, websocket_load
from load_tests.benchmarks.figure import Effort, Figure, middle, spread
from load_tests.child_process import child, venue
from load_tests.flows.flow_message import FlowInstrument
from load_tests.replay.accounts import Funding, TradingAccount, open_accounts, read_instruments
from services.client import RexClient

ACCOUNTS = 8
CONNECTIONS = 64
WINDOW = 64
CASH_FEN = 10**14
LOTS = 10**7


class Servers(NamedTuple):
    """Where both listen, and what the venue takes orders for."""

    venue_port: int
    bare_port: int
    accounts: list[TradingAccount]
    instruments: list[FlowInstrument]
    numbers: Iterator[int]
    """Makes every client_order_id a new one."""

    def bodies(self) -> Iterator[bytes]:
        """Resting orders around the reference price of every instrument in turn: none of them trade."""
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
    """A venue of our own with funded accounts, and the bare server."""
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
        yield Servers(port, bare["port"], accounts, list(instruments.values()), count())


async def rest_rate(servers: Servers, path: str, port: int, connections: int, requests: int) -> float:
    """Orders a second over so many connections, each sending its next order when the one before is answered."""
    streams = [
        (
            http_load.post(path, f"127.0.0.1:{port}", body, servers.accounts[number % ACCOUNTS].key)
            for body in islice(servers.bodies(), requests // connections)
        )
        for number in range(connections)
    ]
    return (await http_load.load(port, streams)).rate("201")


async def websocket_rate(servers: Servers, path: str, port: int, messages: int) -> float:
    """Orders a second over one connection an account, WINDOW of them under way on each."""

    def frames(number: int) -> Iterator[bytes]:
        for body in islice(servers.bodies(), messages // ACCOUNTS):
            yield websocket_load.text_frame(b'{"method":"place_order","params":%b,"req_id":%d}' % (body, number))

    streams = [frames(number) for number in range(ACCOUNTS)]
    keys = [account.key for account in servers.accounts]
    result = await websocket_load.load(port, path, keys, streams, WINDOW, _kind_of_reply)
    return result.rate("order")


def _kind_of_reply(payload: bytes) -> str:
    # The echo gives back the order itself, the venue a result that holds one.
    return "order" if b'"client_order_id"' in payload and b'"error"' not in payload else payload[:200].decode()


async def _in_turn(runs: int, *measures: Callable[[], Awaitable[float]]) -> list[list[float]]:
    """The rates of each; they take turns, after a first round that only warms up."""
    rates: list[list[float]] = [[] for _ in measures]
    for turn in range(runs + 1):
        for number, measure in enumerate(measures):
            rate = await measure()
            if turn:
                rates[number].append(rate)
    return rates


async def _rest(effort: Effort) -> list[Figure]:
    async with servers() as both:
        figures = []
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
            figures.append(
                Figure(
                    name, middle(rates), "orders/s", limit_name, middle(limits), at_least, note=spread(rates, limits)
                )
            )
        return figures


async def _websocket(effort: Effort) -> list[Figure]:
    async with servers() as both:
        wanted = effort.messages(40_000)
        rates, limits = await _in_turn(
            effort.runs,
            partial(websocket_rate, both, "/v1/ws", both.venue_port, wanted),
            partial(websocket_rate, both, "/echo", both.bare_port, wanted),
        )
        note = f"{spread(rates, limits)}; {ACCOUNTS} connections, {WINDOW} orders under way on each"
        return [Figure("WebSocket orders", middle(rates), "orders/s", "bare echo", middle(limits), "15 k/s", note=note)]


def rest_figures(effort: Effort) -> list[Figure]:
    """REST, one order a request."""
    return asyncio.run(_rest(effort))


def websocket_figures(effort: Effort) -> list[Figure]:
    """WebSocket, one order a message."""
    return asyncio.run(_websocket(effort))
