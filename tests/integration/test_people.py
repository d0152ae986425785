"""Log-in over HTTP: the cookie, wrong passwords, and what other pages cannot do (CSRF)."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from services.people.attempts import FREE_OF_NAME
from services.people.passwords import AT_ONCE, WAITING
from tests.integration.logged_in import OTHER, PASSWORD, add_user, attempt, browser, code, logged_in
from tests.integration.venue import BASE_URL, RunningVenue, running_venue

pytestmark = pytest.mark.anyio

ORDER = {"symbol": "PRND-OX", "side": "buy", "price": "473000", "quantity": 1}


# ---------------------------------------------------------------------- the cookie


async def test_a_log_in_sets_this_cookie_and_says_who_it_is(venue: RunningVenue) -> None:
    await add_user(venue, "li.na", "trader", account=2)
    reply = await attempt(venue, "LI.NA", PASSWORD)
    secret = reply.cookies["rex_session"]
    assert reply.headers["set-cookie"] == f"rex_session={secret}; Path=/; HttpOnly; SameSite=Strict"
    who = reply.json()
    assert who["expires_at"].endswith("Z")
    assert who | {"expires_at": ""} == {
        "name": "li.na", "role": "trader", "scopes": ["read", "trade"], "account": 2, "expires_at": "",
    }  # fmt: skip
    assert secret not in reply.text


async def test_behind_tls_the_cookie_is_for_https_only(tmp_path: Path) -> None:
    async with running_venue(tmp_path, behind_tls=True) as venue:
        await add_user(venue, "li.na", "operator")
        reply = await attempt(venue, "li.na", PASSWORD)
        name, _, rest = reply.headers["set-cookie"].partition("=")
        assert name == "__Host-rex_session"
        assert rest.partition("; ")[2] == "Path=/; HttpOnly; SameSite=Strict; Secure"
        client = browser(venue)
        for cookie, status in ((reply.headers["set-cookie"].split(";")[0], 200), ("rex_session=" + rest, 401)):
            assert (await client.get("/v1/admin/accounts", headers={"cookie": cookie})).status_code == status


async def test_a_user_acts_as_a_key_would_and_the_journal_says_who(venue: RunningVenue) -> None:
    user_id = await add_user(venue, "li.na", "trader", account=2)
    client = await logged_in(venue, "li.na")
    placed = await client.post("/v1/orders", json=ORDER)
    assert (placed.status_code, placed.json()["account"]) == (201, 2)
    batches = [batch async for batch in venue.journal.read(int(placed.json()["seq"]) - 1)]
    assert batches[0].command_list[-1].actor == user_id
    assert (await client.delete(f"/v1/orders/{placed.json()['order_id']}")).json()["state"] == "canceled"


async def test_the_secret_works_in_authorization_too_for_the_pages_of_the_venue(venue: RunningVenue) -> None:
    await add_user(venue, "li.na", "trader", account=2)
    secret = (await attempt(venue, "li.na", PASSWORD)).cookies["rex_session"]
    program = venue.client(None)
    program.headers["authorization"] = f"Bearer {secret}"
    assert (await program.post("/v1/orders", json=ORDER)).status_code == 201
    venue.people.sessions.end_all(venue.people.users.named("li.na").user_id)  # type: ignore[union-attr]
    assert code(await program.post("/v1/orders", json=ORDER)) == (401, "session_ended")


async def test_who_am_i(venue: RunningVenue) -> None:
    nobody: dict[str, Any] = {"name": None, "role": None, "scopes": [], "account": 0, "expires_at": None}
    assert (await browser(venue).get("/v1/session")).json() == nobody
    assert (await venue.client("alice").get("/v1/session")).json() == {
        "name": "alice", "role": None, "scopes": ["read", "trade"], "account": 2, "expires_at": None,
    }  # fmt: skip
    stale = browser(venue)
    stale.cookies.set("rex_session", "rexs_gone", domain="127.0.0.1")
    assert code(await stale.get("/v1/orders")) == (401, "session_ended")
    assert (await stale.get("/v1/session")).json() == nobody
    assert code(await stale.get("/v1/orders")) == (401, "missing_key")  # the answer took the cookie away


# ---------------------------------------------------------------------- wrong passwords


async def test_an_unknown_name_and_a_wrong_password_get_the_same_answer(venue: RunningVenue) -> None:
    await add_user(venue, "li.na", "admin")
    wrong, unknown = await attempt(venue, "li.na", OTHER), await attempt(venue, "nobody", OTHER)
    assert code(wrong) == (401, "wrong_name_or_password")
    same = {"request_id": None}
    assert wrong.json() | same == unknown.json() | same
    assert "set-cookie" not in wrong.headers
    without = await venue.client("operator").post("/v1/admin/users", json={"name": "new", "role": "visitor"})
    assert without.json()["has_password"] is False
    assert code(await attempt(venue, "new", OTHER)) == (401, "wrong_name_or_password")


async def test_wrong_passwords_make_the_next_one_wait(venue: RunningVenue) -> None:
    await add_user(venue, "li.na", "admin")
    for name in ("li.na", "nobody"):
        for _ in range(FREE_OF_NAME):
            assert code(await attempt(venue, name, OTHER)) == (401, "wrong_name_or_password")
        refused = await attempt(venue, name, PASSWORD)
        assert code(refused) == (429, "too_many_log_ins")
        assert refused.headers["retry-after"] == "1"


async def test_attempts_at_the_same_time_gain_nothing(venue: RunningVenue) -> None:
    await add_user(venue, "li.na", "admin")
    replies = await asyncio.gather(*[attempt(venue, "li.na", OTHER) for _ in range(12)])
    assert sorted(reply.status_code for reply in replies) == [401] * FREE_OF_NAME + [429] * (12 - FREE_OF_NAME)


async def test_a_flood_of_log_ins_is_refused_beyond_the_threads_and_orders_go_on(venue: RunningVenue) -> None:
    held = asyncio.Event()
    busy = [asyncio.ensure_future(_held(venue, held)) for _ in range(AT_ONCE + WAITING)]
    await asyncio.sleep(0)
    assert code(await attempt(venue, "li.na", OTHER)) == (429, "too_many_log_ins")
    assert (await venue.client("alice").post("/v1/orders", json=ORDER)).status_code == 201
    held.set()
    await asyncio.gather(*busy)
    assert code(await attempt(venue, "li.na", OTHER)) == (401, "wrong_name_or_password")


async def _held(venue: RunningVenue, until: asyncio.Event) -> None:
    """Takes a place among the hashes that are wanted."""
    loop = asyncio.get_running_loop()
    await venue.people.passwords._compute(lambda: asyncio.run_coroutine_threadsafe(until.wait(), loop).result(60))


# ---------------------------------------------------------------------- CSRF


OF_PAGES: list[tuple[dict[str, str], int]] = [
    ({"origin": BASE_URL}, 201),
    ({"sec-fetch-site": "same-origin"}, 201),
    ({"origin": "http://127.0.0.1:9000", "sec-fetch-site": "same-site"}, 403),
    ({"origin": "https://evil.example", "sec-fetch-site": "cross-site"}, 403),
    ({"origin": "null"}, 403),
    ({"sec-fetch-site": "same-site"}, 403),
    ({"sec-fetch-site": "none"}, 403),
    ({}, 403),
    ({"origin": BASE_URL, "content-type": "text/plain"}, 415),
    ({"origin": BASE_URL, "content-type": "application/x-www-form-urlencoded"}, 415),
    ({"origin": BASE_URL, "content-type": "application/json; charset=utf-8"}, 201),
]


async def test_only_the_venues_own_pages_change_something_by_a_cookie(venue: RunningVenue) -> None:
    await add_user(venue, "li.na", "trader", account=2)
    client = await logged_in(venue, "li.na")
    del client.headers["origin"]
    body = json.dumps(ORDER).encode()
    for headers, status in OF_PAGES:
        last_seq = venue.sequencer.last_seq
        reply = await client.post("/v1/orders", content=body, headers={"content-type": "application/json"} | headers)
        assert reply.status_code == status, (headers, reply.text)
        assert (venue.sequencer.last_seq > last_seq) == (status == 201)
        assert (await client.get("/v1/orders")).status_code == 200  # reading needs no such header


async def test_another_page_cannot_log_a_browser_out_or_in(venue: RunningVenue) -> None:
    await add_user(venue, "li.na", "visitor")
    client = await logged_in(venue, "li.na")
    evil = {"origin": "http://127.0.0.1:9000"}
    body = {"name": "li.na", "password": PASSWORD}
    assert code(await client.delete("/v1/session", headers=evil)) == (403, "origin_not_allowed")
    assert code(await client.post("/v1/session", json=body, headers=evil)) == (403, "origin_not_allowed")
    form = {"content-type": "application/x-www-form-urlencoded"}
    assert (await browser(venue).post("/v1/session", data=body, headers=form)).status_code in (415, 422)
    assert (await client.get("/v1/session")).json()["name"] == "li.na"
