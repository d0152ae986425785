"""Every route × every key that must not work there, and the ids of one account × the keys of others.

Roles are in test_people_roles.py, scopes in test_gateway_routes.py. A route without a row fails in each of them.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest

from services.gateway.http.known_keys import is_public
from services.gateway.http.session_cookie import OPEN
from tests.integration.documented import openapi
from tests.integration.logged_in import add_user, logged_in
from tests.integration.test_gateway_routes import Operation, operations_of
from tests.integration.venue import BASE_URL, START_NS, RunningVenue, running_venue
from tests.patience import AsyncHttpClient

pytestmark = pytest.mark.anyio

Json = dict[str, Any]
ORDER = {"symbol": "PRND-OX", "side": "buy", "price": "473000", "quantity": 3, "client_order_id": "mine"}
ELSEWHERE = "198.51.100.9"
HOUR_NS = 3_600 * 10**9


@pytest.fixture
async def venue(tmp_path: Path) -> AsyncIterator[RunningVenue]:
    async with running_venue(tmp_path, limit_clock=lambda: 0) as running:
        yield running


# ---------------------------------------------------------------------- keys that work nowhere


class KeyKind(NamedTuple):
    """A kind of key that works on no route, and its answer."""

    header: Callable[[str], str | None]
    """The header Authorization; the argument is a key of this kind, which was valid once or elsewhere."""
    status: int
    code: str


KINDS = {
    "none": KeyKind(lambda _: None, 401, "missing_key"),
    "empty": KeyKind(lambda _: "", 401, "missing_key"),
    "of another scheme": KeyKind(lambda key: f"Basic {key}", 401, "missing_key"),
    "bare": KeyKind(lambda key: key, 401, "missing_key"),
    "cut": KeyKind(lambda key: f"Bearer {key[:-1]}", 401, "unknown_key"),
    "with a letter more": KeyKind(lambda key: f"Bearer {key}x", 401, "unknown_key"),
    "in capitals": KeyKind(lambda key: f"Bearer {key.upper()}", 401, "unknown_key"),
    "of nobody": KeyKind(lambda _: "Bearer rex_" + "A" * 43, 401, "unknown_key"),
    "of an ended session": KeyKind(lambda _: "Bearer rexs_" + "A" * 43, 401, "session_ended"),
    "revoked": KeyKind(lambda key: f"Bearer {key}", 401, "unknown_key"),
    "expired": KeyKind(lambda key: f"Bearer {key}", 401, "key_expired"),
    "from a wrong address": KeyKind(lambda key: f"Bearer {key}", 403, "address_not_allowed"),
}
SCOPES = {"member": ["read", "trade"], "operator": ["read", "operate", "admin"]}


async def issue(venue: RunningVenue, of: str, **terms: Any) -> Json:
    body = {"name": of, "scopes": SCOPES[of], "account": 2 if of == "member" else 0, **terms}
    reply = await venue.client("operator").post("/v1/admin/keys", json=body)
    issued: Json = reply.raise_for_status().json()
    return issued


async def keys_of(venue: RunningVenue, of: str) -> dict[str, str]:
    """A key for each kind; it would do, if it were not of this kind."""
    good = await issue(venue, of)
    revoked = await issue(venue, of)
    await venue.client("operator").delete(f"/v1/admin/keys/{revoked['key_id']}")
    expired = await issue(venue, of, expires="2023-12-01T03:00:00Z")
    elsewhere = await issue(venue, of, addresses=[ELSEWHERE])
    special = {"revoked": revoked, "expired": expired, "from a wrong address": elsewhere}
    return {kind: str(special.get(kind, good)["key"]) for kind in [*KINDS, "good"]}


async def test_no_route_answers_to_a_key_that_is_none(venue: RunningVenue) -> None:
    schemas = openapi()["components"]["schemas"]
    keys = {of: await keys_of(venue, of) for of in SCOPES}
    venue.clock.now_ns = START_NS + HOUR_NS
    seq = venue.sequencer.last_seq
    client, routes = venue.client(None), 0
    for operation in operations_of():
        if not operation.path.startswith("/v1/"):
            continue
        routes += 1
        of = "member" if "trade" in operation.said.get("x-scopes", ()) else "operator"
        for name, kind in KINDS.items():
            header = kind.header(keys[of][name])
            reply = await ask(client, operation, schemas, header)
            answer = (reply.status_code, reply.json()["code"] if reply.status_code >= 400 else None)
            case = (operation.method, operation.path, name)
            if header is None and (operation.path in OPEN or is_public(operation.method, operation.path)):
                assert answer[1] != kind.code, case
            elif kind.code == "session_ended" and operation.path in OPEN:
                assert answer == (401, "unknown_key"), case  # The routes of log-in look for keys only.
            else:
                assert answer == (kind.status, kind.code), case
    assert routes > 90
    assert venue.sequencer.last_seq == seq, "none of them was carried out"


async def test_the_same_key_works_where_nothing_is_wrong_with_it(venue: RunningVenue) -> None:
    """Else the table above would prove nothing."""
    refusals = {kind.code for kind in KINDS.values()} | {"scope_missing"}
    for of in SCOPES:
        headers = {"authorization": f"Bearer {(await keys_of(venue, of))['good']}"}
        client = venue.client(None)
        for operation in operations_of():
            scopes = operation.said.get("x-scopes", ())
            if operation.method == "GET" and set(scopes) & set(SCOPES[of]):
                reply = await client.get(operation.url, headers=headers)
                assert reply.status_code == 200 or reply.json()["code"] not in refusals, operation.path


async def test_the_key_of_an_address_works_at_that_address(venue: RunningVenue) -> None:
    key = (await issue(venue, "member", addresses=[ELSEWHERE]))["key"]
    transport = httpx.ASGITransport(venue.app, client=(ELSEWHERE, 4711))
    async with AsyncHttpClient(transport=transport, base_url=BASE_URL) as client:
        reply = await client.get("/v1/account", headers={"authorization": f"Bearer {key}"})
    assert reply.status_code == 200


async def ask(client: AsyncHttpClient, operation: Operation, schemas: Json, header: str | None) -> httpx.Response:
    headers = {} if header is None else {"authorization": header}
    return await client.request(operation.method, operation.url, json=operation.body(schemas), headers=headers)


# ---------------------------------------------------------------------- ids of another account

IDS = {"account", "order_id", "order_ids", "client_order_id", "client_order_ids", "trade_id"}
"""Fields and parameters that name something of an account."""
HIDDEN = ("unknown_order", "scope_missing", "account_required")
"""What a key of another account is told."""

FOREIGN: dict[tuple[str, str], list[tuple[str, Any]]] = {
    ("GET", "/v1/account"): [("/v1/account?account=2", None)],
    ("GET", "/v1/account/ledger"): [("/v1/account/ledger?account=2", None)],
    ("GET", "/v1/account/cash_movements"): [("/v1/account/cash_movements?account=2", None)],
    ("GET", "/v1/orders"): [("/v1/orders?account=2", None), ("/v1/orders?account=2&client_order_id=mine", None)],
    ("GET", "/v1/fills"): [("/v1/fills?account=2", None), ("/v1/fills?account=2&order_id={order_id}", None)],
    ("GET", "/v1/orders/{order_id}"): [("/v1/orders/{order_id}", None)],
    ("PATCH", "/v1/orders/{order_id}"): [("/v1/orders/{order_id}", {"quantity": 1})],
    ("DELETE", "/v1/orders/{order_id}"): [("/v1/orders/{order_id}", None)],
    ("PATCH", "/v1/orders"): [("/v1/orders?client_order_id=mine", {"quantity": 1})],
    ("DELETE", "/v1/orders"): [
        ("/v1/orders?client_order_id=mine", None),
        ("/v1/orders?account=2&symbol=*", None),
    ],
    ("POST", "/v1/orders/cancel"): [
        ("/v1/orders/cancel", {"order_ids": ["{order_id}"]}),
        ("/v1/orders/cancel", {"client_order_ids": ["mine"]}),
    ],
    ("POST", "/v1/orders/mixed_batch"): [
        ("/v1/orders/mixed_batch", {"requests": [{"cancel": {"order_id": "{order_id}"}}]}),
        ("/v1/orders/mixed_batch", {"requests": [{"amend": {"order_id": "{order_id}", "quantity": 1}}]}),
        ("/v1/orders/mixed_batch", {"requests": [{"cancel": {"client_order_id": "mine"}}]}),
    ],
}
"""Requests with ids of account 2, by the route of the document."""
NOT_FOREIGN = {
    ("GET", "/v1/market/trades/{trade_id}"): "public: it names no member",
    ("POST", "/v1/orders"): "the id is a new one, in the key's own account",
    ("POST", "/v1/orders/batch"): "the ids are new ones, in the key's own account",
    ("POST", "/v1/orders/test"): "places nothing",
}
"""Why a route with such a field needs no row: the routes of operators are those who may name every account."""


def names_of(value: Any, schemas: Json, seen: tuple[str, ...] = ()) -> Iterator[str]:
    """The names of all fields of a schema."""
    if isinstance(value, list):
        for item in value:
            yield from names_of(item, schemas, seen)
    elif isinstance(value, dict):
        name = value.get("$ref", "").rpartition("/")[2]
        if name and name not in seen:
            yield from names_of(schemas[name], schemas, (*seen, name))
        yield from value.get("properties", ())
        yield from (found for item in value.values() for found in names_of(item, schemas, seen))


def test_every_route_with_an_id_of_an_account_has_a_row() -> None:
    found = set()
    for operation in operations_of():
        if {"read", "trade"} & set(operation.said.get("x-scopes", ())) and "/reports/" not in operation.path:
            names = {parameter["name"] for parameter in operation.said.get("parameters", ())}
            names |= set(names_of(operation.said.get("requestBody", {}), openapi()["components"]["schemas"]))
            if names & IDS:
                found.add((operation.method, operation.path))
    assert found == FOREIGN.keys() | NOT_FOREIGN.keys()


async def strangers(venue: RunningVenue) -> dict[str, AsyncHttpClient]:
    """Clients with keys and sessions of other accounts, or of none, that may not read every account."""
    operator, found = venue.client("operator"), {"bob": venue.client("bob")}
    for name, scopes, account in (
        ("reader", ["read"], 3), ("trader", ["trade"], 3), ("reader of none", ["read"], 0), ("administrator", ["admin"], 0),
    ):  # fmt: skip
        body = {"name": name, "scopes": scopes, "account": account}
        key = (await operator.post("/v1/admin/keys", json=body)).raise_for_status().json()["key"]
        found[name] = venue.client(None)
        found[name].headers["authorization"] = f"Bearer {key}"
    await add_user(venue, "visitor", "visitor")
    await add_user(venue, "member", "trader", account=3)
    return found | {name: await logged_in(venue, name) for name in ("visitor", "member")}


def filled_in(value: Any, order_id: str) -> Any:
    if isinstance(value, dict):
        return {name: filled_in(item, order_id) for name, item in value.items()}
    if isinstance(value, list):
        return [filled_in(item, order_id) for item in value]
    return value.replace("{order_id}", order_id) if isinstance(value, str) else value


async def test_ids_of_one_account_are_nothing_to_the_keys_of_others(venue: RunningVenue) -> None:
    alice = venue.client("alice")
    order = (await alice.post("/v1/orders", json=ORDER)).json()
    for name, client in (await strangers(venue)).items():
        for route, requests in FOREIGN.items():
            for url, body in requests:
                reply = await client.request(
                    route[0], filled_in(url, order["order_id"]), json=filled_in(body, order["order_id"])
                )
                case = (name, route, url, reply.text)
                told = [result["error"] for result in reply.json().get("results", ())] or [reply.json()]
                assert all(problem is not None and problem["code"] in HIDDEN for problem in told), case
    assert (await alice.get(f"/v1/orders/{order['order_id']}")).json() == order, "and it stands as it stood"
