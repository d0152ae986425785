"""A WebSocket client that does not read, or never stops sending, is disconnected; a key has a bounded number of connections."""

from __future__ import annotations

import asyncio
import base64
import json
import logging
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack

import pytest
from structlog.testing import capture_logs
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import InvalidStatus
from websockets.frames import Frame, Opcode

from services.gateway.server.paced_websocket import SLICE_BYTES
from services.gateway.server.websocket_limits import (
    CONTROL_FRAMES,
    FRAGMENTS,
    OWN_FRAMES,
    SHORT_SLICE_BYTES,
    LimitedWebSocket,
)
from services.gateway.sockets import CLOSE_SECONDS
from services.gateway.websocket.client_queue import STRICT_MESSAGES
from services.gateway.websocket.connection import CLOSE_NOT_AUTHENTICATED, MESSAGES_WITHOUT_KEY
from tests.integration.raw_http import RawConnection, raw_connection, until
from tests.integration.served_venue import Served, listening, serving
from tests.integration.venue import MAX_WEBSOCKETS_PER_KEY, RunningVenue, running_venue
from tests.patience import PATIENCE_S, WebSocketClient

pytestmark = pytest.mark.anyio

SMALL_BUFFER_BYTES = 4_096
CLOSE_PROTOCOL_ERROR = 1002
MOST_UNNOTICED = OWN_FRAMES + SHORT_SLICE_BYTES // 6
"""How many control frames of a socket are read before it must wait, if others have used up the common limit."""


@pytest.fixture(scope="module")
async def venue(tmp_path_factory: pytest.TempPathFactory, anyio_backend: str) -> AsyncIterator[RunningVenue]:
    """One for all tests, which look at the server before it: each has a server of its own."""
    async with running_venue(tmp_path_factory.mktemp("venue")) as running:
        yield running


def handshake(served: Served, name: str | None = "alice") -> bytes:
    key = "" if name is None else f"authorization: Bearer {served.venue.keys[name].key}\r\n"
    secret = base64.b64encode(bytes(16)).decode()
    return (
        f"GET /v1/ws HTTP/1.1\r\nhost: 127.0.0.1\r\n{key}upgrade: websocket\r\n"
        f"connection: upgrade\r\nsec-websocket-version: 13\r\nsec-websocket-key: {secret}\r\n\r\n"
    ).encode()


def frame(data: bytes, opcode: Opcode = Opcode.TEXT, *, fin: bool = True) -> bytes:
    return Frame(opcode, data, fin=fin).serialize(mask=True)


def websockets(served: Served) -> list[LimitedWebSocket]:
    connections = served.server.server_state.connections
    return [connection for connection in connections if isinstance(connection, LimitedWebSocket)]


