"""Sessions: who is logged in. They are in the memory of one process; a restart ends all of them.

A session is 32 random bytes, of which only the SHA-256 is kept. It ends by log-out, at its idle or absolute end, and at once
when its user's password or role changes or the user is removed; its WebSockets are then closed.
"""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Callable

from services.commands.attachments import Role
from services.people.roles import caller
from services.venue_state.keys import ApiKey
from services.venue_state.users import User, Users

SESSION_PREFIX = "rexs_"
"""Begins every session's secret, as KEY_PREFIX begins that of an API key."""
IDLE_S = 30 * 60.0
"""A session without a request or an open WebSocket ends after this time."""
ABSOLUTE_S = 12 * 3600.0
"""A session ends after this time in any case."""
OF_ONE_USER = 16
"""A further log-in of the same user ends the session that is idle for the longest time; where all are in use, the oldest."""


class Session:
    """One log-in of one user."""

    def __init__(self, user: User, digest: bytes, clock: Callable[[], float]) -> None:
        self._clock = clock
        self.caller: ApiKey = caller(user)
        self.role: Role = user.role
        self.digest = digest
        self._started = self._used = clock()
        self.ends_ns = time.time_ns() + int(ABSOLUTE_S * 1e9)
        """When it ends in any case, nanoseconds since 1970: for people. `most_seconds_left` decides."""
        self.on_end: set[Callable[[], None]] = set()
        """Called when the session ends: each closes a WebSocket."""

    def use(self) -> None:
        """Begins the idle time anew."""
        self._used = self._clock()

    def seconds_left(self) -> float:
        """Until it ends if it is not used. An open WebSocket uses it."""
        idle_s = 0.0 if self.on_end else self._clock() - self._used
        return min(self.most_seconds_left(), IDLE_S - idle_s)

    def most_seconds_left(self) -> float:
        """Until it ends in any case."""
        return self._started + ABSOLUTE_S - self._clock()


class Sessions:
    """All sessions of this process."""

    def __init__(self, users: Users, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock` counts seconds."""
        self._clock = clock
        self._by_digest: dict[bytes, Session] = {}
        self._of_user: dict[int, list[Session]] = {}
        users.listeners.append(self.end_all)

    def start(self, user: User) -> tuple[str, Session]:
        """A new session, and its secret, which only the browser keeps."""
        secret = SESSION_PREFIX + secrets.token_urlsafe(32)
        session = Session(user, _digest(secret), self._clock)
        self._by_digest[session.digest] = session
        own = self._of_user.setdefault(user.user_id, [])
        own.append(session)
        if len(own) > OF_ONE_USER:
            self.end(min(own[:-1], key=Session.seconds_left))
        return secret, session

    def find(self, secret: str) -> Session | None:
        """The session with this secret, which is used by that; None where there is none, or none any more."""
        session = self._by_digest.get(_digest(secret))
        if session is None:
            return None
        if session.seconds_left() <= 0:
            self.end(session)
            return None
        session.use()
        return session

    def count(self, user_id: int) -> int:
        """How many sessions a user has."""
        return sum(session.seconds_left() > 0 for session in self._of_user.get(user_id, ()))

    def open(self) -> int:
        """How many sessions there are."""
        return sum(session.seconds_left() > 0 for session in self._by_digest.values())

    def end(self, session: Session) -> None:
        """Ends a session; closes its WebSockets."""
        if self._by_digest.pop(session.digest, None) is None:
            return
        user_id = session.caller.key_id
        self._of_user[user_id].remove(session)
        if not self._of_user[user_id]:
            del self._of_user[user_id]
        for close in tuple(session.on_end):
            close()

    def end_all(self, user_id: int) -> None:
        """Ends every session of a user."""
        for session in tuple(self._of_user.get(user_id, ())):
            self.end(session)


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()
