"""What the TCP proxy can do to a connection, shown on an echo server."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from tests.faults.tcp_proxy import TcpProxy
from tests.patience import PATIENCE_S

pytestmark = pytest.mark.anyio
SOON_S = 0.1
"""In this time nothing may arrive."""


class HeldDelays:
    """The delays of a proxy, which last until the test ends them."""

    def __init__(self) -> None:
        self.last_s = 0.0
        self.began = asyncio.Event()
        self.over = asyncio.Event()

    async def __call__(self, seconds: float) -> None:
        if seconds:
            self.last_s = seconds
            self.began.set()
            await self.over.wait()


class Echo:
    """Answers every read with the bytes it read; keeps the reads."""

    def __init__(self) -> None:
        self.reads: list[bytes] = []
        self.heard = asyncio.Event()
        self.ends = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65_536):
                self.reads.append(data)
                self.heard.set()
                writer.write(data)
            self.ends += 1
            writer.write(b"end")
        writer.close()


class Client:
    """A connection through the proxy."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def exchange(self, data: bytes) -> bytes:
        self.writer.write(data)
        return await self.receive(len(data))

    async def receive(self, size: int) -> bytes:
        return await asyncio.wait_for(self.reader.readexactly(size), PATIENCE_S)

    async def hears_nothing(self) -> bool:
        try:
            await asyncio.wait_for(self.reader.read(1), SOON_S)
        except TimeoutError:
            return True
        return False


@pytest.fixture
def echo() -> Echo:
    return Echo()


@pytest.fixture
def delays() -> HeldDelays:
    return HeldDelays()


@pytest.fixture
async def proxy(echo: Echo, delays: HeldDelays) -> AsyncIterator[TcpProxy]:
    server = await asyncio.start_server(echo.serve, "127.0.0.1", 0)
    async with server, TcpProxy(server.sockets[0].getsockname(), delays).running() as proxy:
        yield proxy


@pytest.fixture
async def connect(proxy: TcpProxy) -> AsyncIterator[Callable[[], Awaitable[Client]]]:
    writers: list[asyncio.StreamWriter] = []

    async def connect() -> Client:
        reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
        writers.append(writer)
        return Client(reader, writer)

    yield connect
    for writer in writers:
        writer.transport.abort()


Connect = Callable[[], Awaitable[Client]]


async def test_it_passes_bytes_and_ends(connect: Connect, echo: Echo) -> None:
    client = await connect()
    data = bytes(range(256)) * 4_000
    assert await client.exchange(data) == data
    client.writer.write_eof()
    assert await asyncio.wait_for(client.reader.read(), PATIENCE_S) == b"end"
    assert echo.ends == 1


async def test_cut(proxy: TcpProxy, connect: Connect) -> None:
    client = await connect()
    assert await client.exchange(b"one") == b"one"
    await proxy.cut()
    assert not proxy.connections
    with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
        await client.receive(1)
    assert await (await connect()).exchange(b"two") == b"two"


async def test_refuse_leaves_open_connections(proxy: TcpProxy, connect: Connect) -> None:
    client = await connect()
    assert await client.exchange(b"one") == b"one"
    await proxy.refuse()
    with pytest.raises(ConnectionRefusedError):
        await connect()
    assert await client.exchange(b"two") == b"two"
    await proxy.heal()
    assert await (await connect()).exchange(b"three") == b"three"


async def test_delay(proxy: TcpProxy, connect: Connect, echo: Echo, delays: HeldDelays) -> None:
    client = await connect()
    await proxy.delay(5, "to_client")
    client.writer.write(b"one")
    await asyncio.wait_for(delays.began.wait(), PATIENCE_S)
    assert (delays.last_s, echo.reads) == (5, [b"one"])
    assert await client.hears_nothing()
    delays.over.set()
    assert await client.receive(3) == b"one"


async def test_half_close(proxy: TcpProxy, connect: Connect, echo: Echo) -> None:
    client = await connect()
    assert await client.exchange(b"one") == b"one"
    await proxy.half_close("to_server")
    assert await client.receive(3) == b"end"
    assert echo.ends == 1


async def test_half_close_towards_the_client(proxy: TcpProxy, connect: Connect, echo: Echo) -> None:
    client = await connect()
    assert await client.exchange(b"one") == b"one"
    await proxy.half_close("to_client")
    assert await asyncio.wait_for(client.reader.read(), PATIENCE_S) == b""
    client.writer.write(b"two")
    while echo.reads != [b"one", b"two"]:
        await asyncio.wait_for(echo.heard.wait(), PATIENCE_S)
        echo.heard.clear()


async def test_single_bytes(proxy: TcpProxy, connect: Connect, echo: Echo) -> None:
    client = await connect()
    await proxy.single_bytes("to_server")
    data = bytes(range(200))
    assert await client.exchange(data) == data
    assert len(echo.reads) > 20


async def test_a_black_hole_keeps_bytes_until_it_heals(proxy: TcpProxy, connect: Connect, echo: Echo) -> None:
    client = await connect()
    await proxy.black_hole("to_client")
    client.writer.write(b"one")
    await asyncio.wait_for(echo.heard.wait(), PATIENCE_S)
    assert echo.reads == [b"one"]
    assert await client.hears_nothing()
    await proxy.black_hole()
    client.writer.write(b"two")
    assert await client.hears_nothing()
    assert echo.reads == [b"one"]
    await proxy.heal()
    assert await client.receive(6) == b"onetwo"


async def test_a_server_that_is_gone(proxy: TcpProxy, connect: Connect) -> None:
    proxy.target = ("127.0.0.1", 1)
    with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
        await (await connect()).exchange(b"one")
