"""One-time links, users, and what no answer shows."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from services.journal.export import export
from services.people.links import FIRST_ADMIN
from tests.integration.logged_in import OTHER, PASSWORD, add_user, attempt, browser, code, logged_in
from tests.integration.test_gateway_routes import operations_of
from tests.integration.venue import RunningVenue, running_venue

pytestmark = pytest.mark.anyio


# ---------------------------------------------------------------------- links and users


async def test_the_first_link_makes_one_administrator_once(venue: RunningVenue) -> None:
    token = venue.people.first_link()
    assert token is not None
    body = {"token": token, "name": "li.na", "password": PASSWORD}
    assert code(await browser(venue).post("/v1/session/link", json=body | {"name": None})) == (422, "validation_failed")
    client = browser(venue)
    assert (await client.post("/v1/session/link", json=body)).json()["role"] == "admin"
    assert (await client.get("/v1/admin/users")).json()["users"][0]["name"] == "li.na"
    assert code(await browser(venue).post("/v1/session/link", json=body)) == (404, "unknown_link")
    assert venue.people.first_link() is None


@pytest.mark.parametrize("limit", [1, 4])
async def test_the_pages_of_users_have_each_once_also_where_one_comes_and_one_goes_between_them(
    venue: RunningVenue, limit: int
) -> None:
    ids = [str(await add_user(venue, f"user {number}", "auditor")) for number in range(4)]
    admin = venue.client("operator")
    page = (await admin.get("/v1/admin/users", params={"limit": limit})).json()
    await admin.delete(f"/v1/admin/users/{ids[0]}")
    ids.append(str(await add_user(venue, "user 4", "auditor")))
    found = page["users"]
    while page["next_cursor"] is not None:
        page = (await admin.get("/v1/admin/users", params={"limit": limit, "cursor": page["next_cursor"]})).json()
        found += page["users"]
        assert len(page["users"]) <= limit
    assert [user["user_id"] for user in found] == ids


async def test_the_first_link_is_void_where_there_is_an_administrator(venue: RunningVenue) -> None:
    token = venue.people.links.make(FIRST_ADMIN)
    await add_user(venue, "li.na", "admin")
    body = {"token": token, "name": "mallory", "password": PASSWORD}
    assert code(await browser(venue).post("/v1/session/link", json=body)) == (404, "unknown_link")
    assert len(venue.people.users.by_id) == 1


async def test_two_uses_of_a_link_at_the_same_time_are_one(venue: RunningVenue) -> None:
    token = venue.people.first_link()
    uses = [{"token": token, "name": name, "password": PASSWORD} for name in ("li.na", "mallory")]
    replies = await asyncio.gather(*[browser(venue).post("/v1/session/link", json=body) for body in uses])
    assert sorted(reply.status_code for reply in replies) == [201, 404]
    assert len(venue.people.users.by_id) == 1


async def test_a_lost_password_is_replaced_by_a_link(venue: RunningVenue) -> None:
    user_id = await add_user(venue, "li.na", "operator")
    client, admin = await logged_in(venue, "li.na"), venue.client("operator")
    made = await admin.post(f"/v1/admin/users/{user_id}/link")
    page, token = made.json()["path"].split("#")
    assert (made.status_code, page) == (201, "/new-password")
    named = {"token": token, "name": "li.na", "password": OTHER}
    assert code(await browser(venue).post("/v1/session/link", json=named)) == (422, "validation_failed")
    used = await browser(venue).post("/v1/session/link", json={"token": token, "password": OTHER})
    assert used.json()["name"] == "li.na"
    assert code(await client.get("/v1/orders")) == (401, "session_ended")
    assert (await attempt(venue, "li.na", OTHER)).status_code == 201
    again = await browser(venue).post("/v1/session/link", json={"token": token, "password": PASSWORD})
    assert code(again) == (404, "unknown_link")


async def test_a_link_ends_when_its_user_is_changed(venue: RunningVenue) -> None:
    user_id = await add_user(venue, "li.na", "operator")
    admin = venue.client("operator")
    token = (await admin.post(f"/v1/admin/users/{user_id}/link")).json()["path"].split("#")[1]
    await admin.put(f"/v1/admin/users/{user_id}/password", json={"password": OTHER})
    late = await browser(venue).post("/v1/session/link", json={"token": token, "password": PASSWORD})
    assert code(late) == (404, "unknown_link")


@pytest.mark.parametrize(
    ("user", "refusal"),
    [
        ({"role": "trader"}, (422, "validation_failed", "account")),
        ({"role": "trader", "account": 1}, (422, "validation_failed", "account")),
        ({"role": "trader", "account": 99}, (422, "unknown_account", "account")),
        ({"role": "operator", "account": 2}, (422, "validation_failed", "account")),
        ({"role": "owner"}, (422, "validation_failed", "role")),
        ({"role": "visitor", "password": "short"}, (422, "validation_failed", "password")),
        ({"role": "visitor", "name": " li.na"}, (422, "validation_failed", "name")),
    ],
)
async def test_what_no_user_can_be(
    refusing_venue: RunningVenue, user: dict[str, Any], refusal: tuple[int, str, str]
) -> None:
    reply = await refusing_venue.client("operator").post("/v1/admin/users", json={"name": "li.na"} | user)
    assert (*code(reply), reply.json()["errors"][0]["field"]) == refusal
    assert not refusing_venue.people.users.by_id


async def test_a_name_is_taken_once_whatever_its_case_even_at_the_same_time(venue: RunningVenue) -> None:
    admin = venue.client("operator")
    bodies = [{"name": name, "role": "visitor", "password": PASSWORD} for name in ("Li.Na", "li.na")]
    replies = await asyncio.gather(*[admin.post("/v1/admin/users", json=body) for body in bodies])
    assert sorted(reply.status_code for reply in replies) == [201, 409]
    assert code(await admin.post("/v1/admin/users", json=bodies[0])) == (409, "user_exists")


async def test_an_unknown_user_is_no_user(venue: RunningVenue) -> None:
    admin = venue.client("operator")
    for user_id in ("999", "x", "0", "-1"):
        assert code(await admin.delete(f"/v1/admin/users/{user_id}")) == (404, "unknown_user")
    key_id = next(iter(venue.state.key_hashes))
    assert code(await admin.delete(f"/v1/admin/users/{key_id}")) == (404, "unknown_user")


# ---------------------------------------------------------------------- what is shown nowhere


async def test_no_answer_no_log_and_no_export_shows_a_password_or_its_hash(tmp_path: Path) -> None:
    async with running_venue(tmp_path, request_log=True) as venue:
        admin = venue.client("operator")
        with capture_logs() as lines:
            body = {"name": "li.na", "role": "admin", "password": PASSWORD}
            added = await admin.post("/v1/admin/users", json=body)
            user_id = int(added.json()["user_id"])
            await admin.put(f"/v1/admin/users/{user_id}/password", json={"password": OTHER})
            logged = await attempt(venue, "li.na", OTHER)
            secret = logged.cookies["rex_session"]
            await attempt(venue, "li.na", "a wrong password")
        changed = venue.people.users.by_id[user_id].password_hash
        shown = [added.text, str(lines), (await admin.get("/v1/admin/users")).text]
        for seq in (user_id, user_id + 1):
            row = await admin.get(f"/v1/reports/journal/{seq}")
            assert row.json()["withheld"] == ["password_hash"]
            shown.append(row.text)
        exported = b"".join([line async for line in export(venue.journal, 1, None)]).decode()
        assert exported.count('"type":"user_added"') == 1
        for text in (*shown, exported):
            assert "$argon2" not in text
            for word in (PASSWORD, OTHER, "a wrong password", secret, changed):
                assert word not in text


async def test_no_route_shows_the_hash_of_a_password(venue: RunningVenue) -> None:
    """Every GET of the document, so that a later route is checked as well."""
    admin = venue.client("operator")
    added = await admin.post("/v1/admin/users", json={"name": "li.na", "role": "auditor", "password": PASSWORD})
    await admin.put(f"/v1/admin/users/{added.json()['user_id']}/password", json={"password": OTHER})
    answers = []
    for operation in operations_of():
        if operation.method == "GET":
            answers.append(await admin.get(operation.url.replace("/journal/1", f"/journal/{venue.sequencer.last_seq}")))
    assert sum(reply.status_code == 200 for reply in answers) > 30
    for reply in answers:
        assert "argon2" not in reply.text, reply.url
