"""One member's flood: many WebSockets, each of which sends orders as fast as the venue accepts them."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

from tests.faults.deaf_client import text_frame, upgrade_request
from tests.faults.traders import an_order

SOCKETS = 16
AT_ONCE = 256
AT_WORK = 20_000
"""The number of replies after which the flood is at its full rate."""


class Flood:
    """Sends until it is stopped; counts and discards the replies."""

    def __init__(self, url: str, key: str) -> None:
        self._url, self._key = urlsplit(url), key
        self.answers = 0
        self.refused = 0
        self.closed = 0
        self._height = asyncio.Event()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Flood]:
        tasks = [asyncio.create_task(self._socket(number)) for number in range(SOCKETS)]
        try:
            yield self
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)

    async def at_work(self) -> None:
        """Returns when the flood is at its full rate."""
        await self._height.wait()

    async def _socket(self, number: int) -> None:
        """One WebSocket: opened again if the venue closes it (it answers no pings), not if the venue refuses it."""
        orders = itertools.count()
        while True:
            try:
                reader, writer = await asyncio.open_connection(self._url.hostname, self._url.port)
            except OSError:
                self.refused += 1
                return
            try:
                writer.write(upgrade_request(self._url.netloc, self._key))
                head = await reader.readuntil(b"\r\n\r\n")
                if b" 101 " not in head.split(b"\r\n", 1)[0]:
                    self.refused += 1
                    return
                async with asyncio.TaskGroup() as both:
                    both.create_task(self._send(writer, number, orders))
                    both.create_task(self._count(reader))
            except* (OSError, asyncio.IncompleteReadError):
                self.closed += 1
            finally:
                writer.transport.abort()

    async def _send(self, writer: asyncio.StreamWriter, number: int, orders: Iterator[int]) -> None:
        for order in orders:
            writer.write(_order_frame(number, order))
            if order % AT_ONCE == 0:
                await writer.drain()

    async def _count(self, reader: asyncio.StreamReader) -> None:
        while data := await reader.read(65_536):
            self.answers += data.count(b'"req_id"')
            if self.answers >= AT_WORK:
                self._height.set()
        raise ConnectionError("the venue has closed a socket of the flood")


def _order_frame(number: int, order: int) -> bytes:
    params = an_order("sell", f"f-{number}-{order}", order)
    return text_frame(json.dumps({"method": "place_order", "params": params, "req_id": order}).encode())
