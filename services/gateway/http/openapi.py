"""/openapi.json: FastAPI's document, with the scopes and problems of each operation, as OpenAPI 3.1.

Its schemas are those of the models, JSON Schema 2020-12. /asyncapi.json calls the same models by the same names.
"""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic.json_schema import models_json_schema

from services.gateway.freshness import NAME as AS_OF
from services.gateway.http.known_keys import is_public
from services.gateway.order_entry.four_eyes import WHY
from services.gateway.order_entry.idempotency import HEADER, takes_key
from services.gateway.problems import PROBLEM_JSON
from services.gateway.schemas import Problem, TooMany
from services.venue_state.keys import AUDITED

API_VERSION = "1"
"""The version of the paths below /v1; docs/api.md says what may change within it."""

SCOPES = "x-scopes"
"""In an operation below /v1: the scopes of which the caller's key needs one."""

REF = "#/components/schemas/{model}"
"""The reference to a model, in this document and in /asyncapi.json."""

_DESCRIPTION = """\
Prices and money are decimal strings in yuan, quantities are whole lots, ids are strings, times are RFC 3339 in UTC.

Operations below `/v1` need an API key with the scope that their description names; those that show the public market need none
where the venue allows it. No scope contains another: `admin` alone
neither reads, trades nor operates; but it issues keys, and so can give every scope. Rate limits of a key are in the headers
`RateLimit` and `RateLimit-Policy` of each answer. Every error is a problem document
(RFC 9457): `code` is stable, for programs; `detail` is a sentence for people. The WebSocket is described by
[/docs/websocket](/docs/websocket), for programs by [/asyncapi.json](/asyncapi.json)."""

_TAGS = {
    "orders": "Place, amend, cancel and list orders; list fills.",
    "market data": "The book, trades, ticker and auction of an instrument.",
    "account": "Balances and limits of an account.",
    "venue": "The venue, its clock, calendar, fees and instruments.",
    "reports": "The year's turnover, its targets, the decisions about trades, and the bulletins of days and months.",
    "operate": "Halts, phases, price guards, kill switches, limits, busts, targets, decisions about trades, alerts.",
    "admin: accounts": "Open accounts; move cash and inventory.",
    "admin: keys": "Issue, list, limit and revoke API keys.",
    "admin: fees": "Fee rates of the account classes.",
    "people": "Log in and out; the users and their roles.",
    "health": "Liveness, readiness and metrics. No key is needed.",
}
"""The sections of /docs, in this order."""

_PUBLIC = "No key is needed where the venue's market data is public."
_PUBLIC_REPORT = (
    "No key is needed where the venue's market data is public: for the report of the present, as JSON or CSV."
)

_PROBLEMS = {
    "400": "The body is not JSON, or the Host header is not one of the venue's names.",
    "401": "The API key is missing, unknown or expired; or name and password do not fit.",
    "403": "The API key lacks the scope or the account that the operation needs, or may not be used from this address.",
    "404": "The resource does not exist, or it belongs to another account.",
    "408": "The request did not arrive in time; the connection is closed.",
    "409": "The order has ended, or the engine declined the command; `code` is the reason.",
    "413": "The body is larger than its limit.",
    "414": "The URL is longer than 8 KiB; the connection is closed.",
    "415": "The body is not declared as `application/json`.",
    "422": "A field or a query parameter is invalid; `errors` names each.",
    "429": "The key, or the address of a request without one, is at its rate limit (`rate_limited`); the key has too many "
    "requests without a reply; or its account has too many commands waiting. The venue took nothing.",
    "431": "The head is larger than 16 KiB, or has more than 100 headers; the connection is closed.",
    "500": "An error of the venue itself; its log has the request's id.",
    "502": "HAProxy's: the request was sent, and its answer broke. The outcome is unknown, as after `outcome_unknown`.",
    "503": "The inbox is full (the venue took nothing), or no reply came in time. Retry with the same client_order_id. "
    "HAProxy's own is `not_ready`: no gateway is ready, and the request was sent to none.",
    "504": "HAProxy's: the request was sent, and no answer came in time. The outcome is unknown, as after 502.",
}

_PROBLEMS_OF_HEALTH = {"/readyz": ("503",), "/metrics": ("403",)}

