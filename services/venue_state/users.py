"""Users: the people who may log in to the venue, with their roles."""

from __future__ import annotations

import unicodedata
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from services.commands.attachments import Role, UserAdded, UserChange, UserPasswordChanged, UserRemoved, UserRoleChanged

UserListener = Callable[[int], None]
"""Called with the id of each user whose password or role changes, or who is removed, after the change."""


class User(NamedTuple):
    """A person who may log in. `password_hash` is empty until a password is set; `account` is 0 but for a trader."""

    user_id: int
    name: str
    role: Role
    account: int
    password_hash: str


REMEMBERED = 1_000
"""Of so many users who were removed is the name known: the log and the list of proposals show it."""


def login_name(name: str) -> str:
    """The form in which names are compared: NFKC without case, so that no two users' names look alike by width or case."""
    return unicodedata.normalize("NFKC", name).casefold()


class Users:
    """All users, by id and by `login_name`. A change of a user that does not exist changes nothing."""

    def __init__(self) -> None:
        self.by_id: dict[int, User] = {}
        self.names: dict[int, str] = {}
        """By id: of the users, and of the last REMEMBERED who were removed."""
        self._removed: deque[int] = deque()
        self._ids: dict[str, int] = {}
        self.listeners: list[UserListener] = []

    def named(self, name: str) -> User | None:
        """The user who logs in with this name."""
        return self.by_id.get(self._ids.get(login_name(name), 0))

    def has_admin(self) -> bool:
        """Whether any user is an administrator."""
        return any(user.role == "admin" for user in self.by_id.values())

    def apply(self, seq: int, change: UserChange) -> None:
        """Applies one change, recorded by the command seq."""
        if isinstance(change, UserAdded):
            if self.named(change.name) is None:
                self.by_id[seq] = User(seq, change.name, change.role, change.account, change.password_hash)
                self._ids[login_name(change.name)] = seq
                self.names[seq] = change.name
            return
        user = self.by_id.get(change.user_id)
        if user is None:
            return
        match change:
            case UserPasswordChanged(password_hash=password_hash):
                self.by_id[user.user_id] = user._replace(password_hash=password_hash)
            case UserRoleChanged(role=role, account=account):
                self.by_id[user.user_id] = user._replace(role=role, account=account)
            case UserRemoved():
                del self.by_id[user.user_id], self._ids[login_name(user.name)]
                self._removed.append(user.user_id)
                if len(self._removed) > REMEMBERED:
                    del self.names[self._removed.popleft()]
        for listener in self.listeners:
            listener(user.user_id)
