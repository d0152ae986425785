"""Problems (RFC 9457, `application/problem+json`) and the one mapping from exceptions to them.

    ProblemError                      the gateway refuses: status, stable code, sentence, invalid fields
    BadField, NotAllowed              the venue's state refuses the value of a field, or what a key asks for
    InvalidCursor                     a list refuses what is no cursor of it
    RequestValidationError, ...       FastAPI or pydantic refuses; each field is named by its path
    HTTPException                     404 and 405 of the router
    Exception                         a bug: logged, and answered 500 `internal_error` without any detail of it

problem_codes.py has every code.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from http import HTTPStatus
from typing import Any, NamedTuple

import msgspec
import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import iter_route_contexts
from pydantic import ValidationError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from starlette.datastructures import QueryParams
from starlette.exceptions import HTTPException
from starlette.responses import Response

from matching_engine.records import Reason
from services.gateway.problem_codes import CODES
from services.gateway.request_ids import text_of
from services.gateway.wording import worded
from services.journal.archives.day import ArchiveUnusable
from services.journal.errors import JournalError
from services.read_model.errors import ReadDatabaseAway, ReadDatabaseFailed, ReadDatabaseRefused, ReadDatabaseSilent
from services.values.cursors import InvalidCursor
from services.venue_state.errors import BadField, NotAllowed
from services.venue_state.reasons import REASONS

PROBLEM_JSON = "application/problem+json"

TYPE = "/errors/{code}"
"""A problem's `type`, relative to the venue's address: a page about the code."""

MAX_ERRORS = 100
"""How many invalid fields a problem names: a body of unknown fields only would get an answer five times its size."""

RETRY_AFTER_SECONDS = "1"

OF_ORDERS = "/readyz says whether orders are taken."
"""Ends the sentence of a read database that cannot answer. New orders do not need it, and mostly go on; but an order that has
left the memory is looked up there, and in the scaled mode it is the journal's database too.
"""

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
        self.retry_after_seconds = RETRY_AFTER_SECONDS

    def document(self, request_id: str | None = None) -> dict[str, Any]:
        """The problem document: `schemas.Problem` as a dict. A reply to one order of a batch has no id."""
        known = CODES.get(self.code)
        return {
            "type": TYPE.format(code=self.code),
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": self.detail,
            "code": self.code,
            "errors": [error._asdict() for error in self.errors],
            "next_step": known and known.next_step,
            "request_id": request_id,
        }

    def headers(self) -> dict[str, str]:
        """Headers that belong to the status."""
        if self.status == 401:
            return {"www-authenticate": 'Bearer realm="rex"'}
        if self.status == 413:
            return {"connection": "close"}
        if self.status in (429, 503):
            return {"retry-after": self.retry_after_seconds}
        return {}

    def response(self, request_id: str | None = None) -> Response:
        """The HTTP response."""
        body = msgspec.json.encode(self.document(request_id))
        return Response(body, self.status, self.headers(), media_type=PROBLEM_JSON)


def field_problem(code: str, field: str, message: str, *, status: int = 422) -> ProblemError:
    """A problem about one field: 422, or 409 where the value is right and the venue's state forbids it."""
    return ProblemError(status, code, f"{field}: {message}", [FieldError(field, message)])


def check_query(query: QueryParams, known: Collection[str]) -> None:
    """Raises a 422 problem that names the first query parameter which the route does not know, or which is there twice.

    Ignoring it would answer another question: a mass cancel with `sid=buy` would cancel both sides, and of two symbols a proxy
    or log before the venue may see the other one.
    """
    seen = set[str]()
    for name, _ in query.multi_items():
        if name not in known:
            raise field_problem("validation_failed", name, "there is no such query parameter here")
        if name in seen:
            raise field_problem("validation_failed", name, "is there twice in the query")
        seen.add(name)


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


def cut_off(cause: str = "") -> ProblemError:
    """A 503 problem: the venue may go on without this gateway."""
    detail = f"This gateway is cut off from the venue, which may go on without it. {cause}".strip()
    return ProblemError(503, "cut_off", detail)


