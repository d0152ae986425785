"""Models of /v1/session and /v1/admin/users. No reply has a password or its hash."""

from __future__ import annotations

from typing import Annotated

from pydantic import ConfigDict, Field, StringConstraints

from services.commands.attachments import Role, Scope
from services.gateway.http.admin_schemas import AccountNumber
from services.gateway.schemas import Reply, Request, WithoutControl

UserName = Annotated[str, StringConstraints(min_length=1, max_length=80, pattern=r"^\S(.*\S)?$"), WithoutControl]
Password = Annotated[str, StringConstraints(min_length=1, max_length=256)]
NewPassword = Annotated[str, StringConstraints(min_length=12, max_length=256)]
_NEW = "12 to 256 characters, of any kind."


class LogInRequest(Request):
    """A log-in."""

    model_config = ConfigDict(
        json_schema_extra={"example": {"name": "wang.fang", "password": "a long sentence of yours"}}
    )

    name: UserName = Field(description="As an administrator entered it; case and width do not matter.")
    password: Password


class LinkRequest(Request):
    """The use of a one-time link."""

    model_config = ConfigDict(
        json_schema_extra={"example": {"token": "0aYbXw", "name": "li.na", "password": "a long sentence of mine"}}
    )

    token: Annotated[str, StringConstraints(min_length=1, max_length=100)] = Field(
        description="What follows `#` in the link."
    )
    name: UserName | None = Field(
        default=None, description="Of the first administrator: required for its link, not allowed otherwise."
    )
    password: NewPassword = Field(description=_NEW)


class OwnPasswordRequest(Request):
    """A new password of one's own."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {"password": "a long sentence of yours", "new_password": "quite another sentence"}
        }
    )

    password: Password = Field(description="The present one.")
    new_password: NewPassword = Field(description=_NEW)


class SessionReply(Reply):
    """Who sends the request."""

    name: str | None = Field(description="Of the user, or of the API key; null: nobody is logged in.")
    role: Role | None = Field(description="Of the user; null: nobody, or an API key.")
    scopes: list[Scope]
    account: int = Field(description="The account that it is bound to; 0: none.")
    expires_at: str | None = Field(description="When the session ends in any case; null without a session.")


class UserRequest(Request):
    """A new user."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {"name": "wang.fang", "role": "trader", "account": 2, "password": "a first sentence"}
        }
    )

    name: UserName
    role: Role
    account: AccountNumber = Field(default=0, description="The account of a trader; 0 for every other role.")
    password: NewPassword | None = Field(
        default=None, description=f"{_NEW} Absent: the user sets it by a one-time link."
    )


class RoleRequest(Request):
    """Another role of a user."""

    model_config = ConfigDict(json_schema_extra={"example": {"role": "auditor", "account": 0}})

    role: Role
    account: AccountNumber = Field(default=0, description="The account of a trader; 0 for every other role.")


class PasswordRequest(Request):
    """Another password of a user."""

    model_config = ConfigDict(json_schema_extra={"example": {"password": "a second long sentence"}})

    password: NewPassword = Field(description=_NEW)


class UserReply(Reply):
    """A user."""

    user_id: str = Field(description="Stands in the journal as the actor of what the user does.")
    name: str
    role: Role
    account: int
    has_password: bool = Field(description="False: a one-time link must be used first.")
    sessions: int = Field(description="How many sessions of the user this gateway has.")


class LinkReply(Reply):
    """A one-time link."""

    path: str = Field(description="To open in a browser, behind the venue's address. Shown only here.")
    valid_seconds: int
