"""Passwords: Argon2id (RFC 9106), computed in threads of their own, few at once.

A hash takes 64 MiB and tens of milliseconds of a processor, on purpose. It never runs in the event loop, and releases the
interpreter's lock. A flood of log-ins costs AT_ONCE × 64 MiB and AT_ONCE threads of low priority, and no more.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import sys
import threading
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError

from services.processes.own_process import NICENESS

MEMORY_KIB = 64 * 1024
TIME_COST = 3
LANES = 1
"""The memory and passes of RFC 9106's second recommended option; one lane, because a second one is a second thread."""
AT_ONCE = 2
"""How many hashes are computed at once."""
WAITING = 16
"""How many more may wait for a thread; a further one is refused."""


T = TypeVar("T")


class Busy(Exception):
    """As many hashes are wanted as may wait; nothing was computed."""


class Passwords:
    """Makes and verifies password hashes."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher(time_cost=TIME_COST, memory_cost=MEMORY_KIB, parallelism=LANES)
        self._threads = ThreadPoolExecutor(AT_ONCE, "password", initializer=_stand_back)
        self._wanted = 0
        self._nobodys = ""
        """The hash against which the password of an unknown name is verified, so that its answer takes as long as another."""

    def require_room(self) -> None:
        """Raises Busy where a further hash would have to be refused."""
        if self._wanted >= AT_ONCE + WAITING:
            raise Busy

    async def hash(self, password: str) -> str:
        """The text of a new hash, with its parameters and a random salt. Raises Busy."""
        return await self._compute(lambda: self._hasher.hash(_prepared(password)))

    async def matches(self, password_hash: str, password: str) -> bool:
        """Whether the password is that of the hash; never of an empty hash, but after the same time. Raises Busy."""
        same = await self._compute(lambda: self._is_of(password_hash, password))
        return same and bool(password_hash)

    def _is_of(self, password_hash: str, password: str) -> bool:
        if not self._nobodys:  # at the first log-in, whatever its name
            self._nobodys = self._hasher.hash(secrets.token_urlsafe(32))
        try:
            return self._hasher.verify(password_hash or self._nobodys, _prepared(password))
        except VerificationError:
            return False

    async def _compute(self, work: Callable[[], T]) -> T:
        self.require_room()
        self._wanted += 1
        computed = asyncio.get_running_loop().run_in_executor(self._threads, work)
        computed.add_done_callback(self._computed)
        return await asyncio.shield(computed)  # A client that leaves frees no thread.

    def _computed(self, computed: asyncio.Future[T]) -> None:
        self._wanted -= 1
        if not computed.cancelled():
            computed.exception()  # marks it as seen


def _prepared(password: str) -> str:
    """NFC, so that a password is the same from every keyboard (NIST SP 800-63B, 3.1.1.2)."""
    return unicodedata.normalize("NFC", password)


def _stand_back() -> None:
    """Lowers the priority of this thread; elsewhere than on Linux that would lower the whole process's."""
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
