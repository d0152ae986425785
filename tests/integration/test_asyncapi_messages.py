"""What the tests see is held to the documents: each message of docs/asyncapi.json with one thing wrong in it is found."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send
from websockets.asyncio.server import ServerConnection, serve

from services.gateway.websocket.protocol import CHANNELS, METHODS
from tests.integration import documented
from tests.integration.documented import Conversation, Json, Undocumented
from tests.patience import AsyncHttpClient, WebSocketClient

MESSAGES = documented.document("asyncapi.json")["components"]["messages"]
SENT = sorted(MESSAGES.keys() - METHODS.keys())
"""The venue's messages."""


def example(name: str) -> Json:
    payload: Json = MESSAGES[name]["examples"][0]["payload"]
    return copy.deepcopy(payload)


def heard(message: Json) -> None:
    """A client that has sent each request with `req_id` 1 hears this message."""
    conversation = Conversation()
    for method in METHODS:
        conversation.sent(json.dumps({"method": method, "req_id": 1}))
    conversation.received(json.dumps(message))


def check(name: str, message: Json) -> None:
    validator = documented.message_validator(name)
    assert validator is not None
    documented.check(validator, message, name)


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Each container within a message, with each of its keys or indexes."""
    for key in list(value) if isinstance(value, dict) else range(len(value)):
        yield value, key
        if isinstance(value[key], dict | list):
            yield from places(value[key])


@pytest.mark.parametrize("name", MESSAGES)
def test_the_example_of_a_message_is_one(name: str) -> None:
    check(name, example(name))


@pytest.mark.parametrize("name", SENT)
def test_the_venue_may_send_the_example(name: str) -> None:
    heard(example(name))


@pytest.mark.parametrize("name", MESSAGES)
def test_a_field_too_many_is_found_wherever_it_is(name: str) -> None:
    message = example(name)
    objects = [message, *(part[key] for part, key in places(message) if isinstance(part[key], dict))]
    for one in objects:
        one["colour"] = "red"
        with pytest.raises(Undocumented):
            check(name, message)
        del one["colour"]


@pytest.mark.parametrize("name", MESSAGES)
def test_a_value_of_another_type_is_found_wherever_it_is(name: str) -> None:
    message = example(name)
    for part, key in list(places(message)):
        kept, part[key] = part[key], {"text": ["of no type that a field has"]}
        with pytest.raises(Undocumented):
            check(name, message)
        part[key] = kept
    check(name, message)


@pytest.mark.parametrize("name", [*(f"{method}_result" for method in METHODS), "error"])
def test_a_missing_field_of_a_reply_is_found(name: str) -> None:
    message = example(name)
    for field in message.keys() - {"rate_limit", "time_in", "time_out"}:
        with pytest.raises(Undocumented):
            check(name, {key: value for key, value in message.items() if key != field})


@pytest.mark.parametrize("channel", CHANNELS)
def test_a_missing_field_of_a_push_is_found(channel: str) -> None:
    name = f"{channel}_{CHANNELS[channel].types[0]}"
    message = example(name)
    for part in (message, message["data"]):
        for field in list(part):
            kept = part.pop(field)
            with pytest.raises(Undocumented):
                check(name, message)
            part[field] = kept


def test_a_reply_is_that_of_the_method() -> None:
    conversation = Conversation()
    conversation.sent('{"method": "ping", "req_id": 1}')
    conversation.received(json.dumps(example("ping_result")))
    unknown: Json = {"req_id": 2, "result": {"colour": "red"}}
    for other in (example("options_result"), unknown, {"channel": "gossip", "type": "update"}):
        with pytest.raises(Undocumented):
            conversation.received(json.dumps(other))


@pytest.mark.anyio
async def test_every_connection_of_a_test_is_watched() -> None:
    """A server that is no venue says one thing too many on /v1/ws; elsewhere it may say what it wants."""
    gossip = json.dumps(example("heartbeat_update") | {"colour": "red"})

    async def tell(connection: ServerConnection) -> None:
        await connection.send(gossip)

    async with serve(tell, "127.0.0.1", 0) as server:
        url = f"ws://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}"
        async with WebSocketClient(f"{url}/link") as elsewhere:
            assert await elsewhere.recv() == gossip
        async with WebSocketClient(f"{url}/v1/ws") as socket:
            with pytest.raises(Undocumented, match="colour"):
                await socket.recv()
    assert len(list(documented.taken())) == 1


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("path", "status", "body", "word"),
    [
        ("/v1/time", 200, {"time": "2023-12-01T02:00:00Z", "seq": 118, "colour": "red"}, "colour"),
        ("/v1/time", 200, {"time": 118}, "118"),
        ("/v1/time", 206, {}, "206 is not documented"),
        ("/v1/orders/118", 200, {"order_id": 118}, "order_id"),
        ("/v1/instruments/GOLD/depth", 404, {"code": "unknown_symbol"}, "unknown_symbol"),
    ],
)
async def test_every_answer_of_a_test_is_watched(path: str, status: int, body: Json, word: str) -> None:
    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        media_type = "application/problem+json" if status == 404 else "application/json"
        await JSONResponse(body, status, media_type=media_type)(scope, receive, send)

    hooks = {"response": [documented.check_answer]}
    async with AsyncHttpClient(
        transport=httpx.ASGITransport(answer), base_url="http://venue", event_hooks=hooks
    ) as one:
        with pytest.raises(Undocumented, match=word):
            await one.get(path)
    assert len(list(documented.taken())) == 1