_IDEMPOTENCY_KEY = {
    "name": HEADER,
    "in": "header",
    "required": False,
    "description": "Makes the request safe to send again: a repeat is answered with the first one's seq.",
    "schema": {"type": "string", "pattern": "^[!-~]{1,64}$"},
}

_AS_OF = {
    "description": "Only where this gateway may be behind or cut off: the last `seq` that its memory has applied, and until "
    "when that is known to have been the venue's last. A structured field (RFC 9651). An answer without it is at most 5 s old.",
    "schema": {"type": "string", "examples": ['seq=118, time="2023-12-01T02:00:00.000124Z"']},
}

_WHY = {
    "name": WHY,
    "in": "header",
    "required": False,
    "description": "Why, for the log, and for the second person where the act needs one: at most 500 characters, UTF-8 in "
    "percent-encoding. Where the body has a reason, that is kept, and the header is not.",
    "schema": {"type": "string", "pattern": "^[ -~]{0,6000}$"},
}


def openapi_document(app: FastAPI) -> dict[str, Any]:
    """The whole document; made once per application."""
    document = get_openapi(
        title="REX, the rare-earth exchange",
        version=API_VERSION,
        openapi_version="3.1.0",
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
        description=_DESCRIPTION,
        tags=[{"name": name, "description": description} for name, description in _TAGS.items()],
        routes=app.routes,
    )
    schemas = document["components"]["schemas"]
    _, problem = models_json_schema([(Problem, "validation"), (TooMany, "validation")], ref_template=REF)
    schemas.update(problem["$defs"])
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            _add_scopes(method, path, operation)
            if method != "get" and takes_key(path):
                operation.setdefault("parameters", []).append(_IDEMPOTENCY_KEY)
            if method != "get" and path.startswith("/v1/admin/") and "/proposals/" not in path:
                operation.setdefault("parameters", []).append(_WHY)
            _add_problems(method, path, operation)
            if method == "get" and path.startswith("/v1/"):
                operation["responses"]["200"]["headers"] = {AS_OF: {"$ref": f"#/components/headers/{AS_OF}"}}
    document["components"]["headers"] = {AS_OF: _AS_OF}
    whole: dict[str, Any] = as_document(document)
    return whole


def _add_scopes(method: str, path: str, operation: dict[str, Any]) -> None:
    """FastAPI lists the scopes in `security`, where a caller would need all of them: names them beside it, and in words."""
    for requirement in operation.get("security", ()):
        scopes, requirement["key"] = requirement["key"], []
        if method == "get" and AUDITED.intersection(scopes):
            scopes = [*scopes, "audit"]
        operation[SCOPES] = scopes
        is_report = path.startswith("/v1/reports/")
        public = (_PUBLIC_REPORT if is_report else _PUBLIC) if is_public(method.upper(), path) else None
        sentences = [operation.get("description"), public, f"Scope: {' or '.join(f'`{scope}`' for scope in scopes)}."]
        operation["description"] = "\n\n".join(filter(None, sentences))
    if is_public(method.upper(), path):
        operation["security"].append({})


def _add_problems(method: str, path: str, operation: dict[str, Any]) -> None:
    statuses = tuple(_PROBLEMS) if path.startswith("/v1/") else _PROBLEMS_OF_HEALTH.get(path, ())
    operation["responses"].pop("422", None)
    for status in statuses:
        if status == "415" and method == "get":
            continue
        schema = {"$ref": REF.format(model=(TooMany if status == "429" else Problem).__name__)}
        operation["responses"][status] = {
            "description": _PROBLEMS[status],
            "content": {PROBLEM_JSON: {"schema": schema}},
        }


def as_document(value: Any) -> Any:
    """A part of a document as it is published: FastAPI's bounds are floats, of integers as well; a schema's one example stands
    in `examples`, where JSON Schema has it; a default of null is left out, as FastAPI does."""
    if isinstance(value, list):
        return [as_document(item) for item in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if not isinstance(value, dict):
        return value
    published = {name: as_document(item) for name, item in value.items() if name != "default" or item is not None}
    if "example" in published and "type" in published:
        published["examples"] = [published.pop("example")]
    return published
