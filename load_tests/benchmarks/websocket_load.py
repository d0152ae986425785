"""A small, fast WebSocket load client: it keeps a window of messages under way on each connection.

Frames are masked with a zero key: RFC 6455 allows it, and it costs the client nothing.
"""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Callable, Iterator, Sequence
from time import perf_counter
from typing import cast

from load_tests.benchmarks.http_load import LoadResult

_NO_MASK = b"\0\0\0\0"


def text_frame(payload: bytes) -> bytes:
    """A masked text frame."""
    size = len(payload)
    if size < 126:
        return bytes((0x81, 0x80 | size)) + _NO_MASK + payload
    return struct.pack(">BBH", 0x81, 0x80 | 126, size) + _NO_MASK + payload


def handshake(port: int, path: str, key: str) -> bytes:
    """The request that opens a WebSocket, with a key where there is one."""
    authorization = f"authorization: Bearer {key}\r\n" if key else ""
    return (
        f"GET {path} HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\nupgrade: websocket\r\nconnection: Upgrade\r\n"
        f"sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\nsec-websocket-version: 13\r\n{authorization}\r\n"
    ).encode()


def read_frames(buffer: bytes) -> tuple[list[tuple[int, bytes]], bytes]:
    """The whole frames of a server at the start of a buffer, each with its opcode, and what is left."""
    frames, at = [], 0
    while len(buffer) >= at + 2:
        size, start = buffer[at + 1], at + 2
        if size == 126:
            if len(buffer) < at + 4:
                break
            size, start = int.from_bytes(buffer[at + 2 : at + 4], "big"), at + 4
        elif size == 127:
            if len(buffer) < at + 10:
                break
            size, start = int.from_bytes(buffer[at + 2 : at + 10], "big"), at + 10
        if len(buffer) < start + size:
            break
        frames.append((buffer[at] & 0x0F, buffer[start : start + size]))
        at = start + size
    return frames, buffer[at:]


async def load(
    port: int,
    path: str,
    keys: Sequence[str],
    streams: Sequence[Iterator[bytes]],
    window: int,
    kind_of: Callable[[bytes], str],
) -> LoadResult:
    """Sends each stream's frames over a connection of its own, with the key of the same index; returns after the last answer.

    `kind_of` names the kind of a reply, under which it is counted.
    """
    result = LoadResult()
    windows = [
        await _Window.open(port, path, key, stream, result, kind_of) for key, stream in zip(keys, streams, strict=True)
    ]
    start = perf_counter()
    for one in windows:
        one.send(window)
    await asyncio.gather(*(one.connection.ended for one in windows))
    result.seconds = perf_counter() - start
    return result


class Connection(asyncio.Protocol):
    """A WebSocket. Calls `on_texts` with the text messages of each arrival."""

    def __init__(self, on_texts: Callable[[list[bytes]], None]) -> None:
        loop = asyncio.get_running_loop()
        self._on_texts = on_texts
        self._buffer = b""
        self._open = False
        self.opened: asyncio.Future[None] = loop.create_future()
        self.ended: asyncio.Future[None] = loop.create_future()

    @classmethod
    async def open(cls, port: int, path: str, key: str, on_texts: Callable[[list[bytes]], None]) -> Connection:
        """A connection that has shaken hands. Raises ConnectionError."""
        loop = asyncio.get_running_loop()
        transport, connection = await loop.create_connection(lambda: cls(on_texts), "127.0.0.1", port)
        transport.write(handshake(port, path, key))
        await connection.opened
        return connection

    def send(self, frames: bytes) -> None:
        """Sends whole frames."""
        self._transport.write(frames)

    def close(self) -> None:
        """Ends the connection."""
        if not self.ended.done():
            self.ended.set_result(None)
        self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:  # noqa: D102
        # uvloop's transports are no subclasses of asyncio's.
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:  # noqa: D102
        self._buffer += data
        if not self._open:
            self._finish_handshake()
            return
        frames, self._buffer = read_frames(self._buffer)
        self._on_texts([payload for opcode, payload in frames if opcode == 1])

    def _finish_handshake(self) -> None:
        head, end, rest = self._buffer.partition(b"\r\n\r\n")
        if not end:
            return
        if not head.startswith(b"HTTP/1.1 101"):
            self.opened.set_exception(ConnectionError(f"no WebSocket here: {head[:100]!r}"))
            return
        self._open, self._buffer = True, rest
        self.opened.set_result(None)

    def connection_lost(self, error: Exception | None) -> None:  # noqa: D102
        for future in (self.opened, self.ended):
            if not future.done():
                future.set_exception(ConnectionError(f"the server closed the connection: {error}"))


class _Window:
    """Keeps a number of a stream's messages under way."""

    connection: Connection

    def __init__(self, stream: Iterator[bytes], result: LoadResult, kind_of: Callable[[bytes], str]) -> None:
        self._stream, self._result, self._kind_of = stream, result, kind_of
        self._under_way = 0

    @classmethod
    async def open(
        cls,
        port: int,
        path: str,
        key: str,
        stream: Iterator[bytes],
        result: LoadResult,
        kind_of: Callable[[bytes], str],
    ) -> _Window:
        window = cls(stream, result, kind_of)
        window.connection = await Connection.open(port, path, key, window.receive)
        return window

    def send(self, count: int) -> None:
        frames = [frame for _, frame in zip(range(count), self._stream, strict=False)]
        if frames:
            self._under_way += len(frames)
            self.connection.send(b"".join(frames))
        elif not self._under_way:
            self.connection.close()

    def receive(self, replies: list[bytes]) -> None:
        for reply in replies:
            self._result.answers[self._kind_of(reply)] += 1
        self._under_way -= len(replies)
        if replies:
            self.send(len(replies))
