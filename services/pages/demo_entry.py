"""POST /ui/demo/{role}: who opens a page of a demo enters as one of its people, without a password.

The demo's people are users like any other, journaled when the first visitor enters as one of them. They have no password, so
nobody logs in by guessing one; whoever may reach the pages of a demo may enter it.
"""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from starlette.exceptions import HTTPException

from services.commands.attachments import Role, UserAdded
from services.gateway.http.known_keys import address_of
from services.gateway.http.session import SessionReply, add_user, begin_session
from services.gateway.http.session_cookie import SESSION, refuse_other_pages, session_secret
from services.gateway.limits.rate_limits import RateLimits
from services.gateway.order_entry.order_entry import OrderEntry
from services.gateway.problems import ProblemError
from services.people.people import People
from services.venue_state.keys import ApiKey
from services.venue_state.users import User

ENTRY = "/ui/demo/"
PATH = f"{ENTRY}{{role}}"
_ENTERED: dict[str, Role] = {"trader": "trader", "operator": "operator"}
"""The roles as which one may enter, by their names in the path."""
_DEMO = ApiKey(0, 0, "demo", frozenset())
"""Who adds the demo's people: the venue itself, actor 0 in the journal."""


def routes(people: People, order_entry: OrderEntry, limits: RateLimits, *, desk: int) -> APIRouter:
    """The route. `desk` is the account for which the demo's trader acts."""
    router = APIRouter()

    @router.post(PATH, response_model=SessionReply, status_code=201, include_in_schema=False)
    async def enter(request: Request, response: Response, role: str) -> SessionReply:
        if role not in _ENTERED:
            raise HTTPException(404)
        headers = dict(request.scope["headers"])
        refuse_other_pages(headers)
        limits.log_in(address_of(request.scope))
        user = await _person(people, order_entry, _ENTERED[role], desk if role == "trader" else 0)
        secret = session_secret(headers, behind_tls=people.behind_tls)
        request.scope[SESSION] = people.sessions.find(secret) if secret else None  # it ends
        return begin_session(people, user, request, response)

    return router


async def _person(people: People, order_entry: OrderEntry, role: Role, account: int) -> User:
    """The demo's user of a role, who is added the first time. Raises 404 `unknown_user` where that name has other rights."""
    name = f"demo {role}"
    user = people.users.named(name)
    if user is None:
        try:
            user = await add_user(people, order_entry, _DEMO, UserAdded(name=name, role=role, account=account), None)
        except ProblemError as problem:
            if problem.code != "user_exists":
                raise
            user = people.users.named(name)  # Another visitor was faster.
    if user is None or (user.role, user.account) != (role, account):
        raise ProblemError(404, "unknown_user", f"The user `{name}` was given other rights: log in with a password.")
    return user
