"""An ended connection is freed at once. Where it waited for a full garbage collection, which is rare in a process that takes
orders, 40,000 sockets took 100 MiB."""

from __future__ import annotations

import gc
import json
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from websockets.server import ServerProtocol

from services.gateway.websocket.connection import Connection
from tests.integration.raw_http import raw_connection, until
from tests.integration.served_venue import Served, served_venue
from tests.integration.test_websocket_limits import frame, handshake

pytestmark = pytest.mark.anyio

HOST = b"host: 127.0.0.1\r\n\r\n"
REQUESTS = {
    "nothing": b"",
    "a request": b"GET /healthz HTTP/1.1\r\n" + HOST,
    "a request of the application": b"GET /v1/reports/decisions HTTP/1.1\r\n" + HOST,
    "a broken request": b"GARBAGE\r\n\r\n",
    "half a request": b"GET / HT",
}


@pytest.fixture
def no_collection() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def connections(served: Served) -> list[weakref.ref[object]]:
    return [weakref.ref(connection) for connection in served.server.server_state.connections]


async def freed(served: Served, ended: list[weakref.ref[object]]) -> None:
    """Times out if one of them stays."""
    assert ended
    await until(lambda: served.server.server_state.open == 0)
    await until(lambda: all(connection() is None for connection in ended))


async def test_an_http_connection(tmp_path: Path, no_collection: None) -> None:
    async with served_venue(tmp_path) as served:
        for kind, request in REQUESTS.items():
            async with raw_connection(served) as raw:
                await until(lambda: served.server.server_state.open == 1)
                ended = connections(served)
                await raw.send(request)
                if kind not in ("nothing", "half a request"):
                    await raw.answer()
            await freed(served, ended)


SUBSCRIBED: dict[str, list[dict[str, Any]]] = {
    "to nothing": [],
    "to the market": [{"channels": ["depth", "trades", "ticker", "top"], "symbols": ["*"]}],
    "to its own orders": [{"channels": ["orders", "fills", "balances"]}],
}


async def test_a_websocket(tmp_path: Path, no_collection: None) -> None:
    async with served_venue(tmp_path) as served:
        for to in SUBSCRIBED.values():
            async with raw_connection(served) as raw:
                await until(lambda: served.server.server_state.open == 1)
                ended = connections(served)
                await raw.send(handshake(served))
                await raw.reader.readuntil(b"\r\n\r\n")
                ended += connections(served)
                for params in to:
                    await raw.send(frame(json.dumps({"method": "subscribe", "params": params}).encode()))
                    await raw.reader.readuntil(b'"type":"snapshot"')
            assert len(ended) == 2
            await freed(served, ended)
        await until(lambda: not [found for found in gc.get_objects() if isinstance(found, Connection | ServerProtocol)])
