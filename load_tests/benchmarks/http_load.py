"""A small, fast HTTP/1.1 load client: each keep-alive connection sends its next request when the last answer is complete."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from time import perf_counter
from typing import cast

_LENGTH = re.compile(rb"\r\ncontent-length: *([0-9]+)", re.IGNORECASE)


@dataclass
class LoadResult:
    """The answers of a load, and its duration."""

    seconds: float = 0.0
    answers: Counter[str] = field(default_factory=Counter)
    """Counts by HTTP status, or by kind of reply."""

    def rate(self, expected: str) -> float:
        """Answers a second. Raises RuntimeError if any answer is not `expected`: a rate of errors is worthless."""
        if set(self.answers) != {expected}:
            raise RuntimeError(f"expected only {expected!r} as answers, got {dict(self.answers)}")
        return self.answers.total() / self.seconds


def post(path: str, host: str, body: bytes, key: str = "") -> bytes:
    """A POST request as bytes."""
    return request("POST", path, host, body, key)


def request(method: str, path: str, host: str, body: bytes, key: str = "") -> bytes:
    """An HTTP/1.1 request with a JSON body as bytes."""
    authorization = f"authorization: Bearer {key}\r\n" if key else ""
    head = f"{method} {path} HTTP/1.1\r\nhost: {host}\r\n{authorization}content-type: application/json\r\n"
    return f"{head}content-length: {len(body)}\r\n\r\n".encode() + body


async def load(port: int, streams: Sequence[Iterator[bytes]]) -> LoadResult:
    """Sends each stream's requests over a connection of its own, one at a time; returns after the last answer."""
    result = LoadResult()
    loop = asyncio.get_running_loop()
    connections = []
    for stream in streams:
        _, connection = await loop.create_connection(lambda s=stream: _Connection(s, result), "127.0.0.1", port)  # type: ignore[misc]
        connections.append(connection)
    start = perf_counter()
    for connection in connections:
        connection.send_next()
    await asyncio.gather(*(connection.ended for connection in connections))
    result.seconds = perf_counter() - start
    return result


class _Connection(asyncio.Protocol):
    def __init__(self, stream: Iterator[bytes], result: LoadResult) -> None:
        self._stream = stream
        self._result = result
        self._buffer = b""
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are no subclasses of asyncio's.
        self._transport = cast(asyncio.Transport, transport)

    def send_next(self) -> None:
        request = next(self._stream, None)
        if request is None:
            self.ended.set_result(None)
            self._transport.close()
        else:
            self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head_end = self._buffer.find(b"\r\n\r\n")
        if head_end < 0:
            return
        length = _LENGTH.search(self._buffer, 0, head_end)
        if length is None or len(self._buffer) < head_end + 4 + int(length[1]):
            return
        self._result.answers[self._buffer[9:12].decode()] += 1
        self._buffer = b""
        self.send_next()

    def connection_lost(self, error: Exception | None) -> None:
        if not self.ended.done():
            self.ended.set_exception(ConnectionError(f"the server closed the connection: {error}"))
