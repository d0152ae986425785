"""Rate limits over HTTP and WebSockets: which class a route has, what the answers say, and what a refusal leaves alone."""

from __future__ import annotations

import json
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from services.gateway.limits.rate_class import KEY_CLASSES, class_of
from tests.integration.documented import openapi
from tests.integration.logged_in import add_user, logged_in
from tests.integration.served_venue import Served, serving
from tests.integration.venue import RunningVenue, running_venue
from tests.patience import AsyncHttpClient, WebSocketClient

pytestmark = pytest.mark.anyio

ORDER = {"symbol": "PRND-OX", "side": "buy", "price": "473000", "quantity": 1}
LIMITS = {"orders": {"per_s": 1, "burst": 3}, "cancels": {"per_s": 2, "burst": 4}, "reads": {"per_s": 1, "burst": 2}}

NOW_NS = 10**15


@pytest.fixture
async def venue(tmp_path: Path) -> AsyncIterator[RunningVenue]:
    async with running_venue(tmp_path, limit_clock=lambda: NOW_NS) as running:
        yield running


async def issue(venue: RunningVenue, **fields: Any) -> dict[str, Any]:
    body = {"name": "desk", "scopes": ["read", "trade"], "account": 2, "limits": LIMITS, **fields}
    reply = await venue.client("operator").post("/v1/admin/keys", json=body)
    assert reply.status_code == 201, reply.text
    issued: dict[str, Any] = reply.json()
    return issued


async def limited(venue: RunningVenue) -> AsyncHttpClient:
    client = venue.client(None)
    client.headers["authorization"] = f"Bearer {(await issue(venue))['key']}"
    return client


# ---------------------------------------------------------------------- the class of each route

ORDERS = """
POST /v1/orders
POST /v1/orders/batch
POST /v1/orders/mixed_batch
POST /v1/orders/test
PATCH /v1/orders
PATCH /v1/orders/{order_id}
POST /v1/admin/accounts
POST /v1/admin/accounts/{account}/cash
POST /v1/admin/accounts/{account}/inventory
POST /v1/admin/accounts/{account}/kill_switch/{switch}
PUT /v1/admin/accounts/{account}/limits
POST /v1/admin/keys
PUT /v1/admin/keys/{key_id}/limits
DELETE /v1/admin/keys/{key_id}
PUT /v1/admin/fees/{account_class}
POST /v1/admin/halt
POST /v1/admin/resume
POST /v1/admin/instruments/{symbol}/halt
POST /v1/admin/instruments/{symbol}/resume
PUT /v1/admin/instruments/{symbol}/phase
PUT /v1/admin/instruments/{symbol}/collar
PUT /v1/admin/instruments/{symbol}/volatility_band
POST /v1/admin/instruments
PATCH /v1/admin/instruments/{symbol}
POST /v1/admin/instruments/{symbol}/delist
POST /v1/admin/kill_switch/{switch}
POST /v1/admin/trades/{trade_id}/bust
POST /v1/admin/targets
POST /v1/admin/decisions
POST /v1/admin/control_groups
POST /v1/admin/control_groups/{seq}/end
POST /v1/admin/measures
POST /v1/admin/measures/{seq}/lift
POST /v1/admin/context
POST /v1/admin/proposals/{seq}/confirm
POST /v1/admin/proposals/{seq}/reject
POST /v1/admin/proposals/{seq}/withdraw
POST /v1/alerts/{alert_id}/acknowledge
POST /v1/admin/users
PUT /v1/admin/users/{user_id}/role
PUT /v1/admin/users/{user_id}/password
POST /v1/admin/users/{user_id}/link
DELETE /v1/admin/users/{user_id}
POST /v1/session
DELETE /v1/session
PUT /v1/session/password
POST /v1/session/link
"""
"""The last four need no key; without one only the limit of log-ins by address holds."""
CANCELS = """
DELETE /v1/orders
DELETE /v1/orders/{order_id}
POST /v1/orders/cancel
PUT /v1/orders/cancel_all_after
"""


