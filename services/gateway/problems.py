"""Problems (RFC 9457, `application/problem+json`) and the one mapping from exceptions to them.

    ProblemError                      the gateway refuses: status, stable code, sentence, invalid fields
    BadField, NotAllowed              the venue's state refuses the value of a field, or what a key asks for
    RequestValidationError, ...       FastAPI or pydantic refuses; each field is named by its path
    HTTPException                     404 and 405 of the router
    Exception                         a bug: logged, and answered 500 `internal_error` without any detail of it

`CODES` lists every code; a test compares it with the table in docs/api.md.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from http import HTTPStatus
from typing import Any, NamedTuple

import msgspec
import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import iter_route_contexts
from pydantic import ValidationError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from matching_engine.records import Reason
from services.gateway.wording import worded
from services.read_database.errors import ReadDatabaseAway, ReadDatabaseSilent
from services.venue_state.errors import BadField, NotAllowed
from services.venue_state.reasons import REASONS

PROBLEM_JSON = "application/problem+json"

CODES: dict[str, int] = {
    "malformed_http": 400,
    "malformed_json": 400,
    "host_not_allowed": 400,
    "missing_key": 401,
    "unknown_key": 401,
    "origin_not_allowed": 403,
    "scope_missing": 403,
    "account_required": 403,
    "not_found": 404,
    "unknown_symbol": 404,
    "unknown_order": 404,
    "unknown_account": 404,
    "unknown_key_id": 404,
    "unknown_trade": 404,
    "unknown_alert": 404,
    "method_not_allowed": 405,
    "request_timeout": 408,
    "order_not_open": 409,
    "nothing_recorded": 409,
    "target_in_force": 409,
    "trade_busted": 409,
    "already_decided": 409,
    "not_certified": 409,
    "already_acknowledged": 409,
    "body_too_large": 413,
    "url_too_long": 414,
    "validation_failed": 422,
    "invalid_price": 422,
    "price_off_tick": 422,
    "invalid_quantity": 422,
    "invalid_amount": 422,
    "invalid_time_in_force": 422,
    "invalid_trigger": 422,
    "invalid_expiry": 422,
    "invalid_display": 422,
    "invalid_option": 422,
    "invalid_rate": 422,
    "invalid_cursor": 422,
    "client_order_id_reused": 422,
    "too_many_requests": 429,
    "too_many_websockets": 429,
    "headers_too_large": 431,
    "internal_error": 500,
    "inbox_full": 503,
    "read_only": 503,
    "outcome_unknown": 503,
    "not_ready": 503,
    "too_many_connections": 503,
    "too_many_pages": 503,
}
"""The gateway's own codes, each with its usual status. Where the engine declines an amend or an administrative command (409),
the code is the reason's name. Codes are stable: clients may branch on them."""

RETRY_AFTER_SECONDS = "1"

log = structlog.get_logger("rex.gateway")


class FieldError(NamedTuple):
    """An invalid field, named by its path (`orders.3.price`), and what is wrong with it."""

    field: str
    message: str


class ProblemError(Exception):
    """Answers the request with a problem document."""

    def __init__(self, status: int, code: str, detail: str, errors: Sequence[FieldError] = ()) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.errors = tuple(errors)

    def document(self) -> dict[str, Any]:
        """The problem document: `schemas.Problem` as a dict."""
        return {
            "type": "about:blank",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": self.detail,
            "code": self.code,
            "errors": [error._asdict() for error in self.errors],
        }

    def headers(self) -> dict[str, str]:
        """Headers that belong to the status."""
        if self.status == 401:
            return {"www-authenticate": 'Bearer realm="rex"'}
        if self.status == 413:
            return {"connection": "close"}
        if self.status in (429, 503):
            return {"retry-after": RETRY_AFTER_SECONDS}
        return {}

    def response(self) -> Response:
        """The HTTP response."""
        body = msgspec.json.encode(self.document())
        return Response(body, self.status, self.headers(), media_type=PROBLEM_JSON)


def field_problem(code: str, field: str, message: str, *, status: int = 422) -> ProblemError:
    """A problem about one field: 422, or 409 where the value is right and the venue's state forbids it."""
    return ProblemError(status, code, f"{field}: {message}", [FieldError(field, message)])


def refuse_unknown_query(names: Iterable[str], known: Collection[str]) -> None:
    """Raises a 422 problem that names the first query parameter which the route does not know.

    Ignoring it would answer another question: a mass cancel with `sid=buy` would cancel both sides.
    """
    for name in names:
        if name not in known:
            raise field_problem("validation_failed", name, "there is no such query parameter here")


