"""A member that floods the venue: one key, SOCKETS WebSockets, WINDOW orders pipelined on each. It is a process of its own.

It floods until its standard input ends, reads the remaining replies, then prints the number of answers of each kind as JSON.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from itertools import count
from time import perf_counter
from typing import Any, NamedTuple

from load_tests.benchmarks import websocket_load
from load_tests.child_process import beside

SOCKETS = 16
WINDOW = 1_024
"""Orders sent over each socket before a reply: four times what the venue takes of a whole key. More would delay the pong behind
them, and the venue closes a socket without a pong for 20 seconds."""


class Flood(NamedTuple):
    """The result of a flood."""

    answers: dict[str, int]
    """Counts: orders, problems by code, and sockets that the venue closed."""
    seconds: float


@asynccontextmanager
async def flooding(port: int, key: str, order: dict[str, Any], floods: list[Flood]) -> AsyncIterator[None]:
    """Floods while the block runs; then appends the result to `floods`, once all replies have arrived."""
    async with beside("load_tests.benchmarks.flood", str(port), key, json.dumps(order)) as found:
        yield
    floods.append(Flood(**found))


def main(arguments: Sequence[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("port", type=int)
    parser.add_argument("key")
    parser.add_argument("order", help="the order as JSON, without client_order_id")
    options = parser.parse_args(arguments)
    flood = asyncio.run(_flood(options.port, options.key, options.order.encode()))
    print(json.dumps(flood._asdict()), flush=True)


async def _flood(port: int, key: str, order: bytes) -> Flood:
    ended = asyncio.Event()
    asyncio.get_running_loop().add_reader(sys.stdin, ended.set)
    numbers = count()
    answers: Counter[str] = Counter()

    def frames() -> Iterator[bytes]:
        while not ended.is_set():
            yield websocket_load.text_frame(
                b'{"method":"place_order","params":%b,"req_id":%d}' % (order, next(numbers))
            )

    async def one_socket() -> None:
        while not ended.is_set():
            try:
                result = await websocket_load.load(port, "/v1/ws", [key], [frames()], WINDOW, _kind_of_reply)
            except ConnectionError:
                answers["closed by the venue"] += 1
            else:
                answers.update(result.answers)

    start = perf_counter()
    print(json.dumps({"sockets": SOCKETS}), flush=True)
    await asyncio.gather(*(one_socket() for _ in range(SOCKETS)))
    return Flood(answers, perf_counter() - start)


def _kind_of_reply(payload: bytes) -> str:
    return "order" if b'"error"' not in payload else str(json.loads(payload)["error"]["code"])


if __name__ == "__main__":
    main()