async def test_every_route_has_the_class_of_this_table(venue: RunningVenue) -> None:
    """Every query is a read. What changes something has its line above; a new route needs one, and so a decision."""
    found: dict[str, set[str]] = {name: set() for name in KEY_CLASSES}
    for path, operations in openapi()["paths"].items():
        if path.startswith("/v1/"):
            for method in operations:
                found[KEY_CLASSES[class_of(method.upper(), path)]].add(f"{method.upper()} {path}")
    assert found["orders"] == set(ORDERS.strip().splitlines())
    assert found["cancels"] == set(CANCELS.strip().splitlines())
    assert found["reads"]
    assert all(route.startswith("GET ") for route in found["reads"])


# ---------------------------------------------------------------------- HTTP


async def test_answers_say_what_is_left(venue: RunningVenue) -> None:
    client = await limited(venue)
    for left, reset_s in ((2, 1), (1, 2), (0, 3)):
        reply = await client.post("/v1/orders", json=ORDER)
        assert reply.status_code == 201
        assert reply.headers["ratelimit-policy"] == '"orders";q=3;w=3'
        assert reply.headers["ratelimit"] == f'"orders";r={left};t={reset_s}'
    reply = await client.get("/v1/account")
    assert reply.headers["ratelimit-policy"] == '"reads";q=2;w=2'
    assert reply.headers["ratelimit"] == '"reads";r=1;t=1'
    reply = await client.delete("/v1/orders/999")
    assert (reply.status_code, reply.headers["ratelimit"]) == (404, '"cancels";r=3;t=1')


async def test_a_request_beyond_the_limit_is_refused_before_its_body_is_read(venue: RunningVenue) -> None:
    client = await limited(venue)
    for _ in range(3):
        await client.post("/v1/orders", json=ORDER)
    seq = venue.state.last_seq
    for path in ("/v1/orders", "/v1/orders/batch"):
        reply = await client.post(path, content=b"this is not JSON")
        assert (reply.status_code, reply.json()["code"]) == (429, "rate_limited")
        assert (reply.json()["rate_class"], reply.json()["retry_after_ms"]) == ("orders", 1000)
        assert reply.headers["retry-after"] == "1"
        assert reply.headers["ratelimit"] == '"orders";r=0;t=3'
    assert venue.state.last_seq == seq


async def test_orders_leave_the_cancels_alone(venue: RunningVenue) -> None:
    client = await limited(venue)
    placed = [(await client.post("/v1/orders", json=ORDER)).json()["order_id"] for _ in range(3)]
    assert (await client.post("/v1/orders", json=ORDER)).status_code == 429
    for order_id in placed:
        assert (await client.delete(f"/v1/orders/{order_id}")).json()["state"] == "canceled"
    assert (await client.delete("/v1/orders?symbol=*")).status_code == 200, "a mass cancel costs one"
    assert (await client.delete("/v1/orders?symbol=*")).json()["rate_class"] == "cancels"


async def test_a_batch_costs_what_its_orders_cost(venue: RunningVenue) -> None:
    client = await limited(venue)
    assert (await client.post("/v1/orders/batch", json={"orders": [ORDER] * 4})).status_code == 422
    reply = await client.post("/v1/orders/batch", json={"orders": [ORDER] * 2})
    assert (reply.status_code, reply.headers["ratelimit"]) == (200, '"orders";r=1;t=2')
    seq = venue.state.last_seq
    reply = await client.post("/v1/orders/batch", json={"orders": [ORDER] * 2})
    assert (reply.status_code, reply.json()["code"]) == (429, "rate_limited")
    assert venue.state.last_seq == seq
    assert (await client.post("/v1/orders", json=ORDER)).status_code == 201, "the refused batch took no token"


async def test_keys_without_a_limit_hear_of_none(venue: RunningVenue) -> None:
    reply = await venue.client("alice").post("/v1/orders", json=ORDER)
    assert not [name for name in reply.headers if name.startswith("ratelimit")]


