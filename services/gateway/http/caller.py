"""FastAPI dependencies of every route below /v1: the caller's key, the scopes a router needs, the query a route knows.

They are async, because FastAPI runs a synchronous dependency in a thread.
"""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Depends, Query, Request, Security
from fastapi.openapi.models import HTTPBearer
from fastapi.routing import APIRoute
from fastapi.security.base import SecurityBase

from services.commands.attachments import Scope
from services.gateway.http.doorway import KEY
from services.gateway.problems import ProblemError, refuse_unknown_query
from services.venue_state.keys import ApiKey


async def _caller(request: Request) -> ApiKey:
    key: ApiKey = request.scope[KEY]
    return key


Caller = Annotated[ApiKey, Depends(_caller)]


def needs(*scopes: Scope) -> Any:
    """A router's dependency: the key must have one of the scopes, and the query no name that the route does not know.

    Raises NotAllowed, then a 422 problem. /openapi.json takes the scopes of each operation from here.
    """
    return Security(_Needs(scopes), scopes=scopes)


class _Needs(SecurityBase):
    """A security scheme, so that FastAPI knows which routes need a key."""

    scheme_name = "key"
    model = HTTPBearer(description="An API key, `rex_…`. Each operation names the scope that the key needs.")

    def __init__(self, scopes: tuple[Scope, ...]) -> None:
        self._scopes = scopes

    async def __call__(self, request: Request) -> None:
        key: ApiKey = request.scope[KEY]
        if key.scopes.isdisjoint(self._scopes):
            key.require(self._scopes[0])
        if request.query_params:
            route: APIRoute = request.scope["route"]
            refuse_unknown_query(request.query_params, {field.alias for field in route.dependant.query_params})


AccountQuery = Annotated[
    int | None,
    Query(
        ge=1,
        le=2**32 - 1,
        description="Account number. Needs the scope `operate`, unless it is the key's own account.",
    ),
]


def visible_account(key: ApiKey, account: int | None) -> int | None:
    """The account that a request with the scope `read` is about; None: every account, where an operator names none."""
    if account is not None and account != key.account:
        key.require("operate")
        return account
    return None if "operate" in key.scopes and not key.account else key.own_account()


def one_account(key: ApiKey, account: int | None) -> int:
    """Like `visible_account`, for requests about exactly one account; raises `account_required` where none is named."""
    chosen = visible_account(key, account)
    if chosen is None:
        raise ProblemError(403, "account_required", "This key is bound to no account: name one with ?account=.")
    return chosen
