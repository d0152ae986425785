"""Orders over WebSocket on a schedule: each is sent when it is due, however late the replies are."""

from __future__ import annotations

import asyncio
import re
from itertools import islice

from websockets.asyncio.client import ClientConnection, connect

from load_tests.benchmarks.gateway_rates import Servers
from load_tests.benchmarks.measurement import no_garbage_collection
from load_tests.replay.latency import Latencies

_NUMBER = re.compile(rb'"req_id": ?(\d+)')


async def latencies(servers: Servers, rate: float, orders: int) -> Latencies:
    """`rate` orders a second over one connection of each account in turn. A latency counts from the time the order was due.

    The load is sent without garbage collection: its pauses, of 50 ms and more, would count as the venue's. Raises RuntimeError
    for any reply but an order.
    """
    found, due_s = Latencies(), dict[int, float]()
    loop = asyncio.get_running_loop()
    connections = [
        await connect(
            f"ws://127.0.0.1:{servers.venue_port}/v1/ws",
            additional_headers={"Authorization": f"Bearer {account.key}"},
            compression=None,
        )
        for account in servers.accounts
    ]
    all_answered = asyncio.Event()

    async def receive(connection: ClientConnection) -> None:
        while True:
            reply = await connection.recv(decode=False)
            number = _NUMBER.search(reply)
            if number is None:
                continue  # no reply: a greeting or an event
            if b'"error"' in reply:
                raise RuntimeError(f"not an order: {reply[:200].decode()}")
            found.record(loop.time() - due_s.pop(int(number[1])))
            if found.count == orders:
                all_answered.set()

    async def send() -> None:
        start_s = loop.time()
        for number, body in enumerate(islice(servers.bodies(), orders)):
            due_s[number] = due = start_s + number / rate
            if (early_s := due - loop.time()) > 0:
                await asyncio.sleep(early_s)
            message = b'{"method":"place_order","params":%b,"req_id":%d}' % (body, number)
            await connections[number % len(connections)].send(message, text=True)

    with no_garbage_collection():
        async with asyncio.TaskGroup() as tasks:
            receiving = [tasks.create_task(receive(connection)) for connection in connections]
            await send()
            await all_answered.wait()
            for task in receiving:
                task.cancel()
    for connection in connections:
        await connection.close()
    return found
