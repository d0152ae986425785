"""One-time links: whoever opens one sets a password with it, once, until it ends.

A link is 32 random bytes, of which only the SHA-256 is kept, in the memory of this process: a restart ends it.
"""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Callable
from typing import NamedTuple

LINK_S = 24 * 3600.0
"""How long a link is valid."""
FIRST_ADMIN = 0
"""Stands for a user's id in the link that makes the first administrator."""


class PasswordLink(NamedTuple):
    """Whose password may be set, and until when by the clock of `Links`."""

    user_id: int
    ends: float


class Links:
    """The links that are valid, at most one for each user."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock` counts seconds."""
        self._clock = clock
        self._links: dict[bytes, PasswordLink] = {}

    def make(self, user_id: int) -> str:
        """The secret of a new link for the user, or for FIRST_ADMIN; it replaces the one before."""
        self.end(user_id)
        secret = secrets.token_urlsafe(32)
        self._links[_digest(secret)] = PasswordLink(user_id, self._clock() + LINK_S)
        return secret

    def end(self, user_id: int) -> None:
        """Ends the user's link, if there is one."""
        self._links = {digest: link for digest, link in self._links.items() if link.user_id != user_id}

    def take(self, secret: str) -> PasswordLink | None:
        """The link with this secret, which is used up by that; None where there is none, or none any more."""
        link = self._links.pop(_digest(secret), None)
        return link if link is not None and link.ends > self._clock() else None

    def put_back(self, secret: str, link: PasswordLink) -> None:
        """Undoes `take`: the venue could not record what the link was used for."""
        self._links[_digest(secret)] = link


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()
