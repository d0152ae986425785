"""The paced load of the benchmarks, against small servers: what it counts, and how it ends."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from decimal import Decimal
from itertools import count
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection, serve

from load_tests.benchmarks import paced_orders
from load_tests.benchmarks.gateway_rates import Servers
from load_tests.flows.flow_message import FlowInstrument
from load_tests.replay.accounts import TradingAccount

pytestmark = pytest.mark.anyio

INSTRUMENT = FlowInstrument("PRND-OX", 1, Decimal(1), Decimal(100), Decimal(90), Decimal(110), 10)


@asynccontextmanager
async def answering(answer: Callable[[ServerConnection, Any], Awaitable[None]]) -> AsyncIterator[Servers]:
    """A server that answers each message so."""

    async def handle(connection: ServerConnection) -> None:
        await connection.send('{"channel": "welcome"}')
        async for message in connection:
            await answer(connection, json.loads(message)["req_id"])

    async with serve(handle, "127.0.0.1", 0) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        accounts = [TradingAccount(number, "", "key") for number in (1, 2)]
        yield Servers(port, 0, accounts, [INSTRUMENT], count())


async def test_every_order_is_sent_and_its_reply_timed() -> None:
    numbers = []

    async def order(connection: ServerConnection, number: int) -> None:
        numbers.append(number)
        await connection.send(json.dumps({"req_id": number, "result": {}}))

    async with answering(order) as servers:
        found = await paced_orders.replies(servers, 1e6, 40)
    assert sorted(numbers) == list(range(40))
    assert found.replied["max"] >= found.sent["max"] > 0


async def test_another_reply_than_an_order_ends_it() -> None:
    async def refuse(connection: ServerConnection, number: int) -> None:
        await connection.send(json.dumps({"req_id": number, "error": {}}))

    async with answering(refuse) as servers:
        with pytest.raises(ExceptionGroup) as raised:
            await paced_orders.replies(servers, 1.0, 10_000)
    assert raised.group_contains(RuntimeError, match="not an order")


async def test_a_connection_that_the_server_closes_ends_it() -> None:
    async def leave(connection: ServerConnection, _: int) -> None:
        connection.transport.abort()

    async with answering(leave) as servers:
        with pytest.raises(ExceptionGroup) as raised:
            await paced_orders.replies(servers, 1.0, 10_000)
    assert raised.group_contains(ConnectionError, match="closed the connection")