async def open_deaf(served: Served, raw: RawConnection) -> LimitedWebSocket:
    """A connection with waiting replies; its client reads the handshake and nothing more."""
    await raw.send(handshake(served))
    assert (await raw.reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101")
    raw.writer.transport.pause_reading()  # type: ignore[attr-defined]
    [venues_side] = websockets(served)
    raw.writer.write(frame(b'{"method": "ping"}') * 4_000)
    await until(lambda: not venues_side.writable.is_set() and not venues_side._unparsed and venues_side.queue.empty())
    return venues_side


async def test_a_client_that_does_not_read_is_cut_after_the_close(venue: RunningVenue) -> None:
    async with (
        serving(venue, listening(send_buffer_bytes=SMALL_BUFFER_BYTES)) as served,
        raw_connection(served, receive_buffer_bytes=SMALL_BUFFER_BYTES) as raw,
    ):
        venues_side = await open_deaf(served, raw)
        with capture_logs() as logs:
            venues_side.keepalive_timeout()
            await until(lambda: not served.server.server_state.tasks)
        assert served.server.server_state.open == 1, "the socket waits for its buffer to empty"
        for _ in range(CLOSE_SECONDS + 1):
            served.server.server_state.sweep()
        await until(lambda: served.server.server_state.open == 0)
        assert not websockets(served)
        assert logs == [], "that a client is gone is no error of the venue"


async def test_pings_of_a_client_that_does_not_read_fill_no_memory(venue: RunningVenue) -> None:
    async with (
        serving(venue, listening(send_buffer_bytes=SMALL_BUFFER_BYTES)) as served,
        raw_connection(served, receive_buffer_bytes=SMALL_BUFFER_BYTES) as raw,
    ):
        venues_side = await open_deaf(served, raw)
        held = venues_side.transport.get_write_buffer_size()
        venues_side.data_received(frame(b"x" * 125, Opcode.PING) * 1_000)
        await until(lambda: not venues_side._unparsed)
        assert venues_side.transport.get_write_buffer_size() <= held


async def test_a_close_behind_a_ping_is_answered_though_the_pong_is_not(venue: RunningVenue) -> None:
    goodbye = (1000).to_bytes(2, "big")
    async with (
        serving(venue, listening(send_buffer_bytes=SMALL_BUFFER_BYTES)) as served,
        raw_connection(served, receive_buffer_bytes=SMALL_BUFFER_BYTES) as raw,
    ):
        venues_side = await open_deaf(served, raw)
        venues_side.data_received(frame(b"here", Opcode.PING) + frame(goodbye, Opcode.CLOSE))
        raw.writer.transport.resume_reading()  # type: ignore[attr-defined]
        got = await raw.ended()
        assert got.endswith(Frame(Opcode.CLOSE, goodbye).serialize(mask=False))
        assert Frame(Opcode.PONG, b"here").serialize(mask=False) not in got


async def test_a_pong_that_is_missing_after_the_close_says_nothing_more(venue: RunningVenue) -> None:
    async with serving(venue, listening()) as served, raw_connection(served) as raw:
        await raw.send(handshake(served))
        await raw.reader.readuntil(b"\r\n\r\n")
        [venues_side] = websockets(served)
        venues_side.transport.close()
        venues_side.keepalive_timeout()
        assert (venues_side.queue.qsize(), venues_side.disconnected) == (0, False)


async def test_a_client_that_pings_and_reads_gets_its_pongs(venue: RunningVenue) -> None:
    async with serving(venue, listening()) as served, raw_connection(served) as raw:
        await raw.send(handshake(served))
        await raw.reader.readuntil(b"\r\n\r\n")
        await raw.send(frame(b"here", Opcode.PING))
        assert await raw.reader.readexactly(6) == Frame(Opcode.PONG, b"here").serialize(mask=False)


async def replied(raw: RawConnection) -> bool:
    """Reads to the next message other than a pong."""
    while True:
        opcode, size = await raw.reader.readexactly(2)
        text = await raw.reader.readexactly(size)
        if opcode & 15 == Opcode.TEXT:
            return "result" in json.loads(text)


async def open_raw(served: Served, *connections: RawConnection, name: str | None = None) -> list[LimitedWebSocket]:
    for raw in connections:
        await raw.send(handshake(served, name))
        assert (await raw.reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101")
    return websockets(served)


def authenticate(served: Served) -> bytes:
    return frame(json.dumps({"method": "authenticate", "params": {"key": served.venue.keys["alice"].key}}).encode())


async def test_who_shows_no_key_is_let_go_after_a_few_messages_and_read_no_further(venue: RunningVenue) -> None:
    async with serving(venue, listening()) as served, raw_connection(served) as raw:
        [side] = await open_raw(served, raw)
        raw.writer.write(FIRST_OF_ALL * 20_000)
        async with asyncio.timeout(PATIENCE_S):
            got = await raw.reader.readuntil(CLOSE_NOT_AUTHENTICATED.to_bytes(2, "big"))
        assert got.count(b'"result"') <= MESSAGES_WITHOUT_KEY
        await stands_still(lambda: len(side._unparsed))
        assert side._unparsed, "left for good"
        for _ in range(CLOSE_SECONDS + 1):
            served.server.server_state.sweep()
        await until(lambda: served.server.server_state.open == 0)


async def test_a_key_among_the_first_messages_is_in_time(venue: RunningVenue) -> None:
    async with serving(venue, listening()) as served, raw_connection(served) as raw, asyncio.timeout(PATIENCE_S):
        await open_raw(served, raw)
        await raw.send(FIRST_OF_ALL * (MESSAGES_WITHOUT_KEY - 1) + authenticate(served))
        await raw.send(FIRST_OF_ALL * 2 * MESSAGES_WITHOUT_KEY)
        for _ in range(3 * MESSAGES_WITHOUT_KEY):
            await raw.reader.readuntil(b'"result"')


async def stands_still(progress: Callable[[], object]) -> None:
    """Runs the venue until nothing has changed for 2,000 turns of the loop."""
    quiet = 0
    while quiet < 2_000:
        before = progress()
        await asyncio.sleep(0)
        quiet = quiet + 1 if progress() == before else 0


async def test_who_asks_much_and_reads_late_is_not_read_on_and_misses_nothing(venue: RunningVenue) -> None:
    """Without the bound (IN_FLIGHT) its replies would fill the queue beyond what a client may leave unread: 4008."""
    asked = STRICT_MESSAGES + 1_000
    async with (
        serving(venue, listening(send_buffer_bytes=SMALL_BUFFER_BYTES)) as served,
        raw_connection(served, receive_buffer_bytes=SMALL_BUFFER_BYTES) as raw,
    ):
        await raw.send(handshake(served))
        await raw.reader.readuntil(b"\r\n\r\n")
        [side] = websockets(served)
        raw.writer.transport.pause_reading()  # type: ignore[attr-defined]
        raw.writer.write(frame(b'{"method": "ping"}') * asked)
        await stands_still(lambda: (side.writable.is_set(), len(side._unparsed)))
        assert side._unparsed, "what the venue has not read on"
        raw.writer.transport.resume_reading()  # type: ignore[attr-defined]
        async with asyncio.timeout(PATIENCE_S):
            for _ in range(asked):
                await raw.reader.readuntil(b'"result"')


@pytest.mark.skipif(sys.platform == "darwin", reason="macOS has one loopback address only")
async def test_control_frames_of_an_address_are_bounded_over_all_its_sockets(
    venue: RunningVenue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.gateway.server.server.TICKS_PER_SECOND", 10**9)  # Seconds pass when the test says so.
    async with serving(venue, listening()) as served, AsyncExitStack() as opened:
        flood = [await opened.enter_async_context(raw_connection(served)) for _ in range(16)]
        elsewhere = await opened.enter_async_context(raw_connection(served, address="127.0.0.2"))
        await open_raw(served, *flood, elsewhere)
        for raw in flood:
            raw.writer.write(frame(b"", Opcode.PING) * (CONTROL_FRAMES // 2) + FIRST_OF_ALL)
        sockets, most = served.server.server_state, CONTROL_FRAMES + SLICE_BYTES // 6 + len(flood) * MOST_UNNOTICED
        for _ in range(3):
            await until(lambda: sum(side._waits for side in websockets(served)) == len(flood))
            assert CONTROL_FRAMES < sockets.control_frames["127.0.0.1"] <= most
            await elsewhere.send(FIRST_OF_ALL)
            assert await replied(elsewhere)
            sockets.sweep()
        while any(side._waits or side._unparsed for side in websockets(served)):
            sockets.sweep()
            await asyncio.sleep(0)
        assert all([await replied(raw) for raw in flood]), "nothing of what waited is lost"


async def test_who_floods_control_frames_does_not_hold_up_others_of_his_address(
    venue: RunningVenue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.gateway.server.server.TICKS_PER_SECOND", 10**9)
    async with serving(venue, listening()) as served, AsyncExitStack() as opened, asyncio.timeout(PATIENCE_S):
        flood = [await opened.enter_async_context(raw_connection(served)) for _ in range(10)]
        await open_raw(served, *flood)
        member = await opened.enter_async_context(open_websocket(served, "alice"))
        late = await opened.enter_async_context(open_websocket(served, None))
        for raw in flood:
            raw.writer.write(frame(b"", Opcode.PONG) * CONTROL_FRAMES)
        for _ in range(3):
            await until(lambda: sum(side._waits for side in websockets(served)) == len(flood))
            assert "result" in await call(late, "ping"), "nor who has shown no key yet"
            for _ in range(10):
                assert "result" in await call(member, "place_order", **json.loads(ORDER))
            await asyncio.gather(await member.ping(), await late.ping())
            served.server.server_state.sweep()
        assert "result" in await call(late, "authenticate", key=served.venue.keys["alice"].key)
        assert "result" in await call(late, "place_order", **json.loads(ORDER))


async def test_a_key_has_the_control_frames_of_a_key_also_where_it_came_late(
    venue: RunningVenue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.gateway.server.server.TICKS_PER_SECOND", 10**9)
    async with serving(venue, listening()) as served, AsyncExitStack() as opened, asyncio.timeout(PATIENCE_S):
        early, late = [await opened.enter_async_context(raw_connection(served)) for _ in range(2)]
        await open_raw(served, early, name="alice")
        await open_raw(served, late)
        await late.send(authenticate(served))
        assert await replied(late)
        for raw in (early, late):
            raw.writer.write(frame(b"", Opcode.PONG) * CONTROL_FRAMES)
        await until(lambda: all(side._waits for side in websockets(served)))
        [frames] = served.server.server_state.control_frames.values()
        assert CONTROL_FRAMES < frames <= CONTROL_FRAMES + SLICE_BYTES // 6 + 2 * MOST_UNNOTICED


async def test_what_waits_on_many_sockets_is_not_parsed_at_once(
    venue: RunningVenue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.gateway.server.server.TICKS_PER_SECOND", 10**9)
    async with serving(venue, listening()) as served, AsyncExitStack() as opened:
        sides = await open_raw(served, *[await opened.enter_async_context(raw_connection(served)) for _ in range(30)])
        for side in sides:
            side.data_received(frame(b"", Opcode.PING) * (SLICE_BYTES // 6))
        sockets, seconds = served.server.server_state, []
        while True:
            await until(lambda: all(side._waits or not side._unparsed for side in sides))
            if not sockets.control_frames["127.0.0.1"]:
                break
            seconds.append(sockets.control_frames["127.0.0.1"])
            sockets.sweep()
        assert max(seconds) <= CONTROL_FRAMES + SLICE_BYTES // 6 + len(sides) * MOST_UNNOTICED
        assert sum(seconds) == 30 * (SLICE_BYTES // 6)


async def test_a_message_of_too_many_frames_closes(venue: RunningVenue) -> None:
    async with serving(venue, listening()) as served, raw_connection(served) as raw:
        await raw.send(handshake(served))
        await raw.reader.readuntil(b"\r\n\r\n")
        await raw.send(frame(b"{", fin=False) + frame(b"", Opcode.CONT, fin=False) * (FRAGMENTS + 100))
        opcode, size, high, low = await raw.reader.readexactly(4)
        assert (opcode & 15, high * 256 + low) == (Opcode.CLOSE, 1009), size
        await raw.ended()
        await until(lambda: served.server.server_state.open == 0)


def open_websocket(served: Served, name: str | None) -> WebSocketClient:
    headers = {} if name is None else {"authorization": f"Bearer {served.venue.keys[name].key}"}
    return WebSocketClient(served.url.replace("http", "ws") + "/v1/ws", additional_headers=headers)


async def call(client: ClientConnection, method: str, **params: object) -> dict[str, object]:
    await client.send(json.dumps({"method": method, "params": params}))
    reply: dict[str, object] = json.loads(await client.recv())
    return reply


async def test_a_key_has_so_many_connections_and_no_more(
    venue: RunningVenue, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with serving(venue, listening()) as served, asyncio.timeout(PATIENCE_S):
        monkeypatch.setattr(logging.getLogger("uvicorn.error"), "propagate", True)
        monkeypatch.setattr(logging.getLogger("uvicorn"), "propagate", True)
        mine = [await open_websocket(served, "alice") for _ in range(MAX_WEBSOCKETS_PER_KEY)]
        with pytest.raises(InvalidStatus) as refused:
            await open_websocket(served, "alice")
        response = refused.value.response
        assert (response.status_code, response.headers["retry-after"]) == (429, "1")
        assert json.loads(response.body or b"")["code"] == "too_many_websockets"
        async with open_websocket(served, "bob") as other:
            assert "result" in await call(other, "ping")
        async with open_websocket(served, None) as late:
            reply = await call(late, "authenticate", key=served.venue.keys["alice"].key)
            assert reply["error"]["code"] == "too_many_websockets"  # type: ignore[index]
            await mine.pop().close()
            await until(lambda: len(websockets(served)) == MAX_WEBSOCKETS_PER_KEY)
            assert "result" in await call(late, "authenticate", key=served.venue.keys["alice"].key)
        await until(lambda: len(websockets(served)) == MAX_WEBSOCKETS_PER_KEY - 1)
        mine.append(await open_websocket(served, "alice"))
        for client in mine:
            assert "result" in await call(client, "ping")
            await client.close()
    assert caplog.records == [], "a refused handshake is no error of the venue"


ORDER = b'{"symbol": "PRND-OX", "side": "buy", "price": "473000", "quantity": 1}'


def order_head(served: Served, framing: str) -> bytes:
    key = served.venue.keys["alice"].key
    return (
        f"POST /v1/orders HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer {key}\r\n"
        f"content-type: application/json\r\n{framing}\r\n\r\n"
    ).encode()


FIRST_OF_ALL = frame(b'{"method": "ping", "req_id": 1}')


@pytest.mark.parametrize("sent_ahead", ["handshake", "request", "frames"])
async def test_what_follows_a_handshake_belongs_to_the_websocket(venue: RunningVenue, sent_ahead: str) -> None:
    async with serving(venue, listening()) as served:
        state = served.server.server_state
        async with raw_connection(served) as raw:
            first = handshake(served)
            get = b"GET /healthz HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n"
            await raw.send(first + {"handshake": first * 20, "request": get, "frames": FIRST_OF_ALL}[sent_ahead])
            assert (await raw.reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101")
            if sent_ahead == "frames":
                opcode, size = await raw.reader.readexactly(2)
                assert (opcode & 15, json.loads(await raw.reader.readexactly(size))["req_id"]) == (Opcode.TEXT, 1)
                assert len(websockets(served)) == state.open == 1
                goodbye = frame((1000).to_bytes(2, "big"), Opcode.CLOSE)
                await raw.send(goodbye)
            opcode, size, high, low = await raw.reader.readexactly(4)
            expected = 1000 if sent_ahead == "frames" else CLOSE_PROTOCOL_ERROR
            assert (opcode & 15, high * 256 + low) == (Opcode.CLOSE, expected), size
            assert b"HTTP/1.1" not in await raw.ended()
        await until(lambda: not state.connections and not state.tasks and state.open == 0)


@pytest.mark.parametrize("in_pieces", [False, True], ids=["at once", "body with handshake"])
async def test_a_handshake_behind_a_request_waits_for_its_answer(venue: RunningVenue, in_pieces: bool) -> None:
    async with serving(venue, listening()) as served, raw_connection(served) as raw:
        head = order_head(served, f"content-length: {len(ORDER)}")
        if in_pieces:
            await raw.send(head)
            await until(lambda: any(getattr(each, "_phase", 0) for each in served.server.server_state.connections))
            head = b""
        await raw.send(head + ORDER + handshake(served) + FIRST_OF_ALL)
        assert (await raw.answer()).status == 201
        assert (await raw.reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101")
        opcode, size = await raw.reader.readexactly(2)
        assert (opcode & 15, json.loads(await raw.reader.readexactly(size))["req_id"]) == (Opcode.TEXT, 1)


async def test_a_handshake_that_cannot_be_told_from_a_body_is_refused(venue: RunningVenue) -> None:
    async with serving(venue, listening()) as served:
        state = served.server.server_state
        async with raw_connection(served) as raw:
            await raw.send(
                order_head(served, "transfer-encoding: chunked") + b"%x\r\n%b\r\n0\r\n" % (len(ORDER), ORDER)
            )
            await until(lambda: state.tasks and any(getattr(each, "_phase", 0) == 1 for each in state.connections))
            await raw.send(b"\r\n" + handshake(served))
            assert (await raw.answer()).status == 201
            assert (await raw.answer()).code() == "malformed_http"
            assert await raw.ended() == b""
        await until(lambda: not state.connections and not state.tasks and state.open == 0)
