"""One connection, driven as by the server: its behaviour when the client does not read."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from services.gateway.http.known_keys import KnownKeys
from services.gateway.limits.rate_class import METHOD_CLASSES
from services.gateway.limits.rate_limits import RateLimits
from services.gateway.resume.missed import MissedReader
from services.gateway.websocket.client_queue import CLOSE_TOO_SLOW, STRICT_MESSAGES
from services.gateway.websocket.connection import (
    CLOSE_INTERNAL_ERROR,
    CLOSE_NOT_AUTHENTICATED,
    IN_FLIGHT,
    Connection,
    SocketParts,
)
from services.gateway.websocket.resumes import Resumes
from services.venue_state.keys import ApiKey
from tests.integration.raw_http import until
from tests.integration.venue import RunningVenue, running_venue
from tests.patience import PATIENCE_S

pytestmark = pytest.mark.anyio


class Wire:
    """The server's side of a connection: the client's messages, and a client that reads when the test lets it."""

    def __init__(self, messages: list[dict[str, Any]]) -> None:
        self.messages = messages
        self.taken = 0
        self.sent: list[dict[str, Any]] = []
        self.reads = asyncio.Event()
        self.gone = asyncio.Event()

    async def receive(self) -> dict[str, Any]:
        if (message := self.receive_now()) is not None:
            return message
        await self.gone.wait()
        return {"type": "websocket.disconnect", "code": 1000}

    def receive_now(self) -> dict[str, Any] | None:
        """What has arrived already: all messages, and that the client has left, if it has."""
        if self.taken == len(self.messages):
            return {"type": "websocket.disconnect", "code": 1000} if self.gone.is_set() else None
        self.taken += 1
        return {"type": "websocket.receive", "text": json.dumps(self.messages[self.taken - 1])}

    async def send(self, message: Any) -> None:
        await self.reads.wait()
        self.sent.append(message)
        if message["type"] == "websocket.close":
            self.gone.set()


def connection(venue: RunningVenue, key: ApiKey | None) -> Connection:
    missed = MissedReader(venue.state, venue.read_database, venue.journal, venue.projector.reached)
    parts = SocketParts(
        venue.state,
        venue.order_entry,
        venue.channels,
        venue.clock,
        known_keys=KnownKeys(venue.state, venue.clock),
        limits=RateLimits(venue.state),
        resumes=Resumes(venue.state, venue.channels, missed),
    )
    return Connection(parts, key, lambda _: None, "127.0.0.1")


def alice(venue: RunningVenue) -> ApiKey | None:
    return venue.state.find_key(venue.keys["alice"].key)


async def test_every_method_has_a_class_of_rate_limits(tmp_path: Path) -> None:
    async with running_venue(tmp_path) as venue:
        client = connection(venue, None)
        assert {*client._methods, *client._orders.methods} == {*METHOD_CLASSES, "authenticate"}


async def some_turns() -> None:
    """Lets every task run that can."""
    for _ in range(100):
        await asyncio.sleep(0)


async def test_a_client_that_does_not_read_its_replies_is_not_read_either(tmp_path: Path) -> None:
    async with running_venue(tmp_path) as venue:
        wire = Wire([{"method": "ping", "req_id": number} for number in range(IN_FLIGHT + 50)])
        client = connection(venue, alice(venue))
        task = asyncio.create_task(client.run(wire.receive, wire.send))
        await some_turns()
        assert wire.taken <= IN_FLIGHT + 1, "one reply is on its way out, the others wait"
        wire.reads.set()
        while wire.taken < len(wire.messages) or len(wire.sent) < len(wire.messages):
            await asyncio.wait_for(some_turns(), PATIENCE_S)
        wire.gone.set()
        await task
    replies = [json.loads(message["text"])["req_id"] for message in wire.sent]
    assert replies == list(range(IN_FLIGHT + 50))


async def test_orders_that_came_before_the_client_left_are_carried_out(tmp_path: Path) -> None:
    order = {"symbol": "PRND-OX", "side": "buy", "price": "473000", "quantity": 1}
    placing = [{"method": "place_order", "params": {**order, "client_order_id": f"a{n}"}} for n in range(12)]
    canceling = {"method": "cancel_order", "params": {"client_order_id": "a10"}}
    async with running_venue(tmp_path) as venue:
        wire = Wire([*placing[:11], canceling, placing[11]])
        wire.gone.set()
        await connection(venue, alice(venue)).run(wire.receive, wire.send, wire.receive_now)
        await until(lambda: not venue.order_entry.pending.waiting)
        alices = [one for one in venue.state.orders.open.values() if one.account == venue.keys["alice"].account]
        assert [one.client_order_id for one in alices] == [*(f"a{n}" for n in range(10)), "a11"]


async def test_private_messages_beyond_the_bound_close_with_4008(tmp_path: Path) -> None:
    async with running_venue(tmp_path) as venue:
        wire = Wire([])
        client = connection(venue, alice(venue))
        task = asyncio.create_task(client.run(wire.receive, wire.send))
        for number in range(STRICT_MESSAGES + 1):
            client.queue.put(str(number))
        wire.reads.set()
        await asyncio.wait_for(task, PATIENCE_S)
    assert wire.sent == [
        {"type": "websocket.close", "code": CLOSE_TOO_SLOW, "reason": "private messages were not read fast enough"}
    ]


async def test_of_a_client_that_is_gone_no_message_is_kept(tmp_path: Path) -> None:
    """The connection is in reference cycles: a full garbage collection, which is rare, frees it."""
    async with running_venue(tmp_path) as venue:
        wire = Wire([{"method": "ping"}])
        client = connection(venue, alice(venue))
        task = asyncio.create_task(client.run(wire.receive, wire.send))
        await some_turns()
        client.queue.put("a reply that it does not read")
        wire.gone.set()
        await asyncio.wait_for(task, PATIENCE_S)
        client.queue.put("a reply that comes later")
        assert client.queue.next_text() is None
    assert wire.sent == []


async def test_without_a_key_the_time_is_limited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.gateway.websocket.connection.AUTHENTICATE_SECONDS", 0)
    async with running_venue(tmp_path) as venue:
        wire = Wire([])
        wire.reads.set()
        await asyncio.wait_for(connection(venue, None).run(wire.receive, wire.send), PATIENCE_S)
    assert [message["code"] for message in wire.sent] == [CLOSE_NOT_AUTHENTICATED]


async def test_a_stream_that_cannot_be_told_to_its_end_closes_with_1011(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fails(*_: Any, **__: Any) -> None:
        raise RuntimeError("the read database is gone")

    monkeypatch.setattr(Resumes, "resume", fails)
    async with running_venue(tmp_path) as venue:
        resume = {"incarnation": venue.state.incarnation, "seq": venue.state.last_seq}
        wire = Wire([{"method": "subscribe", "params": {"channels": ["orders"], "resume": resume}}])
        wire.reads.set()
        with capture_logs() as lines:
            await asyncio.wait_for(connection(venue, alice(venue)).run(wire.receive, wire.send), PATIENCE_S)
    assert [message.get("code") for message in wire.sent][-1] == CLOSE_INTERNAL_ERROR
    assert [line["event"] for line in lines] == ["a stream could not be told"]


async def test_a_client_that_never_receives_its_close_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.gateway.websocket.connection.CLOSE_SECONDS", 0)
    async with running_venue(tmp_path) as venue:
        wire = Wire([{"method": "ping"}])
        client = connection(venue, alice(venue))
        task = asyncio.create_task(client.run(wire.receive, wire.send))
        await some_turns()
        assert not task.done(), "its writer waits for the client to read"
        client.queue.close(CLOSE_TOO_SLOW, "private messages were not read fast enough")
        await asyncio.wait_for(task, PATIENCE_S)
    assert wire.sent == []


async def test_a_connection_that_is_canceled_while_its_last_message_leaves_ends_canceled(tmp_path: Path) -> None:
    async with running_venue(tmp_path) as venue:
        wire, leaving, may_end = Wire([{"method": "ping", "req_id": 1}]), asyncio.Event(), asyncio.Event()

        async def send(_: Any) -> None:
            try:
                await asyncio.Event().wait()
            finally:
                leaving.set()
                await may_end.wait()

        task = asyncio.create_task(connection(venue, alice(venue)).run(wire.receive, send))
        await some_turns()
        wire.gone.set()
        await leaving.wait()
        task.cancel()
        await some_turns()
        may_end.set()
        await asyncio.wait([task])
        assert task.cancelled()
