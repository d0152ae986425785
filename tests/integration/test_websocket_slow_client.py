"""A client that stops reading harms only itself: its market data is conflated, and all others get every update."""

from __future__ import annotations

import asyncio
import json
import socket
from pathlib import Path
from typing import Any

import pytest
from rex_client import DepthBook
from websockets.asyncio.client import ClientConnection

from tests.integration.served_venue import Served, served_venue
from tests.patience import PATIENCE_S, WebSocketClient

pytestmark = pytest.mark.anyio

SYMBOL = "PRND-OX"
CHANNELS = ["depth", "trades", "ticker"]


async def open_narrow(served: Served) -> ClientConnection:
    """A connection with a small receive buffer, so that few unread bytes fit into the client's kernel."""
    narrow = socket.socket()
    narrow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    narrow.setblocking(False)
    host, port = served.url.removeprefix("http://").split(":")
    await asyncio.get_running_loop().sock_connect(narrow, (host, int(port)))
    headers = {"authorization": f"Bearer {served.venue.keys['alice'].key}"}
    return await WebSocketClient(
        served.url.replace("http", "ws") + "/v1/ws",
        sock=narrow,
        additional_headers=headers,
        compression=None,
        max_queue=1,
        max_size=None,
        ping_interval=None,
    )


async def trade_one_by_one(served: Served, orders: int) -> dict[str, Any]:
    """Places orders, each in a journal batch of its own: every order changes the book, every second one trades."""
    trader, other = await served.client("bob"), await served.client("alice")
    await trader.connect()
    await other.connect()
    for number in range(orders // 2):
        price = f"{473_000 + 100 * (number % 7)}.00"
        await trader.place_order({"symbol": SYMBOL, "side": "sell", "price": price, "quantity": 1})
        last = await other.place_order({"symbol": SYMBOL, "side": "buy", "price": price, "quantity": 1})
    return last


async def read_until(connection: ClientConnection, seq: int) -> list[dict[str, Any]]:
    """The pushes until each of the three channels has reached this seq."""
    pushes: list[dict[str, Any]] = []
    reached: set[str] = set()
    while reached != set(CHANNELS):
        push = json.loads(await connection.recv())
        pushes.append(push)
        if push["seq"] >= seq:
            reached.add(push["channel"])
    return pushes


async def test_a_client_that_does_not_read_is_conflated_and_catches_up_with_a_snapshot(tmp_path: Path) -> None:
    async with served_venue(tmp_path, send_buffer_bytes=4_096) as served, asyncio.timeout(PATIENCE_S):
        slow = await open_narrow(served)
        params = {"channels": CHANNELS, "symbols": [SYMBOL]}
        await slow.send(json.dumps({"method": "subscribe", "params": params, "req_id": 1}))
        assert "result" in json.loads(await slow.recv())
        reader = await served.client("alice")
        async with reader.subscribe(["depth"], [SYMBOL]) as pushes:
            heard = [await anext(pushes)]
            last = await trade_one_by_one(served, 1_600)
            while heard[-1]["seq"] < last["seq"]:
                heard.append(await anext(pushes))
        slow_pushes = await read_until(slow, last["seq"])
        await slow.close()
    assert len(heard) == 1 + 1_600, "the client that reads hears every update"
    assert [push["prev_seq"] for push in heard] == [None, *[push["seq"] for push in heard[:-1]]]
    for channel in CHANNELS:
        snapshots = [push for push in slow_pushes if push["channel"] == channel and push["type"] == "snapshot"]
        assert len(snapshots) == 2, "one at the start, and one in place of what was conflated"
    assert len(slow_pushes) < 3 * 1_600
    books = DepthBook(), DepthBook()
    for book, of_book in zip(books, (heard, slow_pushes), strict=True):
        for push in of_book:
            if push["channel"] == "depth":
                book.apply(push)
    assert (books[0].seq, books[0].bids, books[0].asks) == (books[1].seq, books[1].bids, books[1].asks)
