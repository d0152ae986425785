"""What requests for reports have in common: a year, a sequence number, and the answer where nothing is recorded."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from functools import partial, wraps
from inspect import Parameter, signature
from typing import Annotated, Any, TypeVar
from urllib.parse import urlencode

from fastapi import APIRouter, HTTPException, Path, Query
from fastapi.exceptions import RequestValidationError

from services.reporting.turns import ReportTurns

Year = Annotated[int, Path(ge=2000, le=2099, description="Calendar year of the trading days.")]
Seq = Annotated[int, Query(ge=0, le=2**63 - 1)]
FirstSeq = Annotated[Seq, Query(json_schema_extra={"minimum": 1})]
"""Of the past: before its first command the venue had recorded nothing (`refuse_past`)."""
AtLeast = Annotated[Seq, Query(description="Waits until this sequence number is in the answer; 422 after 5 seconds.")]
PastSeq = Annotated[
    FirstSeq | None,
    Query(
        description="The report as it was after this sequence number, with the bytes of the day; not with at_least_seq.",
    ),
]

Projected = Callable[[int], Awaitable[None]]
"""Waits until the read database has applied the journal up to a sequence number."""

READ_TIMEOUT_S = 5.0
"""How long a request waits for the read database to reach the sequence number that it names."""

NOT_REACHED = "the venue has not reached this sequence number"

Found = TypeVar("Found")


def recorded(found: Found | None) -> Found:
    """What was read; a 409 problem where the venue has recorded nothing yet."""
    if found is None:
        raise HTTPException(409, "The venue has recorded nothing yet.")
    return found


def waiting_routes(projected: Projected, turns: ReportTurns | None = None) -> APIRouter:
    """A router below /v1/reports whose routes all take the query parameter `at_least_seq`, so that a client that has just
    traded reads its own trade. A request is checked before it waits. With `turns` it then takes its turn."""
    return _WaitingRouter(projected, turns)


class _WaitingRouter(APIRouter):
    """Adds the parameter to each route's function. A dependency of the router would wait before FastAPI checks the other
    parameters."""

    def __init__(self, projected: Projected, turns: ReportTurns | None) -> None:
        super().__init__(prefix="/v1/reports", tags=["reports"])
        self._projected, self._turns = projected, turns

    def add_api_route(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        super().add_api_route(path, _waiting(self.prefix + path, endpoint, self._projected, self._turns), **options)


def _waiting(
    path: str, endpoint: Callable[..., Awaitable[Any]], projected: Projected, turns: ReportTurns | None
) -> Callable[..., Awaitable[Any]]:
    """The route's function with the parameter `at_least_seq`, for which it waits first."""

    @wraps(endpoint)
    async def answer(*, at_least_seq: int, **parameters: Any) -> Any:
        await wait_until_projected(projected, "at_least_seq", at_least_seq)
        make = partial(endpoint, **parameters)
        return await (make() if turns is None else turns.take(_address(path, parameters), make, at_least_seq))

    own = signature(endpoint, eval_str=True)
    waited = Parameter("at_least_seq", Parameter.KEYWORD_ONLY, default=0, annotation=AtLeast)
    vars(answer)["__signature__"] = own.replace(parameters=[*own.parameters.values(), waited])
    return answer


def _address(path: str, parameters: Mapping[str, Any]) -> str:
    """Path and query of a request."""
    given = {name: value for name, value in parameters.items() if f"{{{name}}}" not in path and value is not None}
    query = urlencode(given)
    return path.format(**parameters) + (f"?{query}" if query else "")


async def wait_until_projected(projected: Projected, field: str, seq: int) -> None:
    """Waits for the seq that the query parameter `field` names. Raises a 422 problem after READ_TIMEOUT_S."""
    try:
        await asyncio.wait_for(projected(seq), READ_TIMEOUT_S)
    except TimeoutError as error:
        raise invalid_query(field, NOT_REACHED) from error


def refuse_past(seq: int, at_least_seq: int) -> None:
    """Raises a 422 problem where no report can be of the past `seq`."""
    if at_least_seq:
        raise invalid_query("seq", "cannot be combined with at_least_seq: a report of the past waits for nothing")
    if not seq:
        raise invalid_query("seq", "must be at least 1: before its first command the venue had recorded nothing")


def invalid_query(field: str, message: str) -> RequestValidationError:
    """The 422 problem of a query parameter."""
    return RequestValidationError([{"type": "value_error", "loc": ("query", field), "msg": message}])
