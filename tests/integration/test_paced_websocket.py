"""What one client sends in one go is parsed as it is taken, in order, and whatever stands behind it still counts."""

from __future__ import annotations

import asyncio
import json
import socket
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.frames import Frame, Opcode

from services.gateway.paced_websocket import SLICE_BYTES
from services.gateway.websocket_limits import LimitedWebSocket
from tests.integration.served_venue import serving
from tests.integration.venue import running_venue

pytestmark = pytest.mark.anyio

PINGS = 2_000


class Watched(LimitedWebSocket):
    """Notes how many messages were parsed and not taken yet."""

    most = 0

    async def receive(self) -> Any:
        message = await super().receive()
        Watched.most = max(Watched.most, self.queue.qsize())
        return message


async def test_a_flood_of_messages_is_parsed_slice_by_slice_and_answered_in_order(tmp_path: Path) -> None:
    messages = [json.dumps({"method": "ping", "req_id": number}) for number in range(PINGS)]
    frames = [Frame(Opcode.TEXT, message.encode()).serialize(mask=True) for message in messages]
    goodbye = Frame(Opcode.CLOSE, (1000).to_bytes(2, "big")).serialize(mask=True)
    async with (
        running_venue(tmp_path) as venue,
        serving(venue, socket.create_server(("127.0.0.1", 0)), ws=Watched) as served,
    ):
        headers = {"authorization": f"Bearer {venue.keys['alice'].key}"}
        url = served.url.replace("http", "ws") + "/v1/ws"
        async with connect(url, additional_headers=headers, proxy=None, max_queue=None) as client:
            client.transport.write(b"".join(frames))
            replies = [json.loads(await client.recv())["req_id"] for _ in range(PINGS)]
            client.transport.write(goodbye)
            await asyncio.wait_for(client.wait_closed(), 5)
    assert replies == list(range(PINGS))
    assert 0 < Watched.most <= SLICE_BYTES // min(map(len, frames)) + 1


@pytest.mark.parametrize("size", [1, SLICE_BYTES, 10 * SLICE_BYTES])
async def test_a_message_of_any_size_is_whole(tmp_path: Path, size: int) -> None:
    async with running_venue(tmp_path) as venue, serving(venue, socket.create_server(("127.0.0.1", 0))) as served:
        url = served.url.replace("http", "ws") + "/v1/ws"
        async with connect(url, proxy=None) as client:
            await client.send(json.dumps({"method": "authenticate", "params": {"key": "x" * size}, "req_id": 1}))
            assert json.loads(await client.recv())["error"]["code"] == "unknown_key"
            await client.send("y" * size)
            assert json.loads(await client.recv())["error"]["code"] == "malformed_json"


async def test_what_a_client_sent_before_it_left_is_carried_out(tmp_path: Path) -> None:
    order = {"symbol": "PRND-OX", "side": "buy", "price": "473000", "quantity": 1}
    message = json.dumps({"method": "place_order", "params": order, "req_id": None}).encode()
    frames = [Frame(Opcode.TEXT, message).serialize(mask=True)] * 100
    goodbye = Frame(Opcode.CLOSE, (1000).to_bytes(2, "big")).serialize(mask=True)
    async with running_venue(tmp_path) as venue:
        headers = {"authorization": f"Bearer {venue.keys['alice'].key}"}
        async with serving(venue, socket.create_server(("127.0.0.1", 0))) as served:
            url = served.url.replace("http", "ws") + "/v1/ws"
            async with connect(url, additional_headers=headers, proxy=None, max_queue=None) as client:
                client.transport.write(b"".join(frames) + goodbye)
                await asyncio.wait_for(client.wait_closed(), 5)
        last = await venue.client("alice").post("/v1/orders", json=order)  # Behind all of them.
        assert (last.status_code, len(venue.state.orders.open)) == (201, 101)
