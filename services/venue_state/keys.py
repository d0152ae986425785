"""API keys: the account a key is bound to, and its scopes."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from functools import lru_cache
from ipaddress import ip_address, ip_network
from typing import Any, NamedTuple

from services.commands.attachments import KeyIssued, KeyLimits, Scope
from services.venue_state.errors import NotAllowed

KEY_PREFIX = "rex_"

AUDITED: frozenset[str] = frozenset({"operate", "admin"})
"""What operators and administrators may read, a key with `audit` may read: every GET that needs one of these scopes."""


class ApiKey(NamedTuple):
    """A valid key. `account` 0: the key is bound to no account, as keys of operators are."""

    key_id: int
    account: int
    name: str
    scopes: frozenset[str]
    expires_ns: int = 0
    """From this time on it is refused; 0: never."""
    addresses: tuple[str, ...] = ()
    """The networks (CIDR) from which it may be used; empty: any."""
    limits: KeyLimits | None = None
    """Its rate limits; None: the venue's defaults."""
    issued_ns: int = 0
    issued_by: int = 0
    """The key_id of who issued it; 0: the venue itself."""

    @classmethod
    def issued(cls, key_id: int, text: KeyIssued, *, issued_ns: int, issued_by: int) -> ApiKey:
        """The key of a KeyIssued record."""
        return cls(
            key_id, text.account, text.name, frozenset(text.scopes), text.expires_ns, text.addresses, text.limits,
            issued_ns, issued_by,
        )  # fmt: skip

    @classmethod
    def from_columns(cls, columns: Mapping[Any, Any]) -> ApiKey:
        """The key of a row of the table `api_keys`."""
        limits = columns["limits"]
        return cls(
            columns["key_id"],
            columns["account"],
            columns["name"],
            frozenset(columns["scopes"].split()),
            columns["expires_ns"],
            tuple(columns["addresses"].split()),
            KeyLimits.model_validate_json(limits) if limits else None,
            columns["issued_ns"],
            columns["issued_by"],
        )

    def has_expired(self, now_ns: int) -> bool:
        """Whether it is refused because of its age."""
        return 0 < self.expires_ns <= now_ns

    def may_come_from(self, address: str) -> bool:
        """Whether it may be used from this IP address; an address that is none (a Unix socket) is in no network."""
        return not self.addresses or _is_in(address, self.addresses)

    def require(self, scope: Scope) -> None:
        """Raises NotAllowed unless the key has the scope."""
        if scope not in self.scopes:
            raise NotAllowed("scope_missing", f"This key or role may not do that: it lacks the scope `{scope}`.")

    def own_account(self) -> int:
        """The account of the key; raises NotAllowed for a key that is bound to no account."""
        if not self.account:
            raise NotAllowed("account_required", "This key is not bound to an account, and this acts on one.")
        return self.account

    def trading_account(self) -> int:
        """The account of a key with the scope `trade`; raises NotAllowed."""
        self.require("trade")
        return self.own_account()


@lru_cache(maxsize=4096)
def _is_in(address: str, networks: tuple[str, ...]) -> bool:
    try:
        found = ip_address(address)
    except ValueError:
        return False
    mapped = getattr(found, "ipv4_mapped", None)  # an IPv4 client of a socket that listens on both
    return any((mapped or found) in ip_network(network) for network in networks)


def new_secret() -> str:
    """A new secret: KEY_PREFIX and 32 random bytes in base64. The venue stores only its hash."""
    return KEY_PREFIX + secrets.token_urlsafe(32)


def key_hash(secret: str) -> bytes:
    """SHA-256 of a secret. A slow password hash is not needed: a secret has 256 random bits."""
    return hashlib.sha256(secret.encode()).digest()
