"""/v1/session: log in, log out, who am I, and the use of one-time links. The journal holds users; sessions are in memory."""

from __future__ import annotations

import math
from typing import Annotated, get_args

import structlog
from fastapi import APIRouter, Request, Response
from pydantic import Field, StringConstraints

from services.commands.attachments import Role, Scope, UserAdded, UserPasswordChanged
from services.gateway import schemas
from services.gateway.http.access_middleware import KEY
from services.gateway.http.caller import ONLY_WHAT_IT_READS, needs
from services.gateway.http.known_keys import address_of
from services.gateway.http.session_cookie import SESSION, session_secret, set_cookie
from services.gateway.limits.rate_limits import RateLimits
from services.gateway.order_entry.order_entry import OrderEntry
from services.gateway.problems import ProblemError, field_problem
from services.gateway.schemas import Reply, WithoutControl, example
from services.people.attempts import TooSoon
from services.people.links import FIRST_ADMIN, PasswordLink
from services.people.passwords import Busy
from services.people.people import People, WrongNameOrPassword
from services.people.roles import caller
from services.people.sessions import Session
from services.values.times import time_text
from services.venue_state.keys import ApiKey
from services.venue_state.users import User

UserName = Annotated[str, StringConstraints(min_length=1, max_length=80, pattern=r"^\S(.*\S)?$"), WithoutControl]
Password = Annotated[str, StringConstraints(min_length=1, max_length=256)]
NewPassword = Annotated[str, StringConstraints(min_length=12, max_length=256)]
NEW_PASSWORD = "12 to 256 characters, of any kind."


class LogInRequest(schemas.Request):
    """A log-in."""

    model_config = example(name="wang.fang", password="a long sentence of yours")

    name: UserName = Field(description="As an administrator entered it; case and width do not matter.")
    password: Password


class LinkRequest(schemas.Request):
    """The use of a one-time link."""

    model_config = example(token="0aYbXw", name="li.na", password="a long sentence of mine")

    token: Annotated[str, StringConstraints(min_length=1, max_length=100)] = Field(
        description="What follows `#` in the link."
    )
    name: UserName | None = Field(
        default=None, description="Of the first administrator: required for its link, not allowed otherwise."
    )
    password: NewPassword = Field(description=NEW_PASSWORD)


class OwnPasswordRequest(schemas.Request):
    """A new password of one's own."""

    model_config = example(password="a long sentence of yours", new_password="quite another sentence")

    password: Password = Field(description="The present one.")
    new_password: NewPassword = Field(description=NEW_PASSWORD)


class SessionReply(Reply):
    """Who sends the request."""

    name: str | None = Field(description="Of the user, or of the API key; null: nobody is logged in.")
    role: Role | None = Field(description="Of the user; null: nobody, or an API key.")
    scopes: list[Scope]
    account: int = Field(description="The account that it is bound to; 0: none.")
    expires_at: str | None = Field(description="When the session ends in any case; null without a session.")


PATH = "/v1/session"
NOBODY = SessionReply(name=None, role=None, scopes=[], account=0, expires_at=None)
_BY_LINK = ApiKey(0, 0, "one-time link", frozenset())
"""Who makes the first administrator: the venue itself, actor 0 in the journal."""

log = structlog.get_logger("rex.people")


def routes(people: People, order_entry: OrderEntry, limits: RateLimits) -> APIRouter:
    """/v1/session and /v1/session/link: open to everybody, but limited by address, by `people.attempts` and by secrets."""
    router = APIRouter(prefix=PATH, tags=["people"], dependencies=[ONLY_WHAT_IT_READS])

    @router.get("", summary="Who sends this request")
    async def who(request: Request, response: Response) -> SessionReply:
        is_stale = session_secret(dict(request.scope["headers"]), behind_tls=people.behind_tls) is not None
        if is_stale and SESSION not in request.scope and b"authorization" not in dict(request.scope["headers"]):
            response.headers["set-cookie"] = set_cookie("", behind_tls=people.behind_tls)
        return _reply(request.scope.get(KEY), request.scope.get(SESSION))

    @router.post("", status_code=201, summary="Log in with a name and a password")
    async def log_in(request: Request, response: Response, body: LogInRequest) -> SessionReply:
        user = await _proven(people, limits, body.name, body.password, request)
        return begin_session(people, user, request, response)

    @router.delete("", summary="Log out: ends the session and its WebSockets")
    async def log_out(request: Request, response: Response) -> SessionReply:
        _end(people, request, response)
        return NOBODY

    @router.put(
        "/password", dependencies=[needs(*get_args(Scope))], summary="Change one's own password; all other sessions end"
    )
    async def change_password(request: Request, response: Response, body: OwnPasswordRequest) -> SessionReply:
        session: Session | None = request.scope.get(SESSION)
        if session is None:
            raise ProblemError(409, "no_session", "An API key has no password: this is for a user who is logged in.")
        await _proven(people, limits, session.caller.name, body.password, request)
        changed = await _set_password(people, order_entry, session.caller, session.caller.key_id, body.new_password)
        return begin_session(people, changed, request, response)

    @router.post("/link", status_code=201, summary="Set a password by a one-time link")
    async def use_link(request: Request, response: Response, body: LinkRequest) -> SessionReply:
        limits.log_in(address_of(request.scope))
        link = people.links.take(body.token)
        if link is None or (link.user_id == FIRST_ADMIN and people.users.has_admin()):
            raise ProblemError(404, "unknown_link", "This link was used, has ended, or the venue was started since.")
        try:
            user = await _follow(people, order_entry, link, body)
        except Exception:
            people.links.put_back(body.token, link)
            raise
        return begin_session(people, user, request, response)

    return router


