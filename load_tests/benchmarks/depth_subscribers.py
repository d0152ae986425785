"""Many subscribers of depth, each with a socket of its own, in a process of their own: they stand for other machines.

Arguments: port, number of subscribers, file, interval_ms (0: none), symbols with a comma between, then keys. Each subscriber
follows one symbol. When all have their snapshot it prints a line; at the end of its standard input it writes to the file a row
for each update: symbol, prev_seq, seq, and the time in ns of the machine's monotonic clock. Then it prints what it counted.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from array import array
from functools import partial
from pathlib import Path
from typing import cast

import msgspec

from load_tests.benchmarks.websocket_load import handshake, read_frames, text_frame

PATH = "/v1/ws"
COLUMNS = 4


class _Push(msgspec.Struct):
    """What is read of a message."""

    type: str = ""
    seq: int = 0
    prev_seq: int | None = None


_decode = msgspec.json.Decoder(_Push).decode


class Counts:
    """What all subscribers got."""

    def __init__(self) -> None:
        self.rows = array("q")
        self.snapshots = 0
        self.gaps = 0
        """Updates that do not follow the push before, which no snapshot explains."""
        self.waiting = 0
        self.ready = asyncio.Event()
        """Set when no subscriber waits for its first snapshot."""


class Subscriber(asyncio.Protocol):
    """One socket."""

    def __init__(self, request: bytes, number: int, counts: Counts) -> None:
        self._request = request
        self._number = number
        self._counts = counts
        self._buffer = b""
        self._open = False
        self._seq: int | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Asks for the WebSocket."""
        self._transport = cast(asyncio.Transport, transport)
        self._transport.write(self._request)

    def subscribe(self, frame: bytes) -> None:
        """Sends the request to subscribe."""
        self._transport.write(frame)

    def data_received(self, data: bytes) -> None:
        """Counts the messages, and answers pings."""
        now_ns = time.monotonic_ns()
        self._buffer += data
        if not self._open:
            _, end, self._buffer = self._buffer.partition(b"\r\n\r\n")
            self._open = bool(end)
        frames, self._buffer = read_frames(self._buffer)
        for opcode, payload in frames:
            if opcode == 1:
                self._take(_decode(payload), now_ns)
            elif opcode == 9:
                self._transport.write(bytes((0x8A, 0x80 | len(payload))) + bytes(4) + payload)

    def _take(self, push: _Push, now_ns: int) -> None:
        counts = self._counts
        if push.type == "snapshot":
            counts.snapshots += 1
            if self._seq is None:
                counts.waiting -= 1
                if not counts.waiting:
                    counts.ready.set()
            self._seq = push.seq
        elif push.type == "update" and self._seq is not None:
            if push.prev_seq != self._seq:
                counts.gaps += 1
            counts.rows.extend((self._number, self._seq, push.seq, now_ns))
            self._seq = push.seq


async def _follow(
    port: int, subscribers: int, file: Path, interval_ms: int, symbols: list[str], keys: list[str]
) -> None:
    loop, counts = asyncio.get_running_loop(), Counts()
    counts.waiting = subscribers
    ended = asyncio.Event()
    loop.add_reader(sys.stdin, ended.set)
    option = {"interval_ms": interval_ms} if interval_ms else {}
    for number in range(subscribers):
        symbol = number % len(symbols)
        request = handshake(port, PATH, keys[number % len(keys)])
        _, subscriber = await loop.create_connection(partial(Subscriber, request, symbol, counts), "127.0.0.1", port)
        params = {"channels": ["depth"], "symbols": [symbols[symbol]], **option}
        subscriber.subscribe(text_frame(json.dumps({"method": "subscribe", "params": params}).encode()))
    await counts.ready.wait()
    print(json.dumps({"subscribed": subscribers}), flush=True)
    await ended.wait()
    await asyncio.to_thread(file.write_bytes, counts.rows.tobytes())
    spent = sum(os.times()[:2])
    print(json.dumps({"snapshots": counts.snapshots - subscribers, "gaps": counts.gaps, "cpu_s": spent}), flush=True)


if __name__ == "__main__":
    _port, _subscribers, _file, _interval, _symbols, *_keys = sys.argv[1:]
    asyncio.run(_follow(int(_port), int(_subscribers), Path(_file), int(_interval), _symbols.split(","), _keys))