async def test_an_operator_sets_the_limits_of_a_key(venue: RunningVenue) -> None:
    issued, operator = await issue(venue), venue.client("operator")
    body = {"orders": {"per_s": 0, "burst": 1}, "reason": "market maker"}
    assert (await operator.put(f"/v1/admin/keys/{issued['key_id']}/limits", json=body)).status_code == 200
    client = venue.client(None)
    client.headers["authorization"] = f"Bearer {issued['key']}"
    for _ in range(5):
        assert (await client.post("/v1/orders", json=ORDER)).status_code == 201
    unknown = await operator.put("/v1/admin/keys/999999/limits", json=body)
    assert (unknown.status_code, unknown.json()["code"]) == (404, "unknown_key_id")


async def test_a_user_who_is_logged_in_has_the_defaults_over_all_requests(venue: RunningVenue) -> None:
    await add_user(venue, "li.na", "trader", account=2)
    person = await logged_in(venue, "li.na")
    for left in (1_999, 1_998):
        reply = await person.get("/v1/account")
        assert reply.headers["ratelimit"].startswith(f'"reads";r={left};')


async def test_limits_outlast_a_restart(tmp_path: Path) -> None:
    async with running_venue(tmp_path) as venue:
        issued = await issue(venue)
    async with running_venue(tmp_path) as venue:
        client = venue.client(None)
        client.headers["authorization"] = f"Bearer {issued['key']}"
        reply = await client.get("/v1/account")
        assert reply.headers["ratelimit-policy"] == '"reads";q=2;w=2'


# ---------------------------------------------------------------------- the WebSocket


@pytest.fixture
async def served(venue: RunningVenue) -> AsyncIterator[Served]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        async with serving(venue, listening) as served:
            yield served


async def test_replies_of_the_websocket_say_the_same(served: Served) -> None:
    key = (await issue(served.venue))["key"]
    url, headers = served.url.replace("http", "ws") + "/v1/ws", {"authorization": f"Bearer {key}"}
    async with WebSocketClient(url, additional_headers=headers) as socket:

        async def ask(method: str, params: Any, req_id: int) -> dict[str, Any]:
            await socket.send(json.dumps({"method": method, "params": params, "req_id": req_id}))
            reply: dict[str, Any] = json.loads(await socket.recv())
            assert reply["req_id"] == req_id
            return reply

        for left in (2, 1, 0):
            reply = await ask("place_order", ORDER, left)
            assert reply["result"]["state"] == "new"
            assert reply["rate_limit"] == {"class": "orders", "remaining": left, "reset_s": 3 - left}
        seq = served.venue.state.last_seq
        reply = await ask("place_order", {"nonsense": 1}, 4)
        assert (reply["error"]["status"], reply["error"]["code"]) == (429, "rate_limited")
        assert (reply["error"]["rate_class"], reply["error"]["retry_after_ms"]) == ("orders", 1000)
        assert reply["rate_limit"] == {"class": "orders", "remaining": 0, "reset_s": 3}
        assert served.venue.state.last_seq == seq
        reply = await ask("mass_cancel", {"symbol": "*"}, 5)
        assert (reply["result"]["canceled"], reply["rate_limit"]["remaining"]) == (3, 3)
        reply = await ask("ping", {}, 6)  # The handshake was a read, too.
        assert reply["rate_limit"] == {"class": "reads", "remaining": 0, "reset_s": 2}
        assert (await ask("ping", {}, 7))["error"]["rate_class"] == "reads"


async def test_keys_shown_after_the_handshake_are_limited_by_address(served: Served) -> None:
    url = served.url.replace("http", "ws") + "/v1/ws"
    codes = []
    for _ in range(3):
        async with WebSocketClient(url) as socket:
            for _ in range(15):
                await socket.send(json.dumps({"method": "authenticate", "params": {"key": "rex_wrong"}}))
                codes.append(json.loads(await socket.recv())["error"]["code"])
    assert codes == ["unknown_key"] * 30 + ["rate_limited"] * 15
