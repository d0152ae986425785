"""What needs no key: answered by the access middleware, without routing; pages of the codes; media types and request ids."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from structlog.testing import capture_logs

from matching_engine.records import Reason
from services.gateway.problem_codes import CODES
from tests.integration.venue import RunningVenue, running_venue

pytestmark = pytest.mark.anyio

ORDER = b'{"symbol": "PRND-OX", "side": "buy", "price": "473000", "quantity": 1}'


@pytest.fixture(scope="module")
async def venue(tmp_path_factory: pytest.TempPathFactory, anyio_backend: str) -> AsyncIterator[RunningVenue]:
    async with running_venue(tmp_path_factory.mktemp("venue"), request_log=True) as running:
        yield running


async def test_open_answers_reach_no_router(venue: RunningVenue, monkeypatch: pytest.MonkeyPatch) -> None:
    async def routed(*arguments: Any) -> None:
        raise AssertionError("FastAPI was asked")

    monkeypatch.setattr(venue.app.router, "middleware_stack", routed)
    client = venue.client(None)
    for path in (
        "/healthz", "/readyz", "/metrics", "/openapi.json", "/docs", "/docs/static/swagger-ui.css",
        "/docs/static/swagger-ui-bundle.js", "/docs/static/favicon.png", "/errors/inbox_full",
        "/asyncapi.json", "/docs/websocket",
    ):  # fmt: skip
        answer = await client.get(path)
        assert answer.status_code == 200, path
        head = await client.head(path)
        assert (head.status_code, head.content) == (200, b"")
        if etag := answer.headers.get("etag"):
            assert (await client.get(path, headers={"if-none-match": etag})).status_code == 304


async def test_each_type_of_a_problem_is_a_page(venue: RunningVenue) -> None:
    client = venue.client(None)
    for code in {*CODES, *(reason.name.lower() for reason in Reason if reason != Reason.NONE)}:
        page = await client.get(f"/errors/{code}", headers={"accept": "text/html,*/*"})
        assert page.headers["content-type"] == "text/html; charset=utf-8"
        assert f"<code>{code}</code>" in page.text
        document = (await client.get(f"/errors/{code}")).json()
        assert (document["code"], document["type"], document["status"]) == (
            code, f"/errors/{code}", CODES[code].status if code in CODES else 409,
        )  # fmt: skip
        assert document["meaning"] or document["reason"]
    refused = (await client.get("/errors/<script>")).json()
    assert (refused["status"], refused["code"]) == (404, "not_found")
    assert (await client.get(refused["type"])).status_code == 200


NOT_JSON = [
    ({}, "no Content-Type"),
    ({"content-type": "text/plain"}, "text/plain"),
    ({"content-type": "application/x-www-form-urlencoded"}, "curl"),
    ({"content-type": "application/json; charset=gbk"}, "gbk"),
    ({"content-type": "application/jsonp"}, "jsonp"),
    ({"content-type": "multipart/form-data; boundary=x"}, "multipart"),
    # The venue would read the bytes as they are, a proxy may unpack them.
    ({"content-type": "application/json", "content-encoding": "gzip"}, "'gzip'"),
]


@pytest.mark.parametrize("path", ["/v1/orders", "/v1/orders/batch", "/v1/admin/accounts"])
async def test_a_body_that_is_not_declared_as_plain_json(venue: RunningVenue, path: str) -> None:
    before = venue.sequencer.last_seq
    client = venue.client("operator" if "admin" in path else "alice")
    for headers, word in NOT_JSON:
        answer = await client.post(path, content=ORDER, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")
        assert word in answer.json()["detail"]
        assert "application/json" in answer.json()["next_step"]
    assert venue.sequencer.last_seq == before


async def test_a_body_that_is_and_a_command_without_one(venue: RunningVenue) -> None:
    alice, operator = venue.client("alice"), venue.client("operator")
    for media_type in ("application/json", "Application/JSON;charset=UTF-8", 'application/json; charset="utf-8"'):
        answer = await alice.post("/v1/orders", content=ORDER, headers={"content-type": media_type})
        assert answer.status_code == 201, media_type
    assert (await operator.post("/v1/admin/halt")).status_code == 200


@pytest.mark.parametrize(
    ("path", "name", "body"),
    [
        (
            "/v1/orders",
            "alice",
            b'{"symbol": "PRND-OX", "side": "buy", "side": "sell", "price": "473000", "quantity": 1}',
        ),
        ("/v1/orders/batch", "alice", b'{"orders": [{"symbol": "PRND-OX", "si\\u0064e": "buy", "side": "buy"}]}'),
        ("/v1/admin/accounts", "operator", b'{"name": "a", "side": {}, "side": {}}'),
    ],
)
async def test_a_key_that_is_there_twice_is_named(venue: RunningVenue, path: str, name: str, body: bytes) -> None:
    before = venue.sequencer.last_seq
    answer = await venue.client(name).post(path, content=body, headers={"content-type": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (400, "duplicate_key")
    assert [error["field"] for error in answer.json()["errors"]] == ["side"]
    assert venue.sequencer.last_seq == before


@pytest.mark.parametrize(
    ("given", "kept"),
    [("my-trace.01:a_b", True), ("a" * 64, True), ("a" * 65, False), ("", False), ("a b", False), ("-a", False),
     ("a\xe9", False), ("<script>", False)],
)  # fmt: skip
async def test_a_request_id_is_in_header_body_and_log(venue: RunningVenue, given: str, kept: bool) -> None:
    client = venue.client(None)
    with capture_logs() as lines:
        answer = await client.get("/v1/account", headers={b"x-request-id": given.encode("latin-1")})
    request_id = answer.headers["x-request-id"]
    assert (request_id == given) == kept
    assert answer.json()["request_id"] == request_id
    assert [line["request_id"] for line in lines if line["event"] == "request"] == [request_id]


async def test_every_request_has_an_id_of_its_own(venue: RunningVenue) -> None:
    alice, json_type = venue.client("alice"), {"content-type": "application/json"}
    answers = [await alice.post("/v1/orders", content=ORDER, headers=json_type) for _ in range(3)]
    answers += [await alice.get(path) for path in ("/v1/venue", "/healthz", "/docs", "/nowhere", "/v1/orders/x")]
    assert len({answer.headers["x-request-id"] for answer in answers}) == len(answers)
    for answer in answers:
        if answer.status_code >= 400:
            assert answer.json()["request_id"] == answer.headers["x-request-id"]
