from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.routing import Mount

from services.gateway.http.access_middleware import BATCH_BODY_LIMIT, BODY_LIMIT
from services.messaging import InboxFull, Submission
from tests.integration.venue import BASE_URL, RunningVenue, running_venue

pytestmark = pytest.mark.anyio

ORDER = {"symbol": "PRND-OX", "side": "buy", "price": "473000", "quantity": 1}
JSON = {"content-type": "application/json"}


def problem(reply: httpx.Response) -> tuple[int, str]:
    assert reply.headers["content-type"] == "application/problem+json"
    document = reply.json()
    assert set(document) == {"type", "title", "status", "detail", "code", "errors", "next_step", "request_id"}
    assert document["status"] == reply.status_code
    return reply.status_code, document["code"]


@pytest.mark.parametrize(("authorization", "code"), [(b"Bearer", "missing_key"), (b"Bearer \xff\xfe", "unknown_key")])
async def test_a_missing_or_unknown_key(refusing_venue: RunningVenue, authorization: bytes, code: str) -> None:
    """Those of test_key_table.py can be written in a header as text."""
    client, headers = refusing_venue.client(None), {b"authorization": authorization}
    for request in (client.get("/v1/account", headers=headers), client.post("/v1/orders", headers=headers, json=ORDER)):
        reply = await request
        assert problem(reply) == (401, code)
        assert reply.headers["www-authenticate"] == 'Bearer realm="rex"'


async def test_nothing_is_mounted_beside_the_routes_of_the_document(refusing_venue: RunningVenue) -> None:
    assert [route.path for route in refusing_venue.app.routes if isinstance(route, Mount)] == []


async def test_an_operator_names_an_account(refusing_venue: RunningVenue) -> None:
    operator = refusing_venue.client("operator")
    for path in ("/v1/account", "/v1/fills"):
        assert problem(await operator.get(path)) == (403, "account_required")
    assert (await operator.get("/v1/account?account=3")).json()["name"] == "bob"


@pytest.mark.parametrize(
    ("host", "fine"),
    [
        ("127.0.0.1", True),
        ("LOCALHOST:8000", True),
        ("evil.example", False),
        ("127.0.0.1.evil.example", False),
        ("", False),
        ("[::1]:8000", False),
    ],
)
async def test_the_host_must_be_ours(refusing_venue: RunningVenue, host: str, fine: bool) -> None:
    reply = await refusing_venue.client("alice").get("/v1/venue", headers={"host": host})
    if fine:
        assert reply.status_code == 200
    else:
        assert problem(reply) == (400, "host_not_allowed")


@pytest.mark.parametrize("origin", ["http://127.0.0.1:9000", "https://evil.example", "null", ""])
async def test_a_page_must_be_ours(refusing_venue: RunningVenue, origin: str) -> None:
    reply = await refusing_venue.client("alice").post("/v1/orders", json=ORDER, headers={"origin": origin})
    assert problem(reply) == (403, "origin_not_allowed")


