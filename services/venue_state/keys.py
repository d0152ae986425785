"""API keys: who asks, for which account, and what the key may do."""

from __future__ import annotations

import hashlib
import secrets
from typing import NamedTuple

from services.commands.attachments import Scope
from services.venue_state.errors import NotAllowed

KEY_PREFIX = "rex_"


class ApiKey(NamedTuple):
    """A key the venue knows. `account` 0: bound to none, as operators' keys are."""

    key_id: int
    account: int
    name: str
    scopes: frozenset[str]

    def require(self, scope: Scope) -> None:
        """Raises NotAllowed unless the key has the scope."""
        if scope not in self.scopes:
            raise NotAllowed("scope_missing", f"This key may not do that: it lacks the scope `{scope}`.")

    def own_account(self) -> int:
        """The account this key acts on; raises NotAllowed for a key that is bound to none."""
        if not self.account:
            raise NotAllowed("account_required", "This key is not bound to an account, and this acts on one.")
        return self.account

    def trading_account(self) -> int:
        """The account this key may trade on; raises NotAllowed."""
        self.require("trade")
        return self.own_account()


def new_secret() -> str:
    """32 random bytes as a key; the venue keeps only its hash."""
    return KEY_PREFIX + secrets.token_urlsafe(32)


def key_hash(secret: str) -> bytes:
    """SHA-256 of a secret: enough, because a secret is 256 random bits and not a password."""
    return hashlib.sha256(secret.encode()).digest()
