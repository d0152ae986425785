"""/openapi.json: FastAPI's document, the two hot routes it does not know, the key, and the problems.

It is written as OpenAPI 3.0, because the documentation page in the wheel cannot read 3.1. What pydantic says in JSON Schema
2020-12 (nullable unions, constants) is put into the older words.
"""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic.json_schema import models_json_schema

from services.gateway.http.doorway import BATCH_PATH
from services.gateway.http.orders import ORDERS_PATH
from services.gateway.problems import PROBLEM_JSON
from services.gateway.schemas import BatchReply, BatchRequest, Order, OrderRequest, Problem

API_VERSION = "1"
"""Of the paths below /v1; what may change within it docs/api.md says."""

_REF = "#/components/schemas/{model}"

_PROBLEMS = {
    "400": "The body is not JSON, or the Host is not ours",
    "401": "No key, or an unknown one",
    "403": "The key may not do that",
    "404": "No such thing, or not yours",
    "409": "Nothing left to cancel, or the venue declined",
    "413": "The body is over its limit",
    "422": "A field is wrong; `errors` names it",
    "429": "This key has too many requests under way, or its account too many commands waiting; nothing was taken in",
    "503": "The inbox is full, or no reply came in time; retry with the same client_order_id",
}


def openapi_document(app: FastAPI) -> dict[str, Any]:
    """The whole document; made once per application."""
    document = get_openapi(
        title="REX, the rare-earth exchange",
        version=API_VERSION,
        openapi_version="3.0.3",
        description="Prices and money are decimal strings in yuan, quantities whole lots, ids strings, times RFC 3339 in UTC.",
        routes=app.routes,
    )
    _, schemas = models_json_schema(
        [(model, "validation") for model in (OrderRequest, BatchRequest, Order, BatchReply, Problem)], ref_template=_REF
    )
    components = document.setdefault("components", {})
    components.setdefault("schemas", {}).update(schemas["$defs"])
    for name in ("HTTPValidationError", "ValidationError"):
        components["schemas"].pop(name, None)
    components["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer", "description": "rex_…"}}
    _add_hot_routes(document["paths"])
    for path, operations in document["paths"].items():
        for operation in operations.values():
            _add_key_and_problems(path, operation)
    converted: dict[str, Any] = _as_openapi_30(document)
    return converted


def _add_hot_routes(paths: dict[str, Any]) -> None:
    place = _operation("Place an order", "OrderRequest", {"201": "Order", "200": "Order"})
    place["responses"]["201"]["description"] = "The engine looked at it: accepted, or in state `rejected` with a reason"
    place["responses"]["200"]["description"] = "The same client_order_id and body came before: the order as it stands"
    batch = _operation("Place up to 100 orders, in this order", "BatchRequest", {"200": "BatchReply"})
    paths.setdefault(ORDERS_PATH, {})["post"] = place
    paths.setdefault(BATCH_PATH, {})["post"] = batch


def _operation(summary: str, request: str, replies: dict[str, str]) -> dict[str, Any]:
    return {
        "tags": ["orders"],
        "summary": summary,
        "operationId": summary.lower().replace(" ", "_").replace(",", ""),
        "requestBody": {"required": True, "content": _content(request)},
        "responses": {
            status: {"description": "Results in the order of the request", "content": _content(reply)}
            for status, reply in replies.items()
        },
    }


def _content(model: str, media_type: str = "application/json") -> dict[str, Any]:
    return {media_type: {"schema": {"$ref": _REF.format(model=model)}}}


def _add_key_and_problems(path: str, operation: dict[str, Any]) -> None:
    wanted: tuple[str, ...] = ("503",) if path == "/readyz" else ()
    if path.startswith("/v1/"):
        operation["security"] = [{"key": []}]
        wanted = tuple(_PROBLEMS)
    operation["responses"].pop("422", None)
    for status in wanted:
        operation["responses"][status] = {
            "description": _PROBLEMS[status],
            "content": _content("Problem", PROBLEM_JSON),
        }


def _as_openapi_30(value: Any) -> Any:
    if isinstance(value, list):
        return [_as_openapi_30(item) for item in value]
    if not isinstance(value, dict):
        return value
    converted = {name: _as_openapi_30(item) for name, item in value.items()}
    if "const" in converted:
        converted["enum"] = [converted.pop("const")]
    choices = converted.get("anyOf")
    if isinstance(choices, list) and {"type": "null"} in choices:
        others = [choice for choice in choices if choice != {"type": "null"}]
        del converted["anyOf"]
        converted = {**converted, "nullable": True}
        # A $ref takes no neighbours in 3.0: it stands in an allOf of one.
        converted |= others[0] if len(others) == 1 and "$ref" not in others[0] else {"allOf": others}
    return converted
