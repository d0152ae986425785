"""A member that places and cancels an order at a steady rate, over a WebSocket and over REST, and records the response
times."""

from __future__ import annotations

import asyncio
import json
import math
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable
from itertools import count
from time import perf_counter
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

from load_tests.benchmarks.http_load import request

PAIRS_PER_SECOND = 25
"""Pairs of a place and a cancel, over the WebSocket and over REST each."""


class Answers:
    """Response times in ms by operation ("REST place"), and refusals by code."""

    def __init__(self) -> None:
        self.milliseconds: dict[str, list[float]] = defaultdict(list)
        self.refusals: Counter[str] = Counter()

    def add(self, operation: str, start: float, problem: dict[str, Any] | None) -> None:
        """Records an answer that arrived now, to a request sent at `start` (of perf_counter, in seconds)."""
        self.milliseconds[operation].append((perf_counter() - start) * 1e3)
        if problem is not None:
            self.refusals[problem["code"]] += 1

    def percentile(self, operation: str, percent: float) -> float:
        """A percentile of the response times, in ms, by nearest rank."""
        ordered = sorted(self.milliseconds[operation])
        return ordered[max(math.ceil(len(ordered) * percent / 100) - 1, 0)]


class ModestMember:
    """Trades with one key. `order` is the body it places, without client_order_id."""

    def __init__(self, port: int, key: str, order: dict[str, Any]) -> None:
        self._port, self._key, self._order = port, key, order
        self._numbers = count()

    async def trade(self, answers: Answers, seconds: float) -> None:
        """Trades for `seconds`, and waits for the last answers. Adds to `answers`."""
        headers = {"authorization": f"Bearer {self._key}"}
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        async with connect(f"ws://127.0.0.1:{self._port}/v1/ws", additional_headers=headers, proxy=None) as socket:
            await asyncio.gather(
                _paced(seconds, lambda: self._over_websocket(socket, answers)),
                _paced(seconds, lambda: self._over_rest(reader, writer, answers)),
            )
        writer.close()
        await writer.wait_closed()

    async def _over_websocket(self, socket: ClientConnection, answers: Answers) -> None:
        name = f"m{next(self._numbers)}"
        for operation, method, params in (
            ("WebSocket place", "place_order", {**self._order, "client_order_id": name}),
            ("WebSocket cancel", "cancel_order", {"client_order_id": name}),
        ):
            start = perf_counter()
            await socket.send(json.dumps({"method": method, "params": params, "req_id": name}))
            answers.add(operation, start, json.loads(await socket.recv()).get("error"))

    async def _over_rest(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, answers: Answers) -> None:
        name = f"m{next(self._numbers)}"
        body = json.dumps({**self._order, "client_order_id": name}).encode()
        for operation, method, path, content in (
            ("REST place", "POST", "/v1/orders", body),
            ("REST cancel", "DELETE", f"/v1/orders?client_order_id={name}", b""),
        ):
            start = perf_counter()
            writer.write(request(method, path, f"127.0.0.1:{self._port}", content, self._key))
            head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
            length = int(head.partition("content-length: ")[2].partition("\r\n")[0])
            answer = json.loads(await reader.readexactly(length))
            answers.add(operation, start, answer if int(head[9:12]) >= 400 else None)


async def _paced(seconds: float, pair: Callable[[], Awaitable[None]]) -> None:
    """Runs `pair` at PAIRS_PER_SECOND; skips the pairs that fall due while one is running."""
    loop = asyncio.get_running_loop()
    start = loop.time()
    while (now := loop.time()) < start + seconds:
        turn = math.ceil((now - start) * PAIRS_PER_SECOND)
        await asyncio.sleep(start + turn / PAIRS_PER_SECOND - now)
        await pair()