async def chunks(size: int) -> AsyncIterator[bytes]:
    for _ in range(size // 1024 + 1):
        yield b" " * 1024


@pytest.mark.parametrize("path", ["/v1/orders", "/v1/admin/accounts"])
async def test_a_body_over_the_limit_is_refused_with_and_without_a_length(venue: RunningVenue, path: str) -> None:
    client = venue.client("operator" if "admin" in path else "alice")
    assert problem(await client.post(path, content=b" " * (BODY_LIMIT + 1))) == (413, "body_too_large")
    assert problem(await client.post(path, content=chunks(BODY_LIMIT))) == (413, "body_too_large")
    assert problem(await client.post(path, content=b" " * BODY_LIMIT, headers=JSON)) == (400, "malformed_json")
    assert problem(await client.post("/v1/orders/batch", content=b" " * (BATCH_BODY_LIMIT + 1)))[0] in (403, 413)


async def test_a_body_in_chunks_is_taken_whole(venue: RunningVenue) -> None:
    async def body(document: dict[str, Any]) -> AsyncIterator[bytes]:
        for byte in json.dumps(document).encode():
            yield bytes([byte])

    alice, operator = venue.client("alice"), venue.client("operator")
    assert (await alice.post("/v1/orders", content=body(ORDER), headers=JSON)).status_code == 201
    opened = await operator.post("/v1/admin/accounts", content=body({"name": "carol"}), headers=JSON)
    assert opened.json()["name"] == "carol"


async def test_what_the_router_does_not_know(venue: RunningVenue) -> None:
    alice = venue.client("alice")
    assert problem(await alice.get("/v1/nothing")) == (404, "not_found")
    assert problem(await alice.get("/nothing")) == (404, "not_found")
    reply = await alice.put("/v1/orders", json=ORDER)
    assert problem(reply) == (405, "method_not_allowed")
    assert reply.headers["allow"]
    assert problem(await alice.get("/v1/market/GOLD/depth")) == (404, "unknown_symbol")


async def test_malformed_json(refusing_venue: RunningVenue) -> None:
    alice, operator = refusing_venue.client("alice"), refusing_venue.client("operator")
    for body in (b"", b"{", b"nonsense", b"\xff\xfe", b'{"symbol": "PRND-OX",}'):
        for path in ("/v1/orders", "/v1/orders/batch"):
            assert problem(await alice.post(path, content=body, headers=JSON)) == (400, "malformed_json")
    assert problem(await operator.post("/v1/admin/accounts", content=b"{", headers=JSON)) == (400, "malformed_json")


@pytest.mark.parametrize("path", ["/v1/orders", "/v1/fills", "/v1/account"])
async def test_an_account_beyond_any_number_is_refused(refusing_venue: RunningVenue, path: str) -> None:
    reply = await refusing_venue.client("operator").get(path, params={"account": str(2**63)})
    assert (reply.status_code, reply.json()["errors"][0]["field"]) == (422, "account")


async def test_a_wrong_query_names_its_parameter(refusing_venue: RunningVenue) -> None:
    reply = await refusing_venue.client("alice").get("/v1/orders?limit=0&state=half")
    assert problem(reply) == (422, "validation_failed")
    assert {error["field"] for error in reply.json()["errors"]} == {"limit", "state"}


async def test_an_unexpected_error_says_nothing_of_itself(venue: RunningVenue, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr(venue.market, "ticker", broken)
    monkeypatch.setattr(venue.inbox, "put", broken)
    for reply in (
        await venue.client("alice").get("/v1/market/PRND-OX/ticker"),
        await venue.client("alice").post("/v1/orders", json=ORDER),
    ):
        assert problem(reply) == (500, "internal_error")
        assert "secret" not in reply.text


async def test_a_full_inbox_says_when_to_come_again(venue: RunningVenue, monkeypatch: pytest.MonkeyPatch) -> None:
    async def full(_: Submission) -> None:
        raise InboxFull

    monkeypatch.setattr(venue.inbox, "put", full)
    reply = await venue.client("alice").post("/v1/orders", json=ORDER)
    assert problem(reply) == (503, "inbox_full")
    assert reply.headers["retry-after"] == "1"
    assert venue.order_entry.pending.waiting == 0


async def test_no_reply_means_unknown(venue: RunningVenue) -> None:
    await venue.sequencer.stop()
    request = asyncio.create_task(venue.client("alice").post("/v1/orders", json={**ORDER, "client_order_id": "lost"}))
    await venue.inbox.take(1, 1_000)
    venue.order_entry.pending.give_up(asyncio.get_running_loop().time())
    assert venue.order_entry.pending.waiting == 1
    venue.order_entry.pending.give_up(asyncio.get_running_loop().time() + 60)
    reply = await request
    assert problem(reply) == (503, "outcome_unknown")
    assert "client_order_id" in reply.json()["detail"]


async def test_health_readiness_and_metrics(venue: RunningVenue, monkeypatch: pytest.MonkeyPatch) -> None:
    client = venue.client(None)
    await venue.client("alice").post("/v1/orders", json=ORDER)
    await venue.client("alice").post("/v1/orders", json={**ORDER, "price": "900000"})
    answered = {"status": "ok", "seq": venue.state.last_seq, "kill_switch": False, "warnings": [], "acts_of_two": []}
    assert (await client.get("/healthz")).json() == answered
    assert (await client.get("/readyz")).json() == {
        "status": "ready",
        "seq": venue.state.last_seq,
        "kill_switch": False,
        "warnings": [],
        "acts_of_two": [],
    }
    metrics = (await client.get("/metrics")).text
    assert 'rex_orders_total{state="new"} 1.0' in metrics
    assert 'rex_order_rejects_total{reason="price_above_band"} 1.0' in metrics
    assert 'rex_requests_total{method="POST",status="201"} 2.0' in metrics
    assert "rex_inbox_commands 0.0" in metrics
    assert "rex_open_orders 1.0" in metrics
    monkeypatch.setattr(venue.state, "trading_date", 0)
    reply = await client.get("/readyz")
    assert problem(reply) == (503, "not_ready")
    assert reply.json()["detail"] == "No trading day has begun."


async def test_the_documentation_works_offline(venue: RunningVenue) -> None:
    client = venue.client(None)
    page = (await client.get("/docs")).text
    assert "http://" not in page
    assert "https://" not in page
    for asset in ("swagger-ui-bundle.js", "swagger-ui.css", "favicon.png"):
        assert f"/docs/static/{asset}" in page
        assert (await client.get(f"/docs/static/{asset}")).status_code == 200


async def websocket_handshake(venue: RunningVenue, headers: dict[str, str]) -> list[dict[str, Any]]:
    """The door's answer to a handshake, before any message."""
    sent: list[dict[str, Any]] = []
    scope = {
        "type": "websocket",
        "path": "/v1/ws",
        "raw_path": b"/v1/ws",
        "query_string": b"",
        "root_path": "",
        "scheme": "ws",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        "subprotocols": [],
        "extensions": {"websocket.http.response": {}},
    }

    messages: list[Any] = [{"type": "websocket.connect"}]

    async def receive() -> Any:
        return messages.pop() if messages else {"type": "websocket.disconnect", "code": 1005}

    async def send(message: Any) -> None:
        sent.append(message)

    await venue.app(scope, receive, send)
    return sent


async def test_the_door_checks_handshakes(venue: RunningVenue) -> None:
    host = {"host": BASE_URL.removeprefix("http://")}
    for headers, status in (
        ({"host": "evil.example"}, 400),
        ({**host, "origin": "https://evil.example"}, 403),
        ({**host, "authorization": "Bearer rex_wrong"}, 401),
    ):
        start, body = await websocket_handshake(venue, headers)
        assert (start["type"], start["status"]) == ("websocket.http.response.start", status)
        assert json.loads(body["body"])["status"] == status
    good = {**host, "origin": BASE_URL, "authorization": f"Bearer {venue.keys['alice'].key}"}
    assert (await websocket_handshake(venue, good))[0]["type"] == "websocket.accept"


async def test_one_line_per_request(tmp_path: Path) -> None:
    from structlog.testing import capture_logs

    async with running_venue(tmp_path, request_log=True) as venue:
        with capture_logs() as lines:
            await venue.client("alice").post("/v1/orders", json=ORDER)
            await venue.client(None).get("/v1/account")
    first, second = lines
    key = venue.state.find_key(venue.keys["alice"].key)
    assert key is not None
    assert (first["event"], first["log_level"], first["key_id"]) == ("request", "info", key.key_id)
    assert (first["method"], first["path"], first["status"]) == ("POST", "/v1/orders", 201)
    assert (second["status"], second["key_id"]) == (401, None)
