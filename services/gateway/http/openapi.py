"""/openapi.json: FastAPI's document, with the scopes and problems of each operation, as OpenAPI 3.0.

3.0, because the Swagger UI in the wheel cannot read 3.1. pydantic's JSON Schema 2020-12 (nullable unions, constants) is
converted.
"""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic.json_schema import models_json_schema

from services.gateway.problems import PROBLEM_JSON
from services.gateway.schemas import Problem

API_VERSION = "1"
"""The version of the paths below /v1; docs/api.md says what may change within it."""

SCOPES = "x-scopes"
"""In an operation below /v1: the scopes of which the caller's key needs one."""

_REF = "#/components/schemas/{model}"
_NULL = {"type": "null"}

_DESCRIPTION = """\
Prices and money are decimal strings in yuan, quantities are whole lots, ids are strings, times are RFC 3339 in UTC.

Operations below `/v1` need an API key with the scope that their description names. Every error is a problem document
(RFC 9457): `code` is stable, for programs; `detail` is a sentence for people."""

_TAGS = {
    "orders": "Place, amend, cancel and list orders; list fills.",
    "market data": "The book, trades and ticker of an instrument.",
    "account": "Balances and limits of an account.",
    "venue": "The venue and its instruments.",
    "reports": "The year's turnover, its targets, the decisions about trades, and the bulletins of days and months.",
    "operate": "Halts, phases, price guards, kill switches, limits, busts, targets, decisions about trades, alerts.",
    "admin: accounts": "Open accounts; move cash and inventory.",
    "admin: keys": "Issue and revoke API keys.",
    "admin: fees": "Fee rates of the account classes.",
    "health": "Liveness, readiness and metrics. No key is needed.",
}
"""The sections of /docs, in this order."""

_PROBLEMS = {
    "400": "The body is not JSON, or the Host header is not one of the venue's names.",
    "401": "The API key is missing or unknown.",
    "403": "The API key lacks the scope or the account that the operation needs.",
    "404": "The resource does not exist, or it belongs to another account.",
    "409": "The order has ended, or the engine declined the command; `code` is the reason.",
    "413": "The body is larger than its limit.",
    "422": "A field or a query parameter is invalid; `errors` names each.",
    "429": "The key has too many requests without a reply, or its account too many commands waiting. The venue took nothing.",
    "503": "The inbox is full (the venue took nothing), or no reply came in time. Retry with the same client_order_id.",
}


def openapi_document(app: FastAPI) -> dict[str, Any]:
    """The whole document; made once per application."""
    document = get_openapi(
        title="REX, the rare-earth exchange",
        version=API_VERSION,
        openapi_version="3.0.3",
        description=_DESCRIPTION,
        tags=[{"name": name, "description": description} for name, description in _TAGS.items()],
        routes=app.routes,
    )
    schemas = document["components"]["schemas"]
    _, problem = models_json_schema([(Problem, "validation")], ref_template=_REF)
    schemas.update(problem["$defs"])
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    for path, operations in document["paths"].items():
        for operation in operations.values():
            _add_scopes(operation)
            _add_problems(path, operation)
    converted: dict[str, Any] = _as_openapi_30(document)
    return converted


def _add_scopes(operation: dict[str, Any]) -> None:
    """FastAPI lists the scopes in `security`, where OpenAPI 3.0 has them for OAuth only: names them beside it, and in words."""
    for requirement in operation.get("security", ()):
        scopes, requirement["key"] = requirement["key"], []
        operation[SCOPES] = scopes
        sentences = [operation.get("description"), f"Scope: {' or '.join(f'`{scope}`' for scope in scopes)}."]
        operation["description"] = "\n\n".join(filter(None, sentences))


def _add_problems(path: str, operation: dict[str, Any]) -> None:
    statuses = tuple(_PROBLEMS) if SCOPES in operation else ("503",) if path == "/readyz" else ()
    operation["responses"].pop("422", None)
    for status in statuses:
        schema = {"$ref": _REF.format(model=Problem.__name__)}
        operation["responses"][status] = {
            "description": _PROBLEMS[status],
            "content": {PROBLEM_JSON: {"schema": schema}},
        }


def _as_openapi_30(value: Any) -> Any:
    if isinstance(value, list):
        return [_as_openapi_30(item) for item in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)  # FastAPI's bounds are floats, of integers as well.
    if not isinstance(value, dict):
        return value
    converted = {name: _as_openapi_30(item) for name, item in value.items()}
    if "const" in converted:
        converted["enum"] = [converted.pop("const")]
    choices = converted.get("anyOf")
    if isinstance(choices, list) and _NULL in choices:
        del converted["anyOf"]
        converted |= _nullable([choice for choice in choices if choice != _NULL])
    return converted


def _nullable(choices: list[dict[str, Any]]) -> dict[str, Any]:
    """One of these schemas or null. A `$ref` takes no neighbours in 3.0: it stands in an `allOf` of one."""
    if len(choices) > 1 or "$ref" in choices[0]:
        return {"nullable": True, "allOf": choices}
    nullable = {"nullable": True, **choices[0]}
    if "enum" in nullable:
        nullable["enum"] = [*nullable["enum"], None]  # Without it, 3.0 refuses null despite `nullable`.
    return nullable
