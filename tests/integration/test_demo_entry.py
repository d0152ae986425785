"""A demo is entered without a password: as whom, from which pages, how often, and that nothing else lets one in so."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from services.commands.administrative import record
from services.commands.attachments import UserRoleChanged
from services.gateway.limits.rate_limits import LOG_IN, RateLimits
from services.pages import demo_entry, mount_pages
from tests.integration.logged_in import NOBODY, attempt, browser, code
from tests.integration.venue import BASE_URL, RunningVenue, running_venue
from tests.patience import AsyncHttpClient

pytestmark = pytest.mark.anyio

DESK = 2
ORDER = {"symbol": "PRND-OX", "side": "buy", "price": "473000", "quantity": 1}


def with_pages(venue: RunningVenue, *, demo: bool) -> RunningVenue:
    limits = RateLimits(venue.state, now=lambda: 0)
    entry = demo_entry.routes(venue.people, venue.order_entry, limits, desk=DESK) if demo else None
    mount_pages(venue.app, url=lambda: BASE_URL, read_key=venue.keys["alice"].key, public=True, demo_entry=entry)
    return venue


@pytest.fixture
async def demo(tmp_path: Path) -> AsyncIterator[RunningVenue]:
    async with running_venue(tmp_path) as running:
        yield with_pages(running, demo=True)


async def enter(client: AsyncHttpClient, role: str) -> httpx.Response:
    return await client.post(f"/ui/demo/{role}", json={})


async def test_the_trader_of_a_demo_acts_on_the_desk_and_the_operator_operates(demo: RunningVenue) -> None:
    client = browser(demo)
    reply = await enter(client, "trader")
    secret = reply.cookies["rex_session"]
    assert reply.headers["set-cookie"] == f"rex_session={secret}; Path=/; HttpOnly; SameSite=Strict"
    assert (reply.status_code, reply.json()) == (201, (await client.get("/v1/session")).json())
    who = reply.json()
    assert (who["name"], who["role"], who["account"]) == ("demo trader", "trader", DESK)
    assert (await client.post("/v1/orders", json=ORDER)).json()["account"] == DESK
    reply = await enter(client, "operator")
    assert (reply.json()["name"], reply.json()["role"], reply.json()["account"]) == ("demo operator", "operator", 0)
    assert (await client.post("/v1/admin/halt")).status_code == 200
    header = {"cookie": f"rex_session={secret}"}
    assert code(await browser(demo).get("/v1/orders", headers=header)) == (401, "session_ended")


async def test_its_people_are_journaled_once_and_have_no_password(demo: RunningVenue) -> None:
    replies = await asyncio.gather(*[enter(browser(demo), "trader") for _ in range(5)])
    assert [reply.status_code for reply in replies] == [201] * 5
    assert [user.name for user in demo.state.users.by_id.values()] == ["demo trader"]
    for password in ("", " ", "demo", "demo trader"):
        assert (await attempt(demo, "demo trader", password)).status_code in (401, 422)


async def test_only_the_venues_own_pages_enter(demo: RunningVenue) -> None:
    for headers in (
        {"origin": "https://elsewhere.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:9"},
        {},  # a program, or an old browser
    ):
        reply = await demo.client(None).post("/ui/demo/trader", json={}, headers=headers)
        assert code(reply) == (403, "origin_not_allowed")
        assert "set-cookie" not in reply.headers
    form = await browser(demo).post("/ui/demo/trader", data={"a": "b"})
    assert code(form) == (415, "unsupported_media_type")
    assert not demo.state.users.by_id


async def test_other_roles_and_methods_are_refused(demo: RunningVenue) -> None:
    for role in ("admin", "auditor", "visitor", "Trader", "trader%00"):
        assert (await enter(browser(demo), role)).status_code == 404
    assert (await browser(demo).put("/ui/demo/trader", json={})).status_code == 405
    assert not demo.state.users.by_id


async def test_an_address_enters_as_often_as_it_may_log_in(demo: RunningVenue) -> None:
    client = browser(demo)
    statuses = [(await enter(client, "trader")).status_code for _ in range(LOG_IN.burst + 1)]
    assert statuses == [201] * LOG_IN.burst + [429]


async def test_a_name_that_was_given_other_rights_is_not_entered(demo: RunningVenue) -> None:
    await enter(browser(demo), "operator")
    (user_id,) = demo.state.users.by_id
    changed = UserRoleChanged(user_id=user_id, role="admin")
    await demo.order_entry.execute(NOBODY, lambda sender: record(sender, changed))
    reply = await enter(browser(demo), "operator")
    assert code(reply) == (404, "unknown_user")
    assert "set-cookie" not in reply.headers


async def test_no_other_venue_is_entered_so(tmp_path: Path) -> None:
    async with running_venue(tmp_path) as venue:
        with_pages(venue, demo=False)
        for role in ("trader", "operator"):
            assert (await enter(browser(venue), role)).status_code == 404
        assert not venue.state.users.by_id
