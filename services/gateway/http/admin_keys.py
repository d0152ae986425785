"""API keys over HTTP: list, issue, set limits, revoke. Scope: `admin`."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import ip_network
from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from matching_engine.records import VENUE
from services.commands.attachments import KeyIssued, KeyLimits, KeyLimitsSet, KeyRevoked, RateLimit
from services.gateway.cursors import Cursors
from services.gateway.http.admin_schemas import Applied
from services.gateway.http.caller import Caller
from services.gateway.http.key_schemas import (
    KeyIssuedReply,
    KeyLimitsReply,
    KeyLimitsRequest,
    KeyRates,
    KeyRequest,
    KeysPage,
)
from services.gateway.http.paging import Cursor, Limit
from services.gateway.http.proposal_schemas import PROPOSED
from services.gateway.ids import KEY_IDS
from services.gateway.limits.rate_class import KEY_CLASSES
from services.gateway.limits.rate_limits import RateLimits
from services.gateway.order_entry.order_command import time_s
from services.gateway.order_entry.order_entry import OrderEntry
from services.gateway.problems import field_problem
from services.gateway.schemas import IdText
from services.values.times import second_text, time_text
from services.venue_state.keys import ApiKey, key_hash, new_secret
from services.venue_state.state import VenueState

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
            limits=KeyLimitsReply.model_validate(limits.of(issued.limits).model_dump()),
        )

    @router.put("/keys/{key_id}/limits", tags=_TAGS, summary="Set the rate limits of an API key", responses=PROPOSED)
    async def set_key_limits(key: Caller, key_id: IdText, body: KeyLimitsRequest) -> Applied:
        limits_set = KeyLimitsSet(key_id=_valid_id(key_id, state), limits=_limits(body), reason=body.reason)
        return Applied.by(await order_entry.record(key, limits_set))

    @router.delete("/keys/{key_id}", tags=_TAGS, summary="Revoke an API key")
    async def revoke_key(key: Caller, key_id: IdText) -> Applied:
        revoked = KeyRevoked(key_id=_valid_id(key_id, state))
        return Applied.by(await order_entry.record(key, revoked))


def _add_list(router: APIRouter, state: VenueState, limits: RateLimits, clock: Callable[[], int]) -> None:
    def key_json(key: ApiKey, now_ns: int) -> dict[str, Any]:
        idle_ns = limits.idle_ns(key.key_id)
        return {
            "key_id": str(key.key_id),
            "name": key.name,
            "account": key.account,
            "scopes": sorted(key.scopes),
            "expires": _expires_text(key.expires_ns),
            "is_expired": key.has_expired(now_ns),
            "addresses": list(key.addresses),
            "limits": limits.of(key.limits).model_dump(),
            "issued_at": time_text(key.issued_ns),
            "issued_by": str(key.issued_by) if key.issued_by else None,
            "last_used_at": None if idle_ns is None else time_text(now_ns - idle_ns),
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