async def _proven(people: People, limits: RateLimits, name: str, password: str, request: Request) -> User:
    address = address_of(request.scope)
    limits.log_in(address)
    try:
        return await people.proven(name, password, address)
    except TooSoon as refused:
        raise _too_many_log_ins(refused.wait_s) from None
    except Busy:
        raise _too_many_log_ins(1) from None
    except WrongNameOrPassword:
        log.info("a log-in was refused", address=address)  # Not the name: some people type a password there.
        raise ProblemError(401, "wrong_name_or_password", "The name or the password is wrong.") from None


async def _follow(people: People, order_entry: OrderEntry, link: PasswordLink, body: LinkRequest) -> User:
    """Does what the link is for. Returns the user whose password it has set."""
    if link.user_id != FIRST_ADMIN:
        if body.name is not None:
            raise field_problem("validation_failed", "name", "is not allowed: the link is for one user")
        user = people.users.by_id.get(link.user_id)
        if user is None:
            raise ProblemError(404, "unknown_link", "The user of this link was removed.")
        return await _set_password(people, order_entry, caller(user), user.user_id, body.password)
    if body.name is None:
        raise field_problem("validation_failed", "name", "is required: the link makes the first administrator")
    return await add_user(people, order_entry, _BY_LINK, UserAdded(name=body.name, role="admin"), body.password)


async def add_user(people: People, order_entry: OrderEntry, key: ApiKey, user: UserAdded, password: str | None) -> User:
    """Journals a new user. Raises 409 `user_exists`."""
    if people.users.named(user.name) is not None:
        raise _user_exists()
    if password is not None:
        user = user.model_copy(update={"password_hash": await password_hash(people, password)})
    event = await order_entry.record(key, user)
    added = people.users.by_id.get(event.seq)
    if added is None:  # Another request was faster.
        raise _user_exists()
    return added


async def _set_password(people: People, order_entry: OrderEntry, key: ApiKey, user_id: int, password: str) -> User:
    """Journals another password of a user, whose sessions end by it. Raises 404 `unknown_user`."""
    changed = UserPasswordChanged(user_id=user_id, password_hash=await password_hash(people, password))
    await order_entry.record(key, changed)
    user = people.users.by_id.get(user_id)
    if user is None:
        raise unknown_user()
    return user


async def password_hash(people: People, password: str) -> str:
    """The hash of a new password. Raises 429 `too_many_log_ins`."""
    try:
        return await people.passwords.hash(password)
    except Busy:
        raise _too_many_log_ins(1) from None


def _too_many_log_ins(wait_s: float) -> ProblemError:
    """429: the name or the address has to wait, or as many passwords are being verified as may wait."""
    seconds = max(math.ceil(wait_s), 1)
    problem = ProblemError(429, "too_many_log_ins", f"Too many attempts to log in: try again in {seconds} s.")
    problem.retry_after_seconds = str(seconds)
    return problem


def unknown_user() -> ProblemError:
    """404: no user has this id."""
    return ProblemError(404, "unknown_user", "There is no such user, or it was removed.")


def _user_exists() -> ProblemError:
    return ProblemError(409, "user_exists", "name: another user has this name, apart from case and width.")


def begin_session(people: People, user: User, request: Request, response: Response) -> SessionReply:
    """Starts a session with a new secret, whatever secret the browser came with; that one's session ends."""
    _end(people, request, response)
    secret, session = people.sessions.start(user)
    response.headers["set-cookie"] = set_cookie(secret, behind_tls=people.behind_tls)
    log.info("logged in", user_id=user.user_id, role=user.role)
    return _reply(session.caller, session)


def _end(people: People, request: Request, response: Response) -> None:
    session: Session | None = request.scope.get(SESSION)
    if session is not None:
        people.sessions.end(session)
    if session_secret(dict(request.scope["headers"]), behind_tls=people.behind_tls):
        response.headers["set-cookie"] = set_cookie("", behind_tls=people.behind_tls)


def _reply(key: ApiKey | None, session: Session | None) -> SessionReply:
    if key is None:
        return NOBODY
    return SessionReply(
        name=key.name,
        role=session.role if session else None,
        scopes=sorted(key.scopes),  # type: ignore[arg-type]  # a key's scopes are Scope
        account=key.account,
        expires_at=time_text(session.ends_ns) if session else None,
    )
