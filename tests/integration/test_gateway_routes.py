"""What /openapi.json says of each route, the route does: scopes, query parameters, methods."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple, get_args

import pytest

from services.commands.attachments import Scope
from services.gateway.http.known_keys import is_public
from services.gateway.http.session_cookie import OPEN
from tests.integration.documented import openapi
from tests.integration.venue import RunningVenue
from tests.patience import AsyncHttpClient

pytestmark = pytest.mark.anyio

SCOPES: tuple[Scope, ...] = get_args(Scope)
ACCOUNTS = {"read": 2, "trade": 2, "operate": 0, "admin": 0, "audit": 0}
NAMES = {
    "symbol": "PRND-OX", "order_id": "1", "account": "2", "trade_id": "1", "key_id": "999999", "switch": "on",
    "account_class": "0", "year": "2023", "period": "2023-12-01", "date": "2023-12-01", "seq": "1",
    "alert_id": "1", "user_id": "999999",
}  # fmt: skip
METHODS = {"GET", "POST", "PUT", "PATCH", "DELETE"}
API = (Path(__file__).parents[2] / "docs/api.md").read_text(encoding="utf-8")


class Operation(NamedTuple):
    path: str
    method: str
    said: dict[str, Any]
    """The operation object of the document."""

    @property
    def url(self) -> str:
        return self.path.format(**NAMES)

    def body(self, schemas: dict[str, Any]) -> Any:
        """The example of its body's schema."""
        if "requestBody" not in self.said:
            return None
        reference = self.said["requestBody"]["content"]["application/json"]["schema"]["$ref"]
        return schemas[reference.removeprefix("#/components/schemas/")]["examples"][0]


def operations_of() -> Iterator[Operation]:
    for path, operations in openapi()["paths"].items():
        for method, said in operations.items():
            yield Operation(path, method.upper(), said)


async def clients_by_scope(venue: RunningVenue) -> dict[Scope, AsyncHttpClient]:
    clients = {}
    for scope in SCOPES:
        body = {"name": scope, "scopes": [scope], "account": ACCOUNTS[scope]}
        issued = (await venue.client("operator").post("/v1/admin/keys", json=body)).json()
        clients[scope] = venue.client(None)
        clients[scope].headers["authorization"] = f"Bearer {issued['key']}"
    return clients


async def test_a_route_takes_the_scopes_that_the_document_names(venue: RunningVenue) -> None:
    schemas, clients = openapi()["components"]["schemas"], await clients_by_scope(venue)
    checked = 0
    for operation in operations_of():
        if not operation.path.startswith("/v1/") or operation.path in OPEN:
            assert not {"x-scopes", "security"} & operation.said.keys()
            continue
        named = operation.said["x-scopes"]
        public: list[dict[str, list[str]]] = [{}] if is_public(operation.method, operation.path) else []
        assert operation.said["security"] == [{"key": []}, *public]
        assert operation.said["description"].endswith(f"Scope: {' or '.join(f'`{scope}`' for scope in named)}.")
        for scope, client in clients.items():
            reply = await client.request(operation.method, operation.url, json=operation.body(schemas))
            is_refused = reply.status_code == 403 and reply.json()["code"] == "scope_missing"
            assert is_refused == (scope not in named), (operation.method, operation.path, scope)
            checked += 1
    assert checked >= 4 * 36
    assert "No scope contains another" in openapi()["info"]["description"]


async def test_the_scope_comes_before_the_fields(venue: RunningVenue) -> None:
    alice = venue.client("alice")
    for path in ("/v1/admin/accounts", "/v1/admin/instruments/GOLD/phase?colour=red"):
        reply = await alice.request("POST" if "accounts" in path else "PUT", path, json={"colour": "red"})
        assert (reply.status_code, reply.json()["code"]) == (403, "scope_missing")


