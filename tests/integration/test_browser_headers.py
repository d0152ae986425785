"""Every answer tells a browser what it may do with it, whoever answers: the application, the server, a refused handshake."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from services.gateway.server.server import listen, make_server
from tests.integration.raw_http import Answer, raw_connection
from tests.integration.served_venue import Served, serving
from tests.integration.test_websocket_limits import handshake
from tests.integration.venue import running_venue

pytestmark = pytest.mark.anyio

HOST = b"host: 127.0.0.1\r\n"
ORDER = b'{"symbol": "PRND-OX", "side": "buy", "price": "473000", "quantity": 1}'
API_POLICY = "default-src 'none'; frame-ancestors 'none'"


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    async with running_venue(tmp_path) as venue, serving(venue, listen("127.0.0.1", 0)) as one:
        yield one


async def answer_to(served: Served, request: bytes) -> Answer:
    async with raw_connection(served) as raw:
        await raw.send(request)
        return await raw.answer()


def get(path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\n".encode() + HOST + b"\r\n"


def post(served: Served, body: bytes, media_type: str = "application/json") -> bytes:
    key = served.venue.keys["alice"].key
    head = f"POST /v1/orders HTTP/1.1\r\nauthorization: Bearer {key}\r\ncontent-type: {media_type}\r\n"
    return f"{head}content-length: {len(body)}\r\n".encode() + HOST + b"\r\n" + body


def requests(served: Served) -> dict[bytes, int]:
    """Requests, each with the status of its answer."""
    good = handshake(served)
    return {
        post(served, ORDER): 201,
        post(served, b"{"): 400,
        post(served, ORDER, "text/plain"): 415,
        post(served, b" " * 70_000): 413,
        get("/healthz"): 200,
        get("/metrics"): 200,
        get("/openapi.json"): 200,
        get("/errors/inbox_full"): 200,
        get("/v1/account"): 401,
        get("/nowhere"): 404,
        get("/" + "x" * 9_000): 414,
        get("/healthz").replace(HOST, b"host: evil.example\r\n"): 400,
        b"GARBAGE\r\n\r\n": 400,
        b"DELETE /v1/account HTTP/1.1\r\n" + HOST + b"\r\n": 401,
        handshake(served, None).replace(b"\r\n\r\n", b"\r\nauthorization: Bearer rex_wrong\r\n\r\n"): 401,
        good.replace(b"/v1/ws", b"/v1/nothing"): 404,
        good.replace(b"host: ", b"origin: http://evil.example\r\nhost: "): 403,
        good.replace(b"version: 13", b"version: 12"): 400,
        good.replace(b"key: ", b"key: x"): 400,
        good.replace(b"sec-websocket-key", b"x-key"): 400,
        good.replace(b"host: ", b"a: " + b"x" * 9_000 + b"\r\nhost: "): 400,
    }


async def test_every_answer_has_them(served: Served) -> None:
    ids = set()
    for request, status in requests(served).items():
        answer = await answer_to(served, request)
        headers = answer.headers
        assert answer.status == status, (request, answer)
        assert (headers["x-content-type-options"], headers["referrer-policy"]) == ("nosniff", "same-origin"), request
        assert "frame-ancestors 'none'" in headers["content-security-policy"], request
        assert headers["content-security-policy"] == API_POLICY or b"/errors/" in request
        assert "strict-transport-security" not in headers, "no browser may be told so without TLS"
        assert "server" not in headers
        ids.add(headers["x-request-id"])
        if status >= 400:
            assert answer.code()
            assert headers["x-request-id"].encode() in answer.body
    assert len(ids) == len(requests(served))


async def test_an_accepted_handshake_has_its_id(served: Served) -> None:
    async with raw_connection(served) as raw:
        await raw.send(handshake(served).replace(b"host: ", b"X-Request-Id: mine-1\r\nhost: "))
        head = (await raw.reader.readuntil(b"\r\n\r\n")).lower()
        assert head.startswith(b"http/1.1 101")
        assert b"\r\nx-request-id: mine-1\r\n" in head
        assert b"\r\nx-content-type-options: nosniff\r\n" in head


async def test_a_full_server_refuses_with_them_too(tmp_path: Path) -> None:
    async with running_venue(tmp_path) as venue, serving(venue, listen("127.0.0.1", 0), max_connections=1) as full:
        async with raw_connection(full) as first:
            await first.send(get("/healthz"))
            assert (await first.answer()).status == 200
            async with raw_connection(full) as second:
                refused = await second.answer()
        assert (refused.status, refused.code()) == (503, "too_many_connections")
        assert refused.headers["x-content-type-options"] == "nosniff"
        assert refused.headers["content-security-policy"] == API_POLICY


async def test_behind_tls_browsers_are_told_to_stay_with_it(tmp_path: Path) -> None:
    async with running_venue(tmp_path) as venue:
        server = make_server(venue.app, max_connections=9, max_connections_per_address=9, behind_tls=True)
        assert (b"strict-transport-security", b"max-age=31536000") in _encoded(server.config.headers)


def _encoded(headers: list[tuple[str, str]]) -> list[tuple[bytes, bytes]]:
    return [(name.encode(), value.encode()) for name, value in headers]
