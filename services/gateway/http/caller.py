"""FastAPI dependencies of every route below /v1: the caller's key, the scopes a router needs, the query a route knows.

They are async, because FastAPI runs a synchronous dependency in a thread.
"""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Query, Request, Security
from fastapi.openapi.models import HTTPBearer
from fastapi.routing import APIRoute
from fastapi.security.base import SecurityBase

from services.commands.attachments import Scope
from services.gateway.http.doorway import KEY
from services.gateway.problems import ProblemError, refuse_unknown_query
from services.venue_state.keys import ApiKey


class _CallersKey(SecurityBase):
    """The API key that the doorway found. As a security scheme it tells FastAPI which routes need a key."""

    scheme_name = "key"
    model = HTTPBearer(description="An API key, `rex_…`. Each operation names the scope that the key needs.")

    async def __call__(self, request: Request) -> ApiKey:
        key: ApiKey = request.scope[KEY]
        return key


Caller = Annotated[ApiKey, Security(_CallersKey())]


def needs(*scopes: Scope) -> Any:
    """A router's dependency: the key must have one of the scopes, and the query no name that the route does not know.

    Raises NotAllowed, then a 422 problem. /openapi.json names the scopes of each operation from here.
    """

    async def check(request: Request, key: Caller) -> None:
        if key.scopes.isdisjoint(scopes):
            key.require(scopes[0])
        if request.query_params:
            route: APIRoute = request.scope["route"]
            refuse_unknown_query(request.query_params, {field.alias for field in route.dependant.query_params})

    return Security(check, scopes=scopes)


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