async def test_the_api_page_names_the_same_scopes(venue: RunningVenue) -> None:
    section = API.split("\n## Keys and scopes\n")[1].split("\n## ")[0]
    assert tuple(re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)) == SCOPES
    said = {
        (operation.method, operation.path): operation.said["x-scopes"]
        for operation in operations_of()
        if operation.path.startswith("/v1/admin")
    }
    written: dict[tuple[str, str], list[str]] = {}
    for cell, scope in re.findall(r"^\| (`[A-Z]+ /v1/admin.*?) \| ([a-z, ]+) \|", API, re.MULTILINE):
        (method, path), *others = [names.split() for names in re.findall(r"`([^`]+)`", cell)]
        written[method, path] = scope.split(", ")
        for *other_method, ending in others:  # `…/resume` stands for the path with another last part
            other = path.rsplit("/", 1)[0] + ending.removeprefix("…") if ending.startswith("…") else ending
            written[(other_method or [method])[0], other] = scope.split(", ")
    documented = {
        (method, re.sub("/(on|off)$", "/{switch}", path)): scopes for (method, path), scopes in written.items()
    }
    assert documented == {
        (method, path): [scope for scope in scopes if scope != "audit"] for (method, path), scopes in said.items()
    }
    assert all(("audit" in scopes) == (method == "GET") for (method, _), scopes in said.items())


async def test_a_query_parameter_that_a_route_does_not_know_is_refused(venue: RunningVenue) -> None:
    clients = await clients_by_scope(venue)
    methods = set()
    for operation in operations_of():
        if not operation.path.startswith("/v1/"):
            continue
        methods.add(operation.method)
        last_seq = venue.sequencer.last_seq
        body = operation.body(openapi()["components"]["schemas"])
        client = clients[operation.said.get("x-scopes", ["read"])[0]]
        reply = await client.request(operation.method, f"{operation.url}?since", json=body)
        assert (reply.status_code, reply.json()["code"]) == (422, "validation_failed"), operation.path
        assert [error["field"] for error in reply.json()["errors"]] == ["since"]
        assert venue.sequencer.last_seq == last_seq
    assert methods == METHODS


async def test_a_query_parameter_that_is_there_twice_is_refused(venue: RunningVenue) -> None:
    """A proxy or a log before the venue may take the first one where the venue takes the last one."""
    alice = venue.client("alice")
    await alice.post("/v1/orders", json={"symbol": "PRND-OX", "side": "buy", "price": "473000", "quantity": 1})
    last_seq = venue.sequencer.last_seq
    for method, path, name in (
        ("DELETE", "/v1/orders?symbol=ND-OX&symbol=*", "symbol"),
        ("GET", "/v1/orders?limit=1&state=open&limit=2", "limit"),
        ("GET", "/v1/market/PRND-OX/depth?levels=5&levels=5", "levels"),
        ("GET", "/v1/reports/turnover/2023?at_least_seq=1&at_least_seq=1", "at_least_seq"),
    ):
        reply = await alice.request(method, path)
        assert (reply.status_code, reply.json()["code"]) == (422, "validation_failed"), path
        assert [error["field"] for error in reply.json()["errors"]] == [name]
    assert venue.sequencer.last_seq == last_seq


async def test_the_query_parameters_of_the_document_are_taken(venue: RunningVenue) -> None:
    alice = venue.client("alice")
    for path in (
        "/v1/orders?state=open&symbol=PRND-OX&client_order_id=a&account=2&limit=5",
        "/v1/fills?symbol=PRND-OX&account=2&limit=5",
        "/v1/account?account=2",
        "/v1/market/PRND-OX/depth?levels=5",
        "/v1/market/PRND-OX/trades?limit=5",
        "/v1/reports/turnover/2023?at_least_seq=1&format=json",
        "/v1/reports/turnover/2023/range?after_seq=0&to_seq=1",
    ):
        assert (await alice.get(path)).status_code == 200, path


async def test_another_method_is_told_all_methods_of_the_path(venue: RunningVenue) -> None:
    operator = venue.client("operator")
    for path, operations in openapi()["paths"].items():
        allowed = {method.upper() for method in operations}
        for method in METHODS - allowed:
            reply = await operator.request(method, path.format(**NAMES))
            assert (reply.status_code, reply.json()["code"]) == (405, "method_not_allowed"), (method, path)
            assert reply.headers["allow"] == ", ".join(sorted(allowed))
    for path in ("/docs", "/openapi.json", "/docs/static/swagger-ui.css"):
        reply = await operator.post(path)
        assert (reply.status_code, reply.json()["code"]) == (405, "method_not_allowed")
        assert "GET" in reply.headers["allow"].split(", ")


async def test_a_batch_is_no_order(venue: RunningVenue) -> None:
    for method in ("GET", "DELETE", "PATCH"):
        reply = await venue.client("alice").request(method, "/v1/orders/batch", json={"quantity": 1})
        assert (reply.status_code, reply.headers["allow"]) == (405, "POST")
    assert (await venue.client("alice").get("/v1/orders/batches")).json()["code"] == "unknown_order"
