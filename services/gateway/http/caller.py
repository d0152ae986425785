"""FastAPI dependencies of every route below /v1: the caller's key, the scopes a router needs, the query and the body
that a route reads.

They are async, because FastAPI runs a synchronous dependency in a thread.
"""

from __future__ import annotations

import re
from hashlib import sha256
from typing import Annotated, Any
from urllib.parse import unquote

from fastapi import Depends, Path, Query, Request, Security
from fastapi.dependencies.models import Dependant
from fastapi.openapi.models import HTTPBearer
from fastapi.routing import APIRoute
from fastapi.security.base import SecurityBase

from services.commands.attachments import Scope
from services.commands.texts import control_character
from services.gateway.http.access_middleware import KEY
from services.gateway.order_entry.four_eyes import ASKED, WHY, Asked
from services.gateway.order_entry.idempotency import HEADER, KEYED_PATHS, REQUEST_KEY, RequestKey, takes_key
from services.gateway.problems import ProblemError, check_query, field_problem
from services.venue_state.errors import NotAllowed
from services.venue_state.keys import AUDITED, ApiKey

MAX_WHY = 500
"""The most characters of the header WHY."""

_ZEROS = re.compile("^0+(?=[0-9]+$)")
"""Before the digits of an id, which many routes take as text."""

_KEY_FORM = re.compile(r"[!-~]{1,64}")


async def _caller(request: Request) -> ApiKey:
    key: ApiKey = request.scope[KEY]
    return key


_KNOWN_QUERY = "rex_known_query"
"""The attribute of a route in which its query parameters are kept."""

Caller = Annotated[ApiKey, Depends(_caller)]


async def _only_what_it_reads(request: Request) -> None:
    route: APIRoute = request.scope["route"]
    if request.query_params:
        check_query(request.query_params, _known_query(route))
    if request.method != "GET" and route.body_field is None and await request.body():
        # Ignored, it would do more than was asked: a resume with `{"symbol": …}` would resume every instrument.
        raise field_problem("validation_failed", "body", f"must be empty: {request.method} {route.path} reads none")


def _known_query(route: APIRoute) -> frozenset[str]:
    """The query parameters of a route and of its dependencies; found once, and kept with the route."""
    known: frozenset[str] | None = vars(route).get(_KNOWN_QUERY)
    if known is None:
        known = vars(route)[_KNOWN_QUERY] = _query_names(route.dependant)
    return known


def _query_names(dependant: Dependant) -> frozenset[str]:
    names = frozenset(field.alias for field in dependant.query_params)
    return names.union(*map(_query_names, dependant.dependencies))


ONLY_WHAT_IT_READS = Depends(_only_what_it_reads)
"""For a router without scopes: a request has no query parameter that its route does not know, and no body that it does not
read."""


def needs(*scopes: Scope) -> Any:
    """A router's dependency: the key must have one of the scopes, and the request only what its route reads.

    Raises NotAllowed, then a 422 problem that names the query parameter, or the body. /openapi.json takes the scopes of each
    operation from here.
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
        is_audited = request.method == "GET" and not AUDITED.isdisjoint(self._scopes)
        if key.scopes.isdisjoint((*self._scopes, "audit") if is_audited else self._scopes):
            key.require(self._scopes[0])
        await _only_what_it_reads(request)
        if request.method != "GET":
            REQUEST_KEY.set(await _request_key(request))
            ASKED.set(await self._asked(request))

    async def _asked(self, request: Request) -> Asked | None:
        """The request, where it asks for an act of operators or administrators."""
        if not request.scope["path"].startswith("/v1/admin/"):
            return None
        route: APIRoute = request.scope["route"]
        return Asked(
            request.method,
            _path_of(route, request),
            await request.body(),
            self._scopes[0],
            _why(request.headers.get(WHY, "")),
        )


async def _request_key(request: Request) -> RequestKey | None:
    """The request's idempotency key; raises a 422 problem for one of another form. Orders have their client_order_id."""
    # Not of request.url, which has the header Host in it: older versions of Starlette read a path out of that.
    text, path = request.headers.get(HEADER), request.scope["path"]
    if text is None or not path.startswith(KEYED_PATHS):
        return None
    if not takes_key(path):
        raise field_problem("validation_failed", HEADER, "requests about users take none")
    if not _KEY_FORM.fullmatch(text):
        raise field_problem("validation_failed", HEADER, "must be 1 to 64 visible ASCII characters")
    head = f"{request.method} {path}?".encode() + request.scope["query_string"] + b"\n"
    digest = sha256(head + await request.body()).hexdigest()
    key: ApiKey = request.scope[KEY]
    return RequestKey(text, digest, key.key_id)


def _path_of(route: APIRoute, request: Request) -> str:
    """The path with its numbers as the route reads them: `+2`, `2.0` and `0002` are the account 2."""
    named: dict[str, str] = {}
    for field in route.dependant.path_params:
        text: str = request.path_params[field.alias]
        value, wrong = field.validate(text, {}, loc=())
        named[field.alias] = text if wrong else _ZEROS.sub("", str(value))
    return route.path_format.format_map(named)


def _why(header: str) -> str:
    """The text of the header WHY, UTF-8 in percent-encoding. Raises a 422 problem for another form."""
    try:
        text = unquote(header.encode("ascii").decode(), errors="strict").strip()
    except UnicodeError:
        raise field_problem("validation_failed", WHY, "must be UTF-8 in percent-encoding") from None
    if len(text) > MAX_WHY or control_character(text) is not None:
        raise field_problem(
            "validation_failed", WHY, f"must have at most {MAX_WHY} characters, and no control characters"
        )
    return text


AccountQuery = Annotated[
    int | None,
    Query(
        ge=1,
        le=2**32 - 1,
        description="Account number. Needs the scope `operate` or `audit`, unless it is the key's own account.",
    ),
]

AccountPath = Annotated[int, Path(json_schema_extra={"minimum": 1, "maximum": 2**32 - 1})]
"""Another number is answered 404, as an account that there is not."""


def sees_all(key: ApiKey) -> bool:
    """Whether the key reads what is of all accounts, and of those who run the venue: members do not."""
    return not key.scopes.isdisjoint(("operate", "audit"))


def visible_account(key: ApiKey, account: int | None) -> int | None:
    """The account that a request with the scope `read` is about; None: every account, where an operator or auditor names
    none."""
    if account is not None and account != key.account:
        if not sees_all(key):
            sentence = "This key or role may not read other accounts: it lacks the scope `operate` or `audit`."
            raise NotAllowed("scope_missing", sentence)
        return account
    return None if sees_all(key) and not key.account else key.own_account()


def one_account(key: ApiKey, account: int | None) -> int:
    """Like `visible_account`, for requests about exactly one account; raises `account_required` where none is named."""
    chosen = visible_account(key, account)
    if chosen is None:
        raise ProblemError(403, "account_required", "This key is bound to no account: name one with ?account=.")
    return chosen
