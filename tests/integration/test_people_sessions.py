"""Ends of sessions, over HTTP and WebSocket."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import InvalidStatus

from services.people.sessions import IDLE_S
from tests.integration.logged_in import OTHER, PASSWORD, add_user, attempt, browser, code, logged_in
from tests.integration.served_venue import Served, served_venue
from tests.integration.venue import MAX_WEBSOCKETS_PER_KEY, RunningVenue, running_venue
from tests.patience import AsyncHttpClient, WebSocketClient

pytestmark = pytest.mark.anyio

ORDER = {"symbol": "PRND-OX", "side": "buy", "price": "473000", "quantity": 1}


# ---------------------------------------------------------------------- ends of sessions


async def test_a_log_in_never_takes_the_secret_that_the_browser_brings(venue: RunningVenue) -> None:
    await add_user(venue, "li.na", "visitor")
    client = browser(venue)
    client.cookies.set("rex_session", "rexs_chosen_by_somebody_else", domain="127.0.0.1", path="/")
    await client.post("/v1/session", json={"name": "li.na", "password": PASSWORD})
    first = await logged_in(venue, "li.na")
    old = dict(first.cookies)
    again = await first.post("/v1/session", json={"name": "li.na", "password": PASSWORD})
    assert again.cookies["rex_session"] not in ("rexs_chosen_by_somebody_else", old["rex_session"])
    for secret in ("rexs_chosen_by_somebody_else", old["rex_session"]):
        header = {"cookie": f"rex_session={secret}"}
        assert code(await browser(venue).get("/v1/orders", headers=header)) == (401, "session_ended")


async def test_log_out_ends_the_session_and_takes_the_cookie(venue: RunningVenue) -> None:
    await add_user(venue, "li.na", "visitor")
    client = await logged_in(venue, "li.na")
    secret = client.cookies["rex_session"]
    reply = await client.delete("/v1/session")
    assert (reply.status_code, reply.json()["name"]) == (200, None)
    assert reply.headers["set-cookie"] == "rex_session=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0"
    assert not client.cookies
    header = {"cookie": f"rex_session={secret}"}
    assert code(await client.get("/v1/orders", headers=header)) == (401, "session_ended")


async def test_an_idle_session_ends(tmp_path: Path) -> None:
    now = [1000.0]
    async with running_venue(tmp_path, steady=lambda: now[0]) as venue:
        await add_user(venue, "li.na", "visitor")
        client = await logged_in(venue, "li.na")
        now[0] += IDLE_S - 1
        assert (await client.get("/v1/venue")).status_code == 200
        now[0] += IDLE_S
        assert code(await client.get("/v1/orders")) == (401, "session_ended")


async def test_a_change_by_an_administrator_ends_the_sessions_at_once(venue: RunningVenue) -> None:
    admin = venue.client("operator")
    for name, method, path, body, status in (
        ("li.na", "PUT", "/role", {"role": "visitor"}, 201),
        ("wang.fang", "PUT", "/password", {"password": OTHER}, 401),
        ("zhao.min", "DELETE", "", None, 401),
    ):
        user_id = await add_user(venue, name, "trader", account=2)
        client = await logged_in(venue, name)
        users = (await admin.get("/v1/admin/users")).json()["users"]
        assert [user["sessions"] for user in users if user["name"] == name] == [1]
        assert (await admin.request(method, f"/v1/admin/users/{user_id}{path}", json=body)).status_code == 200
        assert code(await client.post("/v1/orders", json=ORDER)) == (401, "session_ended")
        assert (await attempt(venue, name, PASSWORD)).status_code == status


async def test_ones_own_password_is_changed_with_the_old_one(venue: RunningVenue) -> None:
    await add_user(venue, "li.na", "visitor")
    client, other = await logged_in(venue, "li.na"), await logged_in(venue, "li.na")
    wrong = await client.put("/v1/session/password", json={"password": OTHER, "new_password": OTHER})
    assert code(wrong) == (401, "wrong_name_or_password")
    short = await client.put("/v1/session/password", json={"password": PASSWORD, "new_password": "too short"})
    assert code(short) == (422, "validation_failed")
    changed = await client.put("/v1/session/password", json={"password": PASSWORD, "new_password": OTHER})
    assert (changed.status_code, changed.json()["name"]) == (200, "li.na")
    assert (await client.get("/v1/venue")).status_code == 200
    assert code(await other.get("/v1/orders")) == (401, "session_ended")
    assert (await attempt(venue, "li.na", OTHER)).status_code == 201
    key = await venue.client("alice").put("/v1/session/password", json={"password": OTHER, "new_password": OTHER})
    assert code(key) == (409, "no_session")


async def test_a_restart_keeps_the_users_and_drops_the_sessions(tmp_path: Path) -> None:
    async with running_venue(tmp_path) as venue:
        await add_user(venue, "li.na", "auditor")
        removed = await add_user(venue, "gone", "auditor")
        await venue.client("operator").delete(f"/v1/admin/users/{removed}")
        cookie = f"rex_session={(await logged_in(venue, 'li.na')).cookies['rex_session']}"
    async with running_venue(tmp_path) as venue:
        assert code(await browser(venue).get("/v1/orders", headers={"cookie": cookie})) == (401, "session_ended")
        assert [user["name"] for user in (await venue.client("operator").get("/v1/admin/users")).json()["users"]] == [
            "li.na"
        ]
        assert (await logged_in(venue, "li.na")).cookies


# ---------------------------------------------------------------------- WebSockets


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    async with served_venue(tmp_path) as running:
        yield running


async def open_socket(served: Served, secret: str, origin: str | None = None) -> ClientConnection:
    headers = {"cookie": f"rex_session={secret}", "origin": served.url if origin is None else origin}
    return await WebSocketClient(served.url.replace("http", "ws") + "/v1/ws", additional_headers=headers)


async def session(served: Served, name: str) -> str:
    async with AsyncHttpClient(base_url=served.url, headers={"origin": served.url}) as client:
        reply = await client.post("/v1/session", json={"name": name, "password": PASSWORD})
        return reply.cookies["rex_session"]


async def ask(socket: ClientConnection, method: str, **params: Any) -> Any:
    await socket.send(json.dumps({"method": method, "req_id": 1, "params": params}))
    return json.loads(await socket.recv())


async def test_a_websocket_takes_the_cookie_and_closes_with_the_session(served: Served) -> None:
    user_id = await add_user(served.venue, "li.na", "trader", account=2)
    admin, users = await served.client("operator"), served.venue.people.users
    for end in ("role", "log-out", "password", "removal"):
        secret = await session(served, "li.na")
        socket = await open_socket(served, secret)
        assert (await ask(socket, "subscribe", channels=["orders"]))["result"]["channels"] == ["orders"]
        headers = {"origin": served.url, "cookie": f"rex_session={secret}"}
        key = {"authorization": f"Bearer {served.venue.keys['operator'].key}"}
        async with AsyncHttpClient(base_url=served.url) as client:
            match end:
                case "role":
                    body = {"role": "trader", "account": 3}
                    await client.put(f"/v1/admin/users/{user_id}/role", json=body, headers=key)
                case "log-out":
                    await client.delete("/v1/session", headers=headers)
                case "password":
                    await client.put(f"/v1/admin/users/{user_id}/password", json={"password": PASSWORD}, headers=key)
                case _:
                    await client.delete(f"/v1/admin/users/{user_id}", headers=key)
        await socket.wait_closed()
        assert (socket.close_code, socket.close_reason) == (4001, "the session has ended")
    assert users.by_id == {}
    assert await admin.venue()  # nobody else was disturbed


async def test_each_log_in_of_a_person_has_so_many_websockets(served: Served) -> None:
    """The visitors of a demo are the same person: one browser with many tabs takes none from the others."""
    await add_user(served.venue, "li.na", "trader", account=2)
    one, other = await session(served, "li.na"), await session(served, "li.na")
    sockets = [await open_socket(served, one) for _ in range(MAX_WEBSOCKETS_PER_KEY)]
    with pytest.raises(InvalidStatus) as refused:
        await open_socket(served, one)
    assert "This log-in has" in json.loads(refused.value.response.body or b"")["detail"]
    sockets.append(await open_socket(served, other))
    for socket in sockets:
        assert "result" in await ask(socket, "ping")
        await socket.close()


async def test_another_page_opens_no_websocket_by_the_cookie(served: Served) -> None:
    await add_user(served.venue, "li.na", "trader", account=2)
    secret = await session(served, "li.na")
    for origin in ("https://evil.example", "http://127.0.0.1:1", "null"):
        with pytest.raises(InvalidStatus) as refused:
            await open_socket(served, secret, origin)
        assert refused.value.response.status_code == 403
    stale = await open_socket(served, "rexs_gone")  # nobody's: a browser keeps its cookie over a restart
    assert (await ask(stale, "subscribe", channels=["orders"]))["error"]["code"] == "missing_key"
    await stale.close()
