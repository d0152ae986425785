"""An HTTP client that sends any bytes and reads any answer, for requests that no well-behaved client would send."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

from tests.integration.served_venue import Served
from tests.patience import PATIENCE_S


class Answer(NamedTuple):
    """One HTTP answer."""

    status: int
    headers: dict[str, str]
    body: bytes

    def code(self) -> str:
        """The code of a problem document."""
        assert self.headers["content-type"] == "application/problem+json"
        document: dict[str, Any] = json.loads(self.body)
        assert document["status"] == self.status
        return str(document["code"])


class RawConnection:
    """One socket."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def send(self, data: bytes) -> None:
        """Sends as much as the venue takes: it may close the connection before."""
        try:
            self.writer.write(data)
            await self.writer.drain()
        except ConnectionError:
            return

    async def answer(self) -> Answer:
        """The next answer, with its whole body."""
        async with asyncio.timeout(PATIENCE_S):
            head = (await self.reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            headers = dict(line.lower().split(": ", 1) for line in head[1:] if line)
            body = await self.reader.readexactly(int(headers["content-length"]))
        return Answer(int(head[0].split()[1]), headers, body)

    async def ended(self) -> bytes:
        """The bytes that arrive until the venue closes."""
        async with asyncio.timeout(PATIENCE_S):
            try:
                return await self.reader.read()
            except ConnectionResetError:
                return b""


@asynccontextmanager
async def raw_connection(
    served: Served, *, receive_buffer_bytes: int | None = None, address: str = ""
) -> AsyncIterator[RawConnection]:
    """A connection to the venue. With a small buffer the client's kernel holds few unread bytes."""
    sock = socket.socket()
    sock.bind((address, 0))
    if receive_buffer_bytes is not None:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer_bytes)
    sock.setblocking(False)
    host, port = served.url.removeprefix("http://").split(":")
    await asyncio.get_running_loop().sock_connect(sock, (host, int(port)))
    reader, writer = await asyncio.open_connection(sock=sock)
    try:
        yield RawConnection(reader, writer)
    finally:
        writer.transport.abort()


async def until(condition: Callable[[], Any]) -> None:
    """Runs the venue until the condition holds."""
    async with asyncio.timeout(PATIENCE_S):
        while not condition():
            await _turn()


async def _turn() -> None:
    await asyncio.sleep(0)
