"""A visitor without a key who floods the venue with requests, over CONNECTIONS connections. It is a process of its own.

It floods until its standard input ends, then prints the number of answers by status as JSON.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from itertools import cycle

from load_tests.benchmarks import http_load
from load_tests.child_process import beside

CONNECTIONS = 4


def get(port: int, path: str) -> bytes:
    """A request as a browser sends it."""
    head = f"GET {path} HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\naccept: text/html\r\naccept-encoding: gzip\r\n\r\n"
    return head.encode()


@asynccontextmanager
async def flooded(port: int, paths: Sequence[str], answers: dict[str, int]) -> AsyncIterator[None]:
    """Floods with the paths in turn while the block runs; then adds the answers by status."""
    async with beside("load_tests.benchmarks.anonymous_flood", str(port), *paths) as found:
        yield
    for status, count in found.items():
        answers[status] = answers.get(status, 0) + count


async def _flood(port: int, paths: Sequence[str]) -> dict[str, int]:
    ended = asyncio.Event()
    asyncio.get_running_loop().add_reader(sys.stdin, ended.set)
    requests = cycle([get(port, path) for path in paths])

    def until_ended() -> Iterator[bytes]:
        while not ended.is_set():
            yield next(requests)

    print(json.dumps({"connections": CONNECTIONS}), flush=True)
    return dict((await http_load.load(port, [until_ended() for _ in range(CONNECTIONS)])).answers)


if __name__ == "__main__":
    print(json.dumps(asyncio.run(_flood(int(sys.argv[1]), sys.argv[2:]))), flush=True)
