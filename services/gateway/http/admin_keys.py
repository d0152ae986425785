"""API keys over HTTP: list, issue, set limits, revoke. Scope: `admin`."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import ip_network
from typing import Annotated, Any, get_args

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from pydantic import Field, StringConstraints, WithJsonSchema

from matching_engine.records import VENUE
from services.commands.attachments import KeyIssued, KeyLimits, KeyLimitsSet, KeyRevoked, RateLimit, Scope
from services.gateway.http.act_schemas import PROPOSED, AccountNumber, Applied, Name
from services.gateway.http.caller import Caller
from services.gateway.ids import KEY_IDS
from services.gateway.limits.rate_class import KEY_CLASSES
from services.gateway.limits.rate_limits import RateLimits
from services.gateway.order_entry.order_command import time_s
from services.gateway.order_entry.order_entry import OrderEntry
from services.gateway.problems import field_problem
from services.gateway.schemas import IdText, Reply, Request, TimeText, WithoutControl, example
from services.values.cursors import Cursors
from services.values.page_parameters import Cursor, Limit
from services.values.times import second_text, time_text
from services.venue_state.keys import ApiKey, key_hash, new_secret
from services.venue_state.state import VenueState

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

    model_config = example(
        name="trading desk",
        scopes=["read", "trade"],
        account=2,
        expires="2100-01-01T00:00:00Z",
        addresses=["192.0.2.0/24", "2001:db8::7"],
        limits={"orders": {"per_s": 200, "burst": 1000}},
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

    model_config = example(orders={"per_s": 200, "burst": 1000}, reason="market maker agreement")

    reason: Annotated[str, StringConstraints(max_length=500), WithoutControl] = Field(
        default="", description="Why. Recorded in the journal."
    )


class HeldRate(Reply):
    """A rate limit that holds for a key."""

    per_s: int = Field(description="Requests a second. 0: no limit.")
    burst: int = Field(description="Requests at once, after a pause.")
    own: bool = Field(description="Whether it was set for this key; false: the venue's default.")


class KeyLimitsReply(Reply):
    """The rate limits that hold for a key: its own, and the venue's defaults for the classes without."""

    orders: HeldRate
    cancels: HeldRate
    reads: HeldRate


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
    limits: KeyLimitsReply


class Key(Reply):
    """A valid or expired API key. Its secret is shown nowhere."""

    key_id: str
    name: str
    account: int = Field(description="0: none.")
    scopes: list[Scope]
    expires: str | None = Field(description="null: it does not expire.")
    is_expired: bool
    addresses: list[str] = Field(description="Networks from which it may be used; empty: any.")
    limits: KeyLimitsReply
    issued_at: str
    issued_by: str | None = Field(
        description="The key_id of who issued it; null: the venue itself, at its first start."
    )
    last_used_at: str | None = Field(
        description="null: this process knows of no use. A venue in one process remembers uses over a restart, but for those "
        "of the last minute before a kill; of the scaled mode each gateway knows its own, since its start."
    )


class KeysPage(Reply):
    """A page of keys, newest first."""

    keys: list[Key]
    next_cursor: str | None


_TAGS: list[Any] = ["admin: keys"]
_SECOND_NS = 10**9
_CURSORS = Cursors("keys")


def add_key_routes(
    router: APIRouter, state: VenueState, order_entry: OrderEntry, limits: RateLimits, clock: Callable[[], int]
) -> None:
    """/v1/admin/keys. `clock` is the venue's wall clock, in nanoseconds."""
    _add_list(router, state, limits, clock)

    @router.post("/keys", status_code=201, tags=_TAGS, summary="Issue an API key")
    async def issue_key(key: Caller, body: KeyRequest) -> KeyIssuedReply:
        _check_binding(body, state)
        secret = new_secret()
        issued = KeyIssued(
            key_hash=key_hash(secret).hex(),
            account=body.account,
            name=body.name,
            scopes=tuple(dict.fromkeys(body.scopes)),
            expires_ns=_expires_ns(body, clock()),
            addresses=_networks(body),
            limits=_limits(body.limits) if body.limits else None,
        )
        event = await order_entry.record(key, issued, repeatable=False)
        return KeyIssuedReply(
            key_id=str(event.seq),
            key=secret,
            account=issued.account,
            name=issued.name,
            scopes=list(issued.scopes),
            seq=event.seq,
            expires=_expires_text(issued.expires_ns),
            addresses=list(issued.addresses),
            limits=KeyLimitsReply.model_validate(limits.shown(issued.limits)),
        )

    @router.put("/keys/{key_id}/limits", tags=_TAGS, summary="Set the rate limits of an API key", responses=PROPOSED)
    async def set_key_limits(key: Caller, key_id: IdText, body: KeyLimitsRequest) -> Applied:
        limits_set = KeyLimitsSet(key_id=_valid_id(key_id, state), limits=_limits(body), reason=body.reason)
        return Applied.by(await order_entry.record(key, limits_set))

    @router.delete("/keys/{key_id}", tags=_TAGS, summary="Revoke an API key")
    async def revoke_key(key: Caller, key_id: IdText) -> Applied:
        number = KEY_IDS.number(key_id) if order_entry.is_repeat() else _valid_id(key_id, state)
        return Applied.by(await order_entry.record(key, KeyRevoked(key_id=number)))


