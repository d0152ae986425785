"""Who asks: the key that the door found, as a FastAPI dependency (async: a synchronous one costs a thread).

Every route below /v1 has it, so that it is also the place where what changes something refuses a query it does not know.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Query, Request

from services.gateway.http.doorway import KEY
from services.gateway.problems import ProblemError, refuse_unknown_query
from services.venue_state.keys import ApiKey


async def _caller(request: Request) -> ApiKey:
    if request.query_params and request.method != "GET":
        known = {field.alias for field in request.scope["route"].dependant.query_params}
        refuse_unknown_query(request.query_params, known)
    key: ApiKey = request.scope[KEY]
    return key


async def may_read(key: Annotated[ApiKey, Depends(_caller)]) -> None:
    """A dependency for whole routers: their routes need the scope `read`."""
    key.require("read")


Caller = Annotated[ApiKey, Depends(_caller)]

AccountQuery = Annotated[
    int | None, Query(ge=1, le=2**32 - 1, description="an account number; needs `operate` unless it is one's own")
]


def visible_account(key: ApiKey, account: int | None) -> int | None:
    """The account whose affairs a `read` request is about; None: all of them, for an operator who names none."""
    key.require("read")
    if account is not None and account != key.account:
        key.require("operate")
        return account
    return None if "operate" in key.scopes and not key.account else key.own_account()


def one_account(key: ApiKey, account: int | None) -> int:
    """Like `visible_account`, where it must be exactly one."""
    chosen = visible_account(key, account)
    if chosen is None:
        raise ProblemError(403, "account_required", "This key is bound to no account: name one with ?account=.")
    return chosen
