"""Models of requests and replies of /v1/admin/keys."""

from __future__ import annotations

from typing import Annotated, get_args

from pydantic import ConfigDict, Field, StringConstraints, WithJsonSchema

from services.commands.attachments import Scope
from services.gateway.http.admin_schemas import AccountNumber, Name
from services.gateway.schemas import Reply, Request, TimeText, WithoutControl

MOST_ADDRESSES = 64
Address = Annotated[
    str,
    StringConstraints(max_length=49),
    WithJsonSchema({"type": "string", "pattern": "^[0-9A-Fa-f.:]{2,45}(/[0-9]{1,3})?$", "maxLength": 49}),
]


class Rate(Request):
    """A rate limit: `burst` requests at once, and `per_s` more in each second."""

    per_s: int = Field(ge=0, le=1_000_000, description="Requests a second. 0: no limit.")
    burst: int = Field(ge=1, le=1_000_000, description="Requests at once, after a pause.")


class KeyRates(Request):
    """The rate limits of a key. An absent or null class has the venue's default."""

    orders: Rate | None = Field(default=None, description="Orders, amends, administrative commands.")
    cancels: Rate | None = Field(default=None, description="Cancels; a mass cancel counts as one.")
    reads: Rate | None = Field(default=None, description="Queries; over WebSockets subscriptions and pings.")


class KeyRequest(Request):
    """A new API key."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "name": "trading desk",
                "scopes": ["read", "trade"],
                "account": 2,
                "expires": "2100-01-01T00:00:00Z",
                "addresses": ["192.0.2.0/24", "2001:db8::7"],
                "limits": {"orders": {"per_s": 200, "burst": 1000}},
            }
        }
    )

    name: Name
    scopes: list[Scope] = Field(min_length=1, max_length=len(get_args(Scope)))
    account: AccountNumber = Field(
        default=0,
        description="The account that the key is bound to; 0: none. Required with `trade`, and not the venue's own (1); must "
        "be 0 with `operate`, `admin` or `audit`.",
    )
    expires: TimeText | None = Field(
        default=None, description="RFC 3339 with a zone, whole seconds, in the future. Absent: the key does not expire."
    )
    addresses: list[Address] = Field(
        default=[],
        max_length=MOST_ADDRESSES,
        description="IP addresses and networks (CIDR) from which the key may be used. Empty: any.",
    )
    limits: KeyRates | None = Field(default=None, description="Absent: the venue's defaults.")


class KeyLimitsRequest(KeyRates):
    """All rate limits of a key. An absent or null class has the venue's default."""

    model_config = ConfigDict(
        json_schema_extra={"example": {"orders": {"per_s": 200, "burst": 1000}, "reason": "market maker agreement"}}
    )

    reason: Annotated[str, StringConstraints(max_length=500), WithoutControl] = Field(
        default="", description="Why. Recorded in the journal."
    )


class KeyLimitsReply(Reply):
    """The rate limits that hold for a key."""

    orders: Rate
    cancels: Rate
    reads: Rate


class KeyIssuedReply(Reply):
    """The new API key."""

    key_id: str
    key: str = Field(description="The secret. Shown only here; the venue stores its SHA-256.")
    account: int
    name: str
    scopes: list[Scope]
    seq: int
    expires: str | None
    addresses: list[str]
    limits: KeyLimitsReply = Field(description="Its own, and the venue's defaults for the classes without.")


class Key(Reply):
    """A valid or expired API key. Its secret is shown nowhere."""

    key_id: str
    name: str
    account: int = Field(description="0: none.")
    scopes: list[Scope]
    expires: str | None = Field(description="null: it does not expire.")
    is_expired: bool
    addresses: list[str] = Field(description="Networks from which it may be used; empty: any.")
    limits: KeyLimitsReply = Field(description="Its own, and the venue's defaults for the classes without.")
    issued_at: str
    issued_by: str | None = Field(
        description="The key_id of who issued it; null: the venue itself, at its first start."
    )
    last_used_at: str | None = Field(
        description="By this process, since its start; null: not used since. Each gateway knows its own."
    )


class KeysPage(Reply):
    """A page of keys, newest first."""

    keys: list[Key]
    next_cursor: str | None