def unknown_symbol(symbol: str) -> ProblemError:
    """A 404 problem for a path with the symbol of no listed instrument."""
    return ProblemError(404, "unknown_symbol", f"No instrument is listed as {symbol[:40]!r}.")


def declined(reason: int, text: str | None = None) -> ProblemError:
    """A 409 problem for an amend or an administrative command that the engine declined; the reason's name is the code."""
    return ProblemError(409, Reason(reason).name.lower(), text or REASONS[reason])


def outcome_unknown() -> ProblemError:
    """A 503 problem: no reply came, so the command may or may not have been carried out."""
    detail = "No reply came in time: the outcome is unknown. Retry with the same client_order_id to learn it."
    return ProblemError(503, "outcome_unknown", detail)


def not_taken_in() -> ProblemError:
    """A 503 problem: no sequencer took the request in time, and none will."""
    detail = "No sequencer was reached in time; nothing of this request was taken in. Send it again."
    return ProblemError(503, "not_ready", detail)


def validation_problem(errors: Sequence[Any], skip: int = 0) -> ProblemError:
    """Pydantic's errors as a problem. Field names omit the first `skip` parts of the path (such as `body`)."""
    if errors and errors[0]["type"] == "json_invalid":
        cause = errors[0].get("ctx", {}).get("error", errors[0]["msg"])
        return ProblemError(400, "malformed_json", f"The body is not JSON: {cause}.")
    named = [FieldError(".".join(map(str, error["loc"][skip:])) or "body", worded(error)) for error in errors]
    return ProblemError(422, "validation_failed", "; ".join(f"{e.field}: {e.message}" for e in named[:3]), named)


def problem_of(error: Exception) -> ProblemError:
    """The problem of an exception; any other exception is logged as a bug."""
    match error:
        case ProblemError():
            return error
        case BadField(code=code, field=field, message=message):
            return field_problem(code, field, message)
        case ReadDatabaseSilent(waited_s=waited_s):
            log.warning("a query had no answer in time", reason=str(error))
            detail = f"The read database has not answered within {waited_s:g} s; orders are not affected."
            return ProblemError(503, "not_ready", detail)
        case PoolTimeoutError():
            log.warning("a query got no connection in time", reason=str(error))
            return ProblemError(503, "not_ready", "The read database is overloaded; orders are not affected.")
        case ReadDatabaseAway():
            log.warning("a query found no read database", reason=str(error))
            return ProblemError(503, "not_ready", "The read database cannot be reached; orders are not affected.")
        case NotAllowed(code=code):
            return ProblemError(403, code, str(error))
        case RequestValidationError():
            return validation_problem(error.errors(), skip=1)
        case ValidationError():
            return validation_problem(error.errors(include_url=False, include_input=False))
        case HTTPException(status_code=404, detail=detail):
            no_path = "There is no resource at this path; /docs lists all paths."
            return ProblemError(404, "not_found", no_path if detail == HTTPStatus.NOT_FOUND.phrase else str(detail))
        case HTTPException(status_code=405):
            return ProblemError(
                405,
                "method_not_allowed",
                "This path does not support this method; the header Allow lists those that it supports.",
            )
        case HTTPException(status_code=409, detail=detail):
            return ProblemError(409, "nothing_recorded", str(detail))
        case HTTPException(status_code=status, detail=detail) if status < 500:
            return ProblemError(status, "validation_failed", str(detail))
        case _:
            log.error("unexpected error", exc_info=error)
            detail = "An internal error occurred and was logged; the outcome of the request is unknown."
            return ProblemError(500, "internal_error", detail)


def install(app: FastAPI) -> None:
    """Answers every exception of FastAPI and its router with a problem; the doorway does the same for all others."""

    async def answer(request: Request, error: Exception) -> Response:
        response = problem_of(error).response()
        if response.status_code == 405:
            response.headers["allow"] = ", ".join(_methods_of(request.scope.get("route"), app))
        return response

    for kind in (ProblemError, BadField, NotAllowed, RequestValidationError, HTTPException):
        app.add_exception_handler(kind, answer)


def _methods_of(route: Any, app: FastAPI) -> list[str]:
    """The methods of all routes with the path of this one. None: the path is one of the static files below /docs."""
    if route is None:
        return ["GET", "HEAD"]
    routes = iter_route_contexts(app.routes)
    return sorted({method for one in routes if one.path == route.path for method in one.methods or ()})
