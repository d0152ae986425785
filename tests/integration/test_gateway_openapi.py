from __future__ import annotations

import re
from typing import Any

import pytest

from services.gateway.order_schemas import OrderRequest
from services.gateway.problems import PROBLEM_JSON
from services.gateway.server import http_refusals
from tests.integration.documented import openapi
from tests.integration.venue import RunningVenue

pytestmark = pytest.mark.anyio

REQUESTS = {
    "OrderRequest", "BatchRequest", "AmendRequest", "AccountRequest", "KeyRequest", "CashRequest", "InventoryRequest",
    "FeesRequest", "LimitsRequest", "CollarRequest", "VolatilityBandRequest", "PhaseRequest", "BustRequest",
    "TargetRequest", "DecisionRequest", "AcknowledgeRequest", "ContextRequest",
}  # fmt: skip


def references(value: Any) -> set[str]:
    if isinstance(value, list):
        return set().union(*map(references, value)) if value else set()
    if isinstance(value, dict):
        own = {value["$ref"]} if isinstance(value.get("$ref"), str) else set()
        return own.union(*map(references, value.values()))
    return set()


def test_the_document_is_whole() -> None:
    assert openapi()["openapi"] == "3.1.0"
    schemas = openapi()["components"]["schemas"]
    for reference in references(openapi()):
        kind, name = reference.removeprefix("#/components/").split("/")
        assert name in openapi()["components"][kind], reference
    assert {name for name, schema in schemas.items() if "examples" in schema} >= REQUESTS
    text = str(openapi())
    assert "nullable" not in text
    assert "HTTPValidationError" not in text


def test_what_the_server_refuses_before_the_application_is_documented() -> None:
    refusals = [
        http_refusals.url_too_long(), http_refusals.headers_too_large(), http_refusals.malformed_http(),
        http_refusals.request_timeout("head"), http_refusals.too_many_connections(),
    ]  # fmt: skip
    for path, operations in openapi()["paths"].items():
        for operation in operations.values() if path.startswith("/v1/") else ():
            assert {str(refusal.status) for refusal in refusals} <= set(operation["responses"]), path


def test_hot_routes_are_described_from_their_models() -> None:
    place = openapi()["paths"]["/v1/orders"]["post"]
    assert set(place["responses"]) >= {"200", "201", "400", "401", "403", "413", "422", "503"}
    assert set(place["responses"]["422"]["content"]) == {PROBLEM_JSON}
    assert set(openapi()["components"]["schemas"]["OrderRequest"]["properties"]) == set(OrderRequest.model_fields)
    assert set(openapi()["paths"]["/v1/orders"]) == {"get", "post", "patch", "delete"}


async def test_a_route_without_a_body_refuses_one(venue: RunningVenue) -> None:
    """A resume that ignored `{"symbol": …}` would resume every instrument."""
    paths = openapi()["paths"]
    bodiless = [
        (method, re.sub(r"{\w+}", "1", path).replace("kill_switch/1", "kill_switch/on"))
        for path, operations in paths.items()
        for method, operation in operations.items()
        if path.startswith("/v1/") and method != "get" and "requestBody" not in operation
    ]
    assert {("post", "/v1/admin/resume"), ("delete", "/v1/orders"), ("delete", "/v1/session")} <= {*bodiless}
    seq = venue.sequencer.last_seq
    for method, path in bodiless:
        scope = "alice" if path.startswith("/v1/orders") else "operator"
        reply = await venue.client(scope).request(method, path, json={"reason": "a mistake"})
        assert (reply.status_code, reply.json()["code"]) == (422, "validation_failed"), path
        assert [error["field"] for error in reply.json()["errors"]] == ["body"], path
    assert venue.sequencer.last_seq == seq


def test_every_section_has_a_description() -> None:
    used = {tag for path in openapi()["paths"].values() for operation in path.values() for tag in operation["tags"]}
    assert {tag["name"] for tag in openapi()["tags"]} == used


def test_operation_ids_are_unique() -> None:
    ids = [operation["operationId"] for path in openapi()["paths"].values() for operation in path.values()]
    assert len(ids) == len(set(ids))


async def test_examples_are_accepted(venue: RunningVenue) -> None:
    schemas = openapi()["components"]["schemas"]
    alice, operator = venue.client("alice"), venue.client("operator")
    order = await alice.post("/v1/orders", json=schemas["OrderRequest"]["examples"][0])
    assert order.json()["state"] == "new"
    batch = await alice.post("/v1/orders/batch", json=schemas["BatchRequest"]["examples"][0])
    assert [result["order"]["state"] for result in batch.json()["results"]] == ["new", "new"]
    for path, name in (
        ("/accounts", "AccountRequest"),
        ("/keys", "KeyRequest"),
        ("/accounts/2/cash", "CashRequest"),
        ("/accounts/2/inventory", "InventoryRequest"),
        ("/targets", "TargetRequest"),
        ("/instruments", "ListingRequest"),
    ):
        reply = await operator.post(f"/v1/admin{path}", json=schemas[name]["examples"][0])
        assert reply.status_code < 300, name
    change = schemas["ChangeRequest"]["examples"][0]
    assert (await operator.patch("/v1/admin/instruments/ND-OX", json=change)).status_code == 200
    amended = await alice.patch(f"/v1/orders/{order.json()['order_id']}", json=schemas["AmendRequest"]["examples"][0])
    assert (amended.json()["price"], amended.json()["quantity"]) == ("473100.00", 2)
    for path, name in (
        ("/fees/0", "FeesRequest"),
        ("/accounts/2/limits", "LimitsRequest"),
        ("/instruments/ND-OX/collar", "CollarRequest"),
        ("/instruments/ND-OX/volatility_band", "VolatilityBandRequest"),
        ("/instruments/ND-OX/phase", "PhaseRequest"),
    ):
        reply = await operator.put(f"/v1/admin{path}", json=schemas[name]["examples"][0])
        assert reply.status_code == 200, name


def test_a_value_that_may_be_null_says_so() -> None:
    schemas = openapi()["components"]["schemas"]
    names = ["day", "gtc", "ioc", "fok", "gtd"]
    for field, choice in (
        (schemas["OrderRequest"]["properties"]["time_in_force"], {"type": "string", "enum": names}),
        (schemas["MassCanceled"]["properties"]["side"], {"type": "string", "enum": ["buy", "sell"]}),
        (schemas["BatchResult"]["properties"]["error"], {"$ref": "#/components/schemas/Problem"}),
    ):
        assert field["anyOf"] == [choice, {"type": "null"}]
