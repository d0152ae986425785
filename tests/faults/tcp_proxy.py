"""A TCP proxy that damages connections on demand: cut, refused, delayed, half closed, in single bytes, or silent."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Literal
from urllib.parse import urlsplit, urlunsplit

from load_tests.servers.server_process import free_port

Direction = Literal["to_server", "to_client"]
DIRECTIONS: tuple[Direction, Direction] = ("to_server", "to_client")
READ_BYTES = 65_536
HALF_CLOSED_S = 0.05


class Lane:
    """How the bytes of one direction pass, in every connection."""

    def __init__(self) -> None:
        self.delay_s = 0.0
        self.piece_bytes = READ_BYTES
        self.left_bytes: int | None = None
        """After so many the connection is cut, or half closed and cut a moment later."""
        self.half_closes = False
        self.flowing = asyncio.Event()
        self.flowing.set()


class Connection:
    """One client's connection and the proxy's own to the server."""

    def __init__(
        self,
        client: tuple[asyncio.StreamReader, asyncio.StreamWriter],
        server: tuple[asyncio.StreamReader, asyncio.StreamWriter],
        lanes: dict[Direction, Lane],
    ) -> None:
        self.writers: dict[Direction, asyncio.StreamWriter] = {"to_server": server[1], "to_client": client[1]}
        readers: dict[Direction, asyncio.StreamReader] = {"to_server": client[0], "to_client": server[0]}
        self.tasks: dict[Direction, asyncio.Task[None]] = {
            direction: asyncio.create_task(self._pass(readers[direction], self.writers[direction], lanes[direction]))
            for direction in DIRECTIONS
        }

    async def ended(self) -> None:
        """Returns when nothing passes in either direction."""
        await asyncio.wait(self.tasks.values())

    def cut(self) -> None:
        """Resets both connections; bytes on their way are lost."""
        for direction in DIRECTIONS:
            self.tasks[direction].cancel()
            self.writers[direction].transport.abort()

    def half_close(self, direction: Direction) -> None:
        """The receiver of this direction reads the end; the other direction passes on."""
        self.tasks[direction].cancel()
        with contextlib.suppress(OSError):
            self.writers[direction].write_eof()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, lane: Lane) -> None:
        with contextlib.suppress(OSError):
            while (lane.left_bytes is None or lane.left_bytes > 0) and (data := await reader.read(READ_BYTES)):
                await asyncio.sleep(lane.delay_s)
                data = data[: lane.left_bytes]
                if lane.left_bytes is not None:
                    lane.left_bytes -= len(data)
                while data:
                    await lane.flowing.wait()
                    writer.write(data[: lane.piece_bytes])
                    data = data[lane.piece_bytes :]
                    await writer.drain()
                    await asyncio.sleep(0)  # The next piece is another packet.
            if lane.left_bytes is None or lane.half_closes:
                await lane.flowing.wait()
                writer.write_eof()
                if not lane.half_closes:
                    return
                await asyncio.sleep(HALF_CLOSED_S)
        for each in self.writers.values():  # One side is gone, or it is cut: so is the connection.
            each.transport.abort()


class TcpProxy:
    """Listens on a free port of 127.0.0.1 within `running`, and forwards to `target`, a host and a port.

    `target` may be replaced: new connections go to the new one, as after a failover.
    """

    def __init__(self, target: tuple[str, int]) -> None:
        self.target = target
        self.port = free_port()
        self.connections: set[Connection] = set()
        self._lanes: dict[Direction, Lane] = {}
        self._listener: asyncio.Server | None = None

    @asynccontextmanager
    async def running(self) -> AsyncIterator[TcpProxy]:
        """Listens while the block runs, and cuts what is left of its connections."""
        self._lanes = {direction: Lane() for direction in DIRECTIONS}
        await self.accept()
        try:
            yield self
        finally:
            await self.refuse()
            await self.cut()

    async def accept(self) -> None:
        """Accepts new connections, as at the start."""
        if self._listener is None:
            self._listener = await asyncio.start_server(self._connected, "127.0.0.1", self.port)

    async def refuse(self) -> None:
        """Refuses new connections. Those that are open go on."""
        if self._listener is not None:
            self._listener.close()
            self._listener = None

    async def cut(self) -> None:
        """Resets every open connection. Returns when they have ended."""
        cut = list(self.connections)
        for connection in cut:
            connection.cut()
        for connection in cut:
            await connection.ended()

    async def half_close(self, direction: Direction) -> None:
        """Ends one direction of every open connection."""
        for connection in self.connections:
            connection.half_close(direction)

    async def delay(self, seconds: float, *directions: Direction) -> None:
        """Bytes pass this much later: in the directions named, or in both."""
        for lane in self._named(directions):
            lane.delay_s = seconds

    async def single_bytes(self, *directions: Direction) -> None:
        """Every byte is a packet of its own."""
        for lane in self._named(directions):
            lane.piece_bytes = 1

    async def black_hole(self, *directions: Direction) -> None:
        """Nothing passes, not even an end. As over TCP, bytes on their way arrive after `heal`."""
        for lane in self._named(directions):
            lane.flowing.clear()

    async def heal(self) -> None:
        """Everything passes at once, and new connections are accepted."""
        for lane in self._lanes.values():
            lane.delay_s = 0.0
            lane.piece_bytes = READ_BYTES
            lane.flowing.set()
        await self.accept()

    def _named(self, directions: tuple[Direction, ...]) -> list[Lane]:
        return [self._lanes[direction] for direction in directions or DIRECTIONS]

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._forward(reader, writer, self._lanes)

    async def _forward(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, lanes: dict[Direction, Lane]
    ) -> None:
        try:
            server = await asyncio.open_connection(*self.target)
        except BaseException as error:
            writer.transport.abort()  # Also where the loop ends meanwhile: nobody else knows of this socket yet.
            if isinstance(error, OSError):
                return
            raise
        connection = Connection((reader, writer), server, lanes)
        self.connections.add(connection)
        try:
            await connection.ended()
        finally:
            self.connections.discard(connection)
            server[1].close()
            writer.close()


def through(url: str, port: int) -> str:
    """The URL with the address of the proxy that listens on this port."""
    parts = urlsplit(url)
    user = parts.netloc.rpartition("@")[0]
    return urlunsplit(parts._replace(netloc=f"{user}@127.0.0.1:{port}"))


def server_of(url: str) -> tuple[str, int]:
    """Host and port of a URL."""
    parts = urlsplit(url)
    assert parts.hostname is not None
    assert parts.port is not None
    return parts.hostname, parts.port
