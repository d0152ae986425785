"""/v1/admin/users: the people who may log in. Each change is a journaled command. Scope: `admin`."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import Field

from services.commands.attachments import (
    Role,
    UserAdded,
    UserLinkMade,
    UserPasswordChanged,
    UserRemoved,
    UserRoleChanged,
)
from services.gateway.http.act_schemas import AccountNumber, Applied
from services.gateway.http.caller import Caller, needs
from services.gateway.http.session import NEW_PASSWORD, NewPassword, UserName, add_user, password_hash, unknown_user
from services.gateway.ids import id_number
from services.gateway.order_entry.order_entry import OrderEntry
from services.gateway.schemas import IdText, NextCursor, Reply, Request, example
from services.people.links import LINK_S
from services.people.people import People
from services.people.roles import check_account
from services.values.cursors import Cursors
from services.values.page_parameters import Cursor, Limit
from services.venue_state.state import VenueState
from services.venue_state.users import User

FIRST_PAGE, PASSWORD_PAGE = "/first", "/new-password"
"""The pages on which one-time links are used. The secret stands behind `#`: browsers send that to no server."""

_CURSORS = Cursors("users")


class UserRequest(Request):
    """A new user."""

    model_config = example(name="wang.fang", role="trader", account=2, password="a first sentence")

    name: UserName
    role: Role
    account: AccountNumber = Field(default=0, description="The account of a trader; 0 for every other role.")
    password: NewPassword | None = Field(
        default=None, description=f"{NEW_PASSWORD} Absent: the user sets it by a one-time link."
    )


class RoleRequest(Request):
    """Another role of a user."""

    model_config = example(role="auditor", account=0)

    role: Role
    account: AccountNumber = Field(default=0, description="The account of a trader; 0 for every other role.")


class PasswordRequest(Request):
    """Another password of a user."""

    model_config = example(password="a second long sentence")

    password: NewPassword = Field(description=NEW_PASSWORD)


class UserReply(Reply):
    """A user."""

    user_id: str = Field(description="Stands in the journal as the actor of what the user does.")
    name: str
    role: Role
    account: int
    has_password: bool = Field(description="False: a one-time link must be used first.")
    sessions: int = Field(description="How many sessions of the user this gateway has.")


class UsersPage(Reply):
    """A page of users, oldest first."""

    users: list[UserReply]
    next_cursor: NextCursor


class LinkReply(Reply):
    """A one-time link."""

    path: str = Field(description="To open in a browser, behind the venue's address. Shown only here.")
    valid_seconds: int


def first_path(secret: str) -> str:
    """The link that makes the first administrator, without the venue's address."""
    return f"{FIRST_PAGE}#{secret}"


def routes(state: VenueState, people: People, order_entry: OrderEntry) -> APIRouter:
    """/v1/admin/users."""
    router = APIRouter(prefix="/v1/admin/users", tags=["people"], dependencies=[needs("admin")])

    def known(user_id: str) -> User:
        user = people.users.by_id.get(id_number(user_id) or 0)
        if user is None:
            raise unknown_user()
        return user

    @router.get("", summary="List the users, oldest first")
    async def list_users(limit: Limit = 100, cursor: Cursor = None) -> UsersPage:
        users = people.users.by_id
        ids, following = _CURSORS.page(users, limit, cursor)
        return UsersPage(users=[_reply(users[user_id], people) for user_id in ids], next_cursor=following)

    @router.post("", status_code=201, summary="Add a user")
    async def add(key: Caller, body: UserRequest) -> UserReply:
        check_account(body.role, body.account, state.accounts)
        user = UserAdded(name=body.name, role=body.role, account=body.account)
        return _reply(await add_user(people, order_entry, key, user, body.password), people)

    @router.put("/{user_id}/role", summary="Change a user's role; their sessions end")
    async def change_role(key: Caller, user_id: IdText, body: RoleRequest) -> Applied:
        check_account(body.role, body.account, state.accounts)
        changed = UserRoleChanged(user_id=known(user_id).user_id, role=body.role, account=body.account)
        return Applied.by(await order_entry.record(key, changed))

    @router.put("/{user_id}/password", summary="Change a user's password; their sessions end")
    async def change_password(key: Caller, user_id: IdText, body: PasswordRequest) -> Applied:
        number = known(user_id).user_id
        changed = UserPasswordChanged(user_id=number, password_hash=await password_hash(people, body.password))
        return Applied.by(await order_entry.record(key, changed))

    @router.post("/{user_id}/link", status_code=201, summary="Make a one-time link to a new password")
    async def make_link(key: Caller, user_id: IdText) -> LinkReply:
        made = UserLinkMade(user_id=known(user_id).user_id)
        await order_entry.record(key, made)
        secret = people.links.make(known(user_id).user_id)
        return LinkReply(path=f"{PASSWORD_PAGE}#{secret}", valid_seconds=int(LINK_S))

    @router.delete("/{user_id}", summary="Remove a user; their sessions end")
    async def remove(key: Caller, user_id: IdText) -> Applied:
        removed = UserRemoved(user_id=known(user_id).user_id)
        return Applied.by(await order_entry.record(key, removed))

    return router


def _reply(user: User, people: People) -> UserReply:
    return UserReply(
        user_id=str(user.user_id),
        name=user.name,
        role=user.role,
        account=user.account,
        has_password=bool(user.password_hash),
        sessions=people.sessions.count(user.user_id),
    )
