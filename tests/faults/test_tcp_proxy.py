"""What the TCP proxy can do to a connection, shown on an echo server. Cuts and black holes:
`tests/integration/test_link_faults.py`."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests.faults.tcp_proxy import TcpProxy
from tests.patience import PATIENCE_S

pytestmark = pytest.mark.anyio
LONG_S, SOON_S = 3_600, 0.1
"""In the short time nothing may arrive."""


class Echo:
    """Answers every read with the bytes it read, and the end with "end"; keeps the reads."""

    def __init__(self) -> None:
        self.reads: list[bytes] = []
        self.heard = asyncio.Event()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65_536):
                self.reads.append(data)
                self.heard.set()
                writer.write(data)
            writer.write(b"end")
        writer.close()


@asynccontextmanager
async def connected() -> AsyncIterator[tuple[TcpProxy, Echo, asyncio.StreamReader, asyncio.StreamWriter]]:
    """A proxy before an echo server, and a connection through it that has answered once."""
    echo = Echo()
    server = await asyncio.start_server(echo.serve, "127.0.0.1", 0)
    async with asyncio.timeout(PATIENCE_S), server, TcpProxy(server.sockets[0].getsockname()).running() as proxy:
        reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
        writer.write(b"one")
        assert await reader.readexactly(3) == b"one"
        echo.reads.clear()
        echo.heard.clear()
        try:
            yield proxy, echo, reader, writer
        finally:
            await close(writer)


async def close(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()


async def test_refused_connections_leave_open_ones() -> None:
    async with connected() as (proxy, _, reader, writer):
        await proxy.refuse()
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", proxy.port)
        writer.write(b"two")
        assert await reader.readexactly(3) == b"two"
        await proxy.heal()
        _, another = await asyncio.open_connection("127.0.0.1", proxy.port)
        await close(another)


@pytest.mark.parametrize("harm", ["delay", "black hole"])
async def test_one_direction_passes_while_nothing_comes_back(harm: str) -> None:
    async with connected() as (proxy, echo, reader, writer):
        await (proxy.delay(LONG_S, "to_client") if harm == "delay" else proxy.black_hole("to_client"))
        writer.write(b"two")
        await echo.heard.wait()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(reader.read(1), SOON_S)


async def test_a_half_closed_connection_ends_in_one_direction() -> None:
    async with connected() as (proxy, echo, reader, writer):
        await proxy.half_close("to_client")
        assert await reader.read() == b""
        writer.write(b"two")
        await echo.heard.wait()
        await proxy.half_close("to_server")
    async with connected() as (proxy, echo, reader, _):
        await proxy.half_close("to_server")
        assert await reader.readexactly(3) == b"end"


async def test_single_bytes() -> None:
    async with connected() as (proxy, echo, reader, writer):
        await proxy.single_bytes("to_server")
        data = bytes(range(200))
        writer.write(data)
        assert await reader.readexactly(200) == data
        assert len(echo.reads) > 20