def command_skipped(skip_seq: int) -> ProblemError:
    """A 409 problem: an administrator has taken this request out of the venue, and it was not executed."""
    why = f"This request, or an equal one, stopped the venue and is refused since command {skip_seq}"
    detail = f"{why}. Nothing of it was executed."
    return ProblemError(409, "command_skipped", detail)


def validation_problem(errors: Sequence[Any], skip: int = 0) -> ProblemError:
    """Pydantic's errors as a problem. Field names omit the first `skip` parts of the path (such as `body`)."""
    if errors and errors[0]["type"] == "json_invalid":
        cause = errors[0].get("ctx", {}).get("error", errors[0]["msg"])
        return ProblemError(400, "malformed_json", f"The body is not JSON: {cause}.")
    named = [
        FieldError(".".join(map(str, error["loc"][skip:])) or "body", worded(error)) for error in errors[:MAX_ERRORS]
    ]
    return ProblemError(422, "validation_failed", "; ".join(f"{e.field}: {e.message}" for e in named[:3]), named)


def problem_of(error: Exception, request_id: str | None = None) -> ProblemError:
    """The problem of an exception; any other exception is logged as a bug, with the id of its request."""
    match error:
        case ProblemError():
            return error
        case BadField(code=code, field=field, message=message):
            return field_problem(code, field, message)
        case InvalidCursor():
            return field_problem("invalid_cursor", "cursor", "is not one that this list of the venue gave out")
        case ReadDatabaseSilent(waited_s=waited_s):
            log.warning("a query had no answer in time", reason=str(error), request_id=request_id)
            detail = f"The read database has not answered within {waited_s:g} s. {OF_ORDERS}"
            return ProblemError(503, "not_ready", detail)
        case PoolTimeoutError():
            log.warning("a query got no connection in time", reason=str(error), request_id=request_id)
            return ProblemError(503, "not_ready", f"The read database is overloaded. {OF_ORDERS}")
        case ReadDatabaseAway():
            log.warning("a query found no read database", reason=str(error), request_id=request_id)
            return ProblemError(503, "not_ready", f"The read database cannot be reached. {OF_ORDERS}")
        case ArchiveUnusable(seq=seq):
            log.warning("a query found no archive", reason=str(error), request_id=request_id)
            which = "An archived day" if seq is None else f"The archive that holds command {seq}"
            detail = f"{which} is missing or damaged. Orders do not need it. Tell the operator."
            return ProblemError(503, "not_ready", detail)
        case ReadDatabaseFailed() | ReadDatabaseRefused() | JournalError():
            log.error("a query found what it reads unusable", reason=str(error), request_id=request_id)
            what = "journal" if isinstance(error, JournalError) else "read database"
            return ProblemError(503, "storage_unusable", f"The {what} cannot be read. Tell the operator.")
        case NotAllowed(code=code):
            return ProblemError(403, code, str(error))
        case RequestValidationError():
            return validation_problem(error.errors(), skip=1)
        case ValidationError():
            return validation_problem(error.errors(include_url=False))
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
            log.error("unexpected error", exc_info=error, request_id=request_id)
            detail = "An internal error occurred and was logged; the outcome of the request is unknown."
            return ProblemError(500, "internal_error", detail)


def install(app: FastAPI) -> None:
    """Answers every exception of FastAPI and its router with a problem; the access middleware does the same for all others."""

    async def answer(request: Request, error: Exception) -> Response:
        request_id = text_of(request.scope)
        response = problem_of(error, request_id).response(request_id)
        if response.status_code == 405:
            response.headers["allow"] = ", ".join(_methods_of(request.scope.get("route"), app))
        return response

    for kind in (ProblemError, BadField, InvalidCursor, NotAllowed, RequestValidationError, HTTPException):
        app.add_exception_handler(kind, answer)


def _methods_of(route: Any, app: FastAPI) -> list[str]:
    """The methods of all routes with the path of this one. None: the path is one of the static files below /docs."""
    if route is None:
        return ["GET", "HEAD"]
    routes = iter_route_contexts(app.routes)
    return sorted({method for one in routes if one.path == route.path for method in one.methods or ()})
