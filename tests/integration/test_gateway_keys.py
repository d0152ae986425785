"""API keys over HTTP: their terms, their list, what each scope allows, and the address that counts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest

from services.files.data_folder import JOURNAL_FILE, READ_DATABASE_FILE
from services.gateway.server.server import make_server
from services.venue_state.keys import key_hash
from tests.integration.venue import BASE_URL, START_NS, RunningVenue, running_venue
from tests.patience import AsyncHttpClient

pytestmark = pytest.mark.anyio

LIMITS = {"orders": {"per_s": 7, "burst": 9}}


async def issue(venue: RunningVenue, **fields: Any) -> dict[str, Any]:
    body = {"name": "desk", "scopes": ["read", "trade"], "account": 2, **fields}
    reply = await venue.client("operator").post("/v1/admin/keys", json=body)
    assert reply.status_code == 201, reply.text
    issued: dict[str, Any] = reply.json()
    return issued


def client(venue: RunningVenue, key: str, address: str = "127.0.0.1") -> AsyncHttpClient:
    """A client with this key, at this address."""
    transport = httpx.ASGITransport(venue.app, client=(address, 4711))
    made = AsyncHttpClient(transport=transport, base_url=BASE_URL, headers={"authorization": f"Bearer {key}"})
    venue.clients.append(made)
    return made


async def listed(venue: RunningVenue, key_id: str) -> dict[str, Any]:
    page = (await venue.client("operator").get("/v1/admin/keys")).json()
    (key,) = (key for key in page["keys"] if key["key_id"] == key_id)
    found: dict[str, Any] = key
    return found


async def test_the_list_has_the_terms_of_each_key_and_no_secret(venue: RunningVenue) -> None:
    terms = {"expires": "2030-01-01T08:00:00+08:00", "addresses": ["192.0.2.0/24", "2001:db8::7"], "limits": LIMITS}
    issued = await issue(venue, **terms)
    key = await listed(venue, issued["key_id"])
    assert key | {"limits": None, "issued_at": None} == {
        "key_id": issued["key_id"],
        "name": "desk",
        "account": 2,
        "scopes": ["read", "trade"],
        "expires": "2030-01-01T00:00:00Z",
        "is_expired": False,
        "addresses": ["192.0.2.0/24", "2001:db8::7/128"],
        "limits": None,
        "issued_at": None,
        "issued_by": (await listed_by_name(venue, "operator"))["key_id"],
        "last_used_at": None,
    }
    assert key["limits"]["orders"] == LIMITS["orders"] | {"own": True}
    assert issued["limits"] == key["limits"], "what was issued says which limits hold, as the list does"
    assert key["limits"]["cancels"] == {"per_s": 2_000, "burst": 10_000, "own": False}
    assert key["issued_at"].startswith("2023-12-01T")
    text = (await venue.client("operator").get("/v1/admin/keys")).text
    secrets = [issued["key"], *(held.key for held in venue.keys.values())]
    for secret in secrets:
        assert secret not in text
        assert key_hash(secret).hex() not in text


async def listed_by_name(venue: RunningVenue, name: str) -> dict[str, Any]:
    page = (await venue.client("operator").get("/v1/admin/keys")).json()
    found: dict[str, Any] = next(key for key in page["keys"] if key["name"] == name)
    return found


async def test_no_database_of_the_venue_holds_a_key(tmp_path: Path) -> None:
    async with running_venue(tmp_path) as venue:
        issued = await issue(venue)
        assert (await client(venue, issued["key"]).get("/v1/account")).status_code == 200
    digest = key_hash(issued["key"])
    for name in (JOURNAL_FILE, READ_DATABASE_FILE):
        stored = (tmp_path / name).read_bytes()
        assert digest in stored or digest.hex().encode() in stored, name
        assert issued["key"].encode() not in stored, name


async def test_the_list_goes_on_by_cursor_newest_first_and_leaves_out_what_is_revoked(venue: RunningVenue) -> None:
    operator = venue.client("operator")
    issued = [(await issue(venue, name=f"key {number}"))["key_id"] for number in range(4)]
    await operator.delete(f"/v1/admin/keys/{issued[1]}")
    found, cursor = list[str](), None
    while True:
        query = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        page = (await operator.get("/v1/admin/keys", params=query)).json()
        found += [key["key_id"] for key in page["keys"]]
        if (cursor := page["next_cursor"]) is None:
            break
    assert found[:3] == [issued[3], issued[2], issued[0]]
    assert len(found) == len(set(found)) == 6, "alice, bob and the operator have one each"


async def test_the_terms_of_a_key_outlast_a_restart(tmp_path: Path) -> None:
    async with running_venue(tmp_path) as venue:
        issued = await issue(venue, expires="2030-01-01T00:00:00Z", addresses=["192.0.2.0/24"], limits=LIMITS)
        before = await listed(venue, issued["key_id"])
    async with running_venue(tmp_path) as venue:
        assert await listed(venue, issued["key_id"]) == before


async def test_when_a_key_was_last_used(venue: RunningVenue) -> None:
    issued = await issue(venue)
    assert (await listed(venue, issued["key_id"]))["last_used_at"] is None
    await client(venue, issued["key"]).get("/v1/account")
    assert (await listed(venue, issued["key_id"]))["last_used_at"].startswith("2023-12-01T")


async def test_an_expired_key_is_refused_by_name(venue: RunningVenue) -> None:
    issued = await issue(venue, expires="2023-12-01T03:00:00Z")
    desk = client(venue, issued["key"])
    assert (await desk.get("/v1/account")).status_code == 200
    venue.clock.now_ns = START_NS + 3600 * 10**9
    reply = await desk.get("/v1/account")
    assert (reply.status_code, reply.json()["code"]) == (401, "key_expired")
    assert (await listed(venue, issued["key_id"]))["is_expired"] is True


async def test_a_key_may_come_from_its_addresses_only(venue: RunningVenue) -> None:
    issued = await issue(venue, addresses=["192.0.2.0/24", "2001:db8::7"])
    for address, told in (
        ("192.0.2.7", (200, None)),
        ("::ffff:192.0.2.7", (200, None)),
        ("192.0.3.7", (403, "address_not_allowed")),
        ("2001:db8::7", (200, None)),
        ("2001:db8::8", (403, "address_not_allowed")),
    ):
        reply = await client(venue, issued["key"], address).get("/v1/account")
        assert (reply.status_code, reply.json().get("code")) == told, address


@pytest.mark.parametrize(("proxies", "seen"), [((), "127.0.0.1"), (("127.0.0.1",), "198.51.100.9")])
async def test_a_header_names_the_client_only_behind_a_trusted_proxy(
    venue: RunningVenue, proxies: tuple[str, ...], seen: str
) -> None:
    """The client may send the header, too: the last address that is no proxy's counts."""
    issued = await issue(venue, addresses=[seen])
    server = make_server(venue.app, max_connections=8, max_connections_per_address=8, trusted_proxies=proxies)
    server.config.load()
    transport = httpx.ASGITransport(server.config.loaded_app)
    headers = {"authorization": f"Bearer {issued['key']}", "x-forwarded-for": "203.0.113.1, 198.51.100.9"}
    async with AsyncHttpClient(transport=transport, base_url=BASE_URL, headers=headers) as behind:
        assert (await behind.get("/v1/account")).status_code == 200


