"""Messages that a client sends at once are parsed in order, only as fast as they are taken, and the last still count."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, ClassVar

import pytest
from websockets.frames import Frame, Opcode

from services.gateway.server.paced_websocket import COLLECTED_CHARACTERS, SLICE_BYTES
from services.gateway.server.websocket_limits import FRAGMENTS, LimitedWebSocket
from services.gateway.sockets import SharedText
from tests.integration.raw_http import until
from tests.integration.served_venue import listening, serving
from tests.integration.venue import RunningVenue, running_venue
from tests.patience import PATIENCE_S, WebSocketClient

pytestmark = pytest.mark.anyio

PINGS = 2_000
PING_FRAME = Frame(Opcode.TEXT, b'{"method":"ping"}').serialize(mask=True)


@pytest.fixture(scope="module")
async def venue(tmp_path_factory: pytest.TempPathFactory, anyio_backend: str) -> AsyncIterator[RunningVenue]:
    """One for all tests, which look at the server before it: each has a server of its own."""
    async with running_venue(tmp_path_factory.mktemp("venue")) as running:
        yield running


class Watched(LimitedWebSocket):
    """Records how many messages were parsed and not taken yet."""

    most = 0

    async def receive(self) -> Any:
        message = await super().receive()
        Watched.most = max(Watched.most, self.queue.qsize())
        return message


class Counted(LimitedWebSocket):
    """Records the turn of the event loop in which each slice was parsed."""

    turn = 0
    slices: ClassVar[Counter[int]] = Counter()

    def handle_events(self) -> None:
        super().handle_events()
        Counted.slices[Counted.turn] += 1


class Collecting(LimitedWebSocket):
    """Records how many frames and characters each write holds."""

    in_a_write: ClassVar[list[int]] = []
    characters: ClassVar[list[int]] = []

    def _write_collected(self) -> None:
        Collecting.in_a_write.append(len(self.conn.writes))
        Collecting.characters.append(self._collected)
        super()._write_collected()


async def _count_turns() -> None:
    while True:
        Counted.turn += 1
        await asyncio.sleep(0)


async def test_a_flood_of_messages_is_parsed_slice_by_slice_and_answered_in_order(venue: RunningVenue) -> None:
    messages = [json.dumps({"method": "ping", "req_id": number}) for number in range(PINGS)]
    frames = [Frame(Opcode.TEXT, message.encode()).serialize(mask=True) for message in messages]
    goodbye = Frame(Opcode.CLOSE, (1000).to_bytes(2, "big")).serialize(mask=True)
    async with (
        serving(venue, listening(), ws=Watched) as served,
    ):
        headers = {"authorization": f"Bearer {venue.keys['alice'].key}"}
        url = served.url.replace("http", "ws") + "/v1/ws"
        async with WebSocketClient(url, additional_headers=headers, max_queue=None) as client:
            client.transport.write(b"".join(frames))
            replies = [json.loads(await client.recv())["req_id"] for _ in range(PINGS)]
            client.transport.write(goodbye)
            await asyncio.wait_for(client.wait_closed(), PATIENCE_S)
    assert replies == list(range(PINGS))
    assert 0 < Watched.most <= SLICE_BYTES // min(map(len, frames)) + 1


async def test_messages_of_a_turn_are_written_together_in_bounded_pieces(venue: RunningVenue) -> None:
    beat: dict[str, Any] = {
        "channel": "heartbeat",
        "type": "update",
        "symbol": None,
        "prev_seq": None,
        "incarnation": "9f0c",
    }
    beat |= {"data": {"time": "2023-12-01T02:00:00.000123Z"}}
    texts = [json.dumps(beat | {"seq": seq}) for seq in range(COLLECTED_CHARACTERS // 50)]
    async with (
        serving(venue, listening(), ws=Collecting) as served,
        WebSocketClient(served.url.replace("http", "ws") + "/v1/ws", max_queue=None) as client,
    ):
        [venues_side] = served.server.server_state.connections
        assert isinstance(venues_side, Collecting)
        assert all(venues_side.collect(text) for text in texts)
        assert [await client.recv() for _ in texts] == texts
    assert max(Collecting.in_a_write) > 1
    assert COLLECTED_CHARACTERS <= max(Collecting.characters) < COLLECTED_CHARACTERS + max(map(len, texts))


@pytest.mark.parametrize("opcode", [Opcode.PING, Opcode.CONT])
async def test_frames_that_are_no_message_are_parsed_one_slice_a_turn(venue: RunningVenue, opcode: Opcode) -> None:
    slices = 10
    frames = Frame(opcode, b"", fin=opcode is not Opcode.CONT).serialize(mask=True) * (slices * SLICE_BYTES // 6)
    # Its first frame says what the message is; so many empty ones are as many as it may have.
    if opcode is Opcode.CONT:
        frames = Frame(Opcode.TEXT, b"{", fin=False).serialize(mask=True) + frames[: 6 * (FRAGMENTS - 1)]
    frames += Frame(Opcode.PING, b"last").serialize(mask=True)
    async with (
        serving(venue, listening(), ws=Counted) as served,
        WebSocketClient(served.url.replace("http", "ws") + "/v1/ws") as client,
    ):
        [venues_side] = served.server.server_state.connections
        assert isinstance(venues_side, Counted)
        Counted.slices = Counter()
        counting = asyncio.create_task(_count_turns())
        venues_side.data_received(frames)
        await until(lambda: not venues_side._unparsed)
        counting.cancel()
        a_slice = -(-SLICE_BYTES // 6) * 6  # A slice ends with a frame.
        assert Counted.slices.total() == -(-len(frames) // a_slice)
        assert max(Counted.slices.values()) == 1
        assert not venues_side.read_paused
        await asyncio.wait_for(await client.ping(), PATIENCE_S)  # It reads on.


@pytest.mark.parametrize("first_bytes", [len(PING_FRAME), 2 * len(PING_FRAME), 2 * len(PING_FRAME) - 1])
async def test_a_client_whose_messages_are_not_taken_is_not_read_beyond_one_more_piece(
    venue: RunningVenue, first_bytes: int
) -> None:
    async with (
        serving(venue, listening()) as served,
        WebSocketClient(served.url.replace("http", "ws") + "/v1/ws"),
    ):
        [venues_side] = served.server.server_state.connections
        assert isinstance(venues_side, LimitedWebSocket)
        transport = venues_side.transport
        # Nothing is taken between these calls: no other task has a turn of the event loop.
        venues_side.data_received((PING_FRAME * 3)[:first_bytes])
        venues_side.data_received((PING_FRAME * 3)[first_bytes:])
        assert not transport.is_reading()
        await until(transport.is_reading)  # Everything was taken meanwhile.
        assert not venues_side.read_paused


@pytest.mark.parametrize("size", [1, SLICE_BYTES, 10 * SLICE_BYTES])
async def test_a_message_of_any_size_is_whole(venue: RunningVenue, size: int) -> None:
    async with serving(venue, listening()) as served:
        url = served.url.replace("http", "ws") + "/v1/ws"
        async with WebSocketClient(url) as client:
            await client.send(json.dumps({"method": "authenticate", "params": {"key": "x" * size}, "req_id": 1}))
            assert json.loads(await client.recv())["error"]["code"] == "unknown_key"
            await client.send("y" * size)
            assert json.loads(await client.recv())["error"]["code"] == "malformed_json"


async def test_what_a_client_sent_before_it_left_is_carried_out(tmp_path: Path) -> None:
    order = {"symbol": "PRND-OX", "side": "buy", "price": "473000", "quantity": 1}
    message = json.dumps({"method": "place_order", "params": order, "req_id": None}).encode()
    frames = [Frame(Opcode.TEXT, message).serialize(mask=True)] * 100
    goodbye = Frame(Opcode.CLOSE, (1000).to_bytes(2, "big")).serialize(mask=True)
    carried_out = asyncio.Event()
    async with running_venue(tmp_path) as venue:

        def on_change(*_: object) -> None:
            if len(venue.state.orders.open) == len(frames):
                carried_out.set()

        # Waiting for an event leaves the processor to the venue's threads; asking again and again does not.
        alice = venue.keys["alice"]
        venue.state.order_listeners[alice.account] = on_change
        headers = {"authorization": f"Bearer {alice.key}"}
        async with serving(venue, listening()) as served:
            url = served.url.replace("http", "ws") + "/v1/ws"
            async with WebSocketClient(url, additional_headers=headers, max_queue=None) as client:
                client.transport.write(b"".join(frames) + goodbye)
                await asyncio.wait_for(client.wait_closed(), PATIENCE_S)
        await asyncio.wait_for(carried_out.wait(), PATIENCE_S)  # The last orders are taken after the close.
        assert len(venue.state.orders.open) == 100


async def test_nothing_overtakes_a_message_that_waits_for_room(venue: RunningVenue) -> None:
    async with serving(venue, listening()) as served:
        url = served.url.replace("http", "ws") + "/v1/ws"
        async with WebSocketClient(url):
            [venues_side] = served.server.server_state.connections
            assert isinstance(venues_side, LimitedWebSocket)
            venues_side.pause_writing()  # as the transport does where the client does not read
            waiting = asyncio.create_task(venues_side.send({"type": "websocket.send", "text": "first"}))
            await asyncio.sleep(0)
            venues_side.resume_writing()  # The task is scheduled, and has not run yet.
            assert not venues_side.send_now(SharedText("second"))
            assert not venues_side.collect("second")
            await waiting
            assert venues_side.send_now(SharedText("second"))
