"""Everything about people that one process holds."""

from __future__ import annotations

import time
from collections.abc import Callable

from services.people.attempts import Attempts
from services.people.links import FIRST_ADMIN, Links
from services.people.passwords import Passwords
from services.people.sessions import Sessions
from services.venue_state.users import User, Users


class WrongNameOrPassword(Exception):
    """No user has this name, or the password is another one; it does not say which."""


class People:
    """Users, and their sessions, links, passwords and wrong attempts."""

    def __init__(
        self,
        users: Users,
        *,
        behind_tls: bool = False,
        passwords: Passwords | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`behind_tls`: browsers reach the venue by https only. `clock` counts seconds."""
        self.users = users
        self.behind_tls = behind_tls
        self.passwords = passwords or Passwords()
        self.attempts = Attempts(clock)
        self.sessions = Sessions(users, clock)
        self.links = Links(clock)
        users.listeners.append(self.links.end)

    async def proven(self, name: str, password: str, address: str) -> User:
        """The user of this name and password, entered at this address.

        Raises WrongNameOrPassword, TooSoon or Busy. A wrong password and an unknown name take the same time.
        """
        self.passwords.require_room()
        self.attempts.begin(name, address)
        user = self.users.named(name)
        right = await self.passwords.matches(user.password_hash if user else "", password)
        if not right or user is None or self.users.by_id.get(user.user_id) != user:  # changed meanwhile
            raise WrongNameOrPassword
        self.attempts.succeeded(name, address)
        return user

    def first_link(self) -> str | None:
        """The secret of the link that makes the first administrator; None if there is an administrator."""
        return None if self.users.has_admin() else self.links.make(FIRST_ADMIN)
