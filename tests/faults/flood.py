"""One member's flood: many WebSockets, each full of orders that are sent as fast as the venue takes them."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

from tests.faults.deaf_client import text_frame
from tests.faults.traders import an_order

SOCKETS, ORDERS = 16, 8_192
AT_WORK = 1_000
"""Answers after which the flood is at its height."""


class Flood:
    """Sends until everything is sent or it is told to stop; answers are counted and thrown away."""

    def __init__(self, url: str, key: str) -> None:
        self._url, self._key = urlsplit(url), key
        self.answers = 0
        self.refused = 0
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
        """When the venue is in the middle of it."""
        await self._height.wait()

    async def _socket(self, number: int) -> None:
        reader, writer = await asyncio.open_connection(self._url.hostname, self._url.port)
        try:
            writer.write(
                f"GET /v1/ws HTTP/1.1\r\nHost: {self._url.netloc}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}\r\nSec-WebSocket-Version: 13\r\n"
                f"Authorization: Bearer {self._key}\r\n\r\n".encode()
            )
            head = await reader.readuntil(b"\r\n\r\n")
            if b" 101 " not in head.split(b"\r\n", 1)[0]:
                self.refused += 1
                return
            writer.write(b"".join(_order_frame(number, order) for order in range(ORDERS)))
            while data := await reader.read(65_536):
                self.answers += data.count(b'"req_id"')
                if self.answers >= AT_WORK:
                    self._height.set()
        except OSError:
            self.refused += 1
        finally:
            with contextlib.suppress(OSError):
                writer.transport.abort()


def _order_frame(number: int, order: int) -> bytes:
    params = an_order("sell", f"f-{number}-{order}", order)
    return text_frame(json.dumps({"method": "place_order", "params": params, "req_id": order}).encode())
