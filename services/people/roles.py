"""The roles of people: the scopes of each, and whether it acts on an account. The one table; docs/security.md shows it."""

from __future__ import annotations

from collections.abc import Container
from typing import NamedTuple

from matching_engine.records import VENUE
from services.commands.attachments import Role, Scope
from services.venue_state.errors import BadField
from services.venue_state.keys import ApiKey
from services.venue_state.users import User


class Rights(NamedTuple):
    """What a role allows."""

    scopes: tuple[Scope, ...]
    trades: bool = False
    """Whether the user is bound to an account; the other roles are bound to none."""


RIGHTS: dict[Role, Rights] = {
    "visitor": Rights(("read",)),
    "trader": Rights(("read", "trade"), trades=True),
    "operator": Rights(("read", "operate")),
    "auditor": Rights(("read", "audit")),
    "admin": Rights(("read", "operate", "admin")),
}


def caller(user: User) -> ApiKey:
    """The user as a caller: with the rights of a key of the same scopes. The user's id stands in the journal as the actor."""
    return ApiKey(user.user_id, user.account, user.name, frozenset(RIGHTS[user.role].scopes))


def check_account(role: Role, account: int, accounts: Container[int]) -> None:
    """Raises BadField unless this account goes with the role."""
    if not RIGHTS[role].trades:
        if account:
            raise BadField("validation_failed", "account", f"must be 0: the role `{role}` is bound to no account")
    elif account == VENUE or not account:
        raise BadField("validation_failed", "account", "must be a member's account: the role `trader` acts on it")
    elif account not in accounts:
        raise BadField("unknown_account", "account", f"no account has the number {account}")