def _add_list(router: APIRouter, state: VenueState, limits: RateLimits, clock: Callable[[], int]) -> None:
    def key_json(key: ApiKey, now_ns: int) -> dict[str, Any]:
        used_ns = limits.last_used_ns(key.key_id, now_ns)
        return {
            "key_id": str(key.key_id),
            "name": key.name,
            "account": key.account,
            "scopes": sorted(key.scopes),
            "expires": _expires_text(key.expires_ns),
            "is_expired": key.has_expired(now_ns),
            "addresses": list(key.addresses),
            "limits": limits.shown(key.limits),
            "issued_at": time_text(key.issued_ns),
            "issued_by": str(key.issued_by) if key.issued_by else None,
            "last_used_at": None if used_ns is None else time_text(used_ns),
        }

    @router.get(
        "/keys", response_model=KeysPage, tags=_TAGS, summary="List the API keys that are not revoked, newest first"
    )
    async def list_keys(limit: Limit = 100, cursor: Cursor = None) -> JSONResponse:
        before_id, now_ns = _CURSORS.id_of(cursor), clock()
        ids = sorted((key_id for key_id in state.key_hashes if key_id < before_id), reverse=True)[:limit]
        page = [key_json(key, now_ns) for key_id in ids if (key := state.key(key_id)) is not None]
        return JSONResponse({"keys": page, "next_cursor": _CURSORS.text(ids[-1]) if len(ids) == limit else None})


def _valid_id(text: str, state: VenueState) -> int:
    key_id = KEY_IDS.number(text)
    if key_id not in state.key_hashes:
        raise KEY_IDS.unknown()
    return key_id


def _check_binding(body: KeyRequest, state: VenueState) -> None:
    if body.account and body.account not in state.accounts:
        raise field_problem("unknown_account", "account", f"no account has the number {body.account}")
    if "trade" in body.scopes and not body.account:
        raise field_problem("validation_failed", "account", "must not be 0: a key with `trade` is bound to an account")
    if "trade" in body.scopes and body.account == VENUE:
        raise field_problem("validation_failed", "account", "must not be the venue's own account, which does not trade")
    if body.account and ({"operate", "admin", "audit"} & set(body.scopes)):
        message = "must be 0: a key with `operate`, `admin` or `audit` is bound to no account"
        raise field_problem("validation_failed", "account", message)


def _expires_ns(body: KeyRequest, now_ns: int) -> int:
    if body.expires is None:
        return 0
    expires_ns = time_s(body.expires, "expires") * _SECOND_NS
    if expires_ns <= now_ns:
        raise field_problem("invalid_expiry", "expires", "must be in the future")
    return expires_ns


def _expires_text(expires_ns: int) -> str | None:
    return second_text(expires_ns // _SECOND_NS) if expires_ns else None


def _networks(body: KeyRequest) -> tuple[str, ...]:
    networks = []
    for index, text in enumerate(body.addresses):
        try:
            networks.append(str(ip_network(text)))
        except ValueError as error:
            field = f"addresses.{index}"
            raise field_problem("validation_failed", field, f"is no IP address or network: {error}") from None
    return tuple(dict.fromkeys(networks))


def _limits(body: KeyRates) -> KeyLimits:
    rates = {name: getattr(body, name) for name in KEY_CLASSES}
    return KeyLimits(**{name: RateLimit(**rate.model_dump()) for name, rate in rates.items() if rate is not None})
