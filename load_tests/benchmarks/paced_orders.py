"""Orders over WebSocket on a schedule: each is sent when it is due, however late the replies are."""

from __future__ import annotations

import asyncio
import re
from contextlib import ExitStack
from itertools import islice
from typing import NamedTuple

from load_tests.benchmarks.gateway_rates import Servers
from load_tests.benchmarks.measurement import no_garbage_collection
from load_tests.benchmarks.websocket_load import Connection, text_frame
from load_tests.replay.latency import Latencies

_NUMBER = re.compile(rb'"req_id": ?(\d+)')


class Paced(NamedTuple):
    """Percentiles in microseconds (`Latencies.summary_us`), from when each order was due."""

    replied: dict[str, int]
    """To its reply."""
    sent: dict[str, int]
    """To when it was sent: what the load itself was late."""


async def replies(servers: Servers, rate: float, orders: int) -> Paced:
    """`rate` orders a second over one connection of each account in turn.

    The load is sent without garbage collection: its pauses, of 50 ms and more, would count as the venue's.
    Raises an ExceptionGroup for any reply but an order, and where the venue closes a connection.
    """
    replied, sent, due_s = Latencies(), Latencies(), dict[int, float]()
    now = asyncio.get_running_loop().time
    all_answered = asyncio.get_running_loop().create_future()

    def end(error: BaseException | None) -> None:
        if not all_answered.done():
            all_answered.set_result(None) if error is None else all_answered.set_exception(error)

    def receive(texts: list[bytes]) -> None:
        for reply in texts:
            number = _NUMBER.search(reply)
            if number is None:
                continue  # no reply: a greeting or an event
            if b'"error"' in reply:
                end(RuntimeError(f"not an order: {reply[:200].decode()}"))
            elif (due := due_s.pop(int(number[1]), None)) is not None:
                replied.record(now() - due)
        if replied.count == orders:
            end(None)

    async def send() -> None:
        start_s = now()
        for number, body in enumerate(islice(servers.bodies(), orders)):
            due_s[number] = due = start_s + number / rate
            frame = text_frame(b'{"method":"place_order","params":%b,"req_id":%d}' % (body, number))
            await asyncio.sleep(max(due - now(), 0))  # Also where it is late: the replies are read meanwhile.
            connections[number % len(connections)].send(frame)
            sent.record(now() - due)

    with no_garbage_collection(), ExitStack() as opened:
        connections = list[Connection]()
        for account in servers.accounts:
            connections.append(await Connection.open(servers.venue_port, "/v1/ws", account.key, receive))
            connections[-1].ended.add_done_callback(lambda ended: end(ended.exception()))
            opened.callback(connections[-1].close)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(send())
            await all_answered
    return Paced(replied.summary_us(), sent.summary_us())
