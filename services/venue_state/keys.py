"""API keys: the account a key is bound to, and its scopes."""

from __future__ import annotations

import hashlib
import secrets
from typing import NamedTuple

from services.commands.attachments import Scope
from services.venue_state.errors import NotAllowed

KEY_PREFIX = "rex_"


class ApiKey(NamedTuple):
    """A valid key. `account` 0: the key is bound to no account, as keys of operators are."""

    key_id: int
    account: int
    name: str
    scopes: frozenset[str]

    def require(self, scope: Scope) -> None:
        """Raises NotAllowed unless the key has the scope."""
        if scope not in self.scopes:
            raise NotAllowed("scope_missing", f"This key may not do that: it lacks the scope `{scope}`.")

    def own_account(self) -> int:
        """The account of the key; raises NotAllowed for a key that is bound to no account."""
        if not self.account:
            raise NotAllowed("account_required", "This key is not bound to an account, and this acts on one.")
        return self.account

    def trading_account(self) -> int:
        """The account of a key with the scope `trade`; raises NotAllowed."""
        self.require("trade")
        return self.own_account()


def new_secret() -> str:
    """A new secret: KEY_PREFIX and 32 random bytes in base64. The venue stores only its hash."""
    return KEY_PREFIX + secrets.token_urlsafe(32)


def key_hash(secret: str) -> bytes:
    """SHA-256 of a secret. A slow password hash is not needed: a secret has 256 random bits."""
    return hashlib.sha256(secret.encode()).digest()
