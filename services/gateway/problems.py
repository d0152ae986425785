"""What goes wrong at the venue's door, as RFC 9457 `application/problem+json`: one mapping for every exception.

    ProblemError                      anything the gateway itself refuses: status, stable code, a sentence, named fields
    BadField, NotAllowed              what the venue's state refuses: a field's value, or what a key may not do
    RequestValidationError, ...       what FastAPI and pydantic refuse, with each field named by its path
    HTTPException                     the router's own 404 and 405
    Exception                         a bug: logged, answered 500 `internal_error` without a word of what it was

`CODES` lists every code; `docs/api.md` explains them, and a test holds the two together.
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
from starlette.exceptions import HTTPException
from starlette.responses import Response

from matching_engine.records import Reason
from services.gateway.wording import worded
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
    "method_not_allowed": 405,
    "request_timeout": 408,
    "order_not_open": 409,
    "nothing_recorded": 409,
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
    "outcome_unknown": 503,
    "not_ready": 503,
    "too_many_connections": 503,
    "too_many_pages": 503,
}
"""Every code of the gateway's own and the status it usually comes with. Where the engine declines an amend or an administrative
command (409), the code is the reason's name. Codes are stable: a client may switch on them."""

RETRY_AFTER_SECONDS = "1"

log = structlog.get_logger("rex.gateway")


class FieldError(NamedTuple):
    """One thing wrong with one field, named by its path (`orders.3.price`)."""

    field: str
    message: str


class ProblemError(Exception):
    """A request that gets a problem document instead of an answer."""

    def __init__(self, status: int, code: str, detail: str, errors: Sequence[FieldError] = ()) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.errors = tuple(errors)

    def document(self) -> dict[str, Any]:
        """The body of the answer, as `schemas.Problem` describes it."""
        return {
            "type": "about:blank",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": self.detail,
            "code": self.code,
            "errors": [error._asdict() for error in self.errors],
        }

    def headers(self) -> dict[str, str]:
        """Headers the status asks for."""
        if self.status == 401:
            return {"www-authenticate": 'Bearer realm="rex"'}
        if self.status == 413:
            return {"connection": "close"}
        if self.status in (429, 503):
            return {"retry-after": RETRY_AFTER_SECONDS}
        return {}

    def response(self) -> Response:
        """The whole answer."""
        body = msgspec.json.encode(self.document())
        return Response(body, self.status, self.headers(), media_type=PROBLEM_JSON)


def field_problem(code: str, field: str, message: str) -> ProblemError:
    """A 422 about one field."""
    return ProblemError(422, code, f"{field}: {message}", [FieldError(field, message)])


def refuse_unknown_query(names: Iterable[str], known: Collection[str]) -> None:
    """Raises a 422 problem that names a query parameter the route does not know: who is left with another one's default
    (`sid=buy` of a mass cancel) would get more than was asked for."""
    for name in names:
        if name not in known:
            raise field_problem("validation_failed", name, "there is no such query parameter here")


def unknown_symbol(symbol: str) -> ProblemError:
    """A 404 for a path that names an instrument the venue does not list."""
    return ProblemError(404, "unknown_symbol", f"No instrument is listed as {symbol[:40]!r}.")


def declined(reason: int, text: str | None = None) -> ProblemError:
    """The engine looked at an amend or an administrative command and said no: the reason's name is the code."""
    return ProblemError(409, Reason(reason).name.lower(), text or REASONS[reason])


def outcome_unknown() -> ProblemError:
    """No reply came: the command may or may not have been carried out."""
    detail = "No reply came in time: the outcome is unknown. Retry with the same client_order_id to learn it."
    return ProblemError(503, "outcome_unknown", detail)


def validation_problem(errors: Sequence[Any], skip: int = 0) -> ProblemError:
    """Pydantic's errors as a problem; `skip` leading path parts (such as `body`) are left out of the field's name."""
    if errors and errors[0]["type"] == "json_invalid":
        cause = errors[0].get("ctx", {}).get("error", errors[0]["msg"])
        return ProblemError(400, "malformed_json", f"The body is not JSON: {cause}.")
    named = [FieldError(".".join(map(str, error["loc"][skip:])) or "body", worded(error)) for error in errors]
    return ProblemError(422, "validation_failed", "; ".join(f"{e.field}: {e.message}" for e in named[:3]), named)


def problem_of(error: Exception) -> ProblemError:
    """The one mapping from exceptions to problems."""
    match error:
        case ProblemError():
            return error
        case BadField(code=code, field=field, message=message):
            return field_problem(code, field, message)
        case NotAllowed(code=code):
            return ProblemError(403, code, str(error))
        case RequestValidationError():
            return validation_problem(error.errors(), skip=1)
        case ValidationError():
            return validation_problem(error.errors(include_url=False, include_input=False))
        case HTTPException(status_code=404, detail=detail):
            nowhere = "There is nothing at this address; /docs lists what there is."
            return ProblemError(404, "not_found", nowhere if detail == HTTPStatus.NOT_FOUND.phrase else str(detail))
        case HTTPException(status_code=405):
            return ProblemError(405, "method_not_allowed", "This address does not take this method.")
        case HTTPException(status_code=409, detail=detail):
            return ProblemError(409, "nothing_recorded", str(detail))
        case HTTPException(status_code=status, detail=detail) if status < 500:
            return ProblemError(status, "validation_failed", str(detail))
        case _:
            log.error("unexpected error", exc_info=error)
            return ProblemError(500, "internal_error", "Something went wrong on our side; it has been logged.")


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
    """Every method of the path of a route that was asked for another one. No route: the static files behind /docs."""
    if route is None:
        return ["GET", "HEAD"]
    routes = iter_route_contexts(app.routes)
    return sorted({method for one in routes if one.path == route.path for method in one.methods or ()})