@pytest.mark.parametrize(
    ("fields", "code", "field"),
    [
        ({"expires": "2023-12-01T00:00:00Z"}, "invalid_expiry", "expires"),
        ({"expires": "2030-02-30T00:00:00Z"}, "invalid_expiry", "expires"),
        ({"expires": "tomorrow"}, "validation_failed", "expires"),
        ({"addresses": ["192.0.2.0/24", "192.0.2.7/24"]}, "validation_failed", "addresses.1"),
        ({"addresses": ["example.org"]}, "validation_failed", "addresses.0"),
        ({"addresses": ["192.0.2.7"] * 65}, "validation_failed", "addresses"),
        ({"limits": {"orders": {"per_s": -1, "burst": 1}}}, "validation_failed", "limits.orders.per_s"),
        ({"limits": {"orders": {"per_s": 1}}}, "validation_failed", "limits.orders.burst"),
        ({"limits": {"log_in": {"per_s": 1, "burst": 1}}}, "validation_failed", "limits.log_in"),
    ],
)
async def test_terms_that_cannot_be_are_refused_by_field(
    refusing_venue: RunningVenue, fields: dict[str, Any], code: str, field: str
) -> None:
    body = {"name": "desk", "scopes": ["read"], **fields}
    reply = await refusing_venue.client("operator").post("/v1/admin/keys", json=body)
    assert (reply.status_code, reply.json()["code"]) == (422, code)
    assert [error["field"] for error in reply.json()["errors"]] == [field]
