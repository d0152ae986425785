from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator

import pytest
from argon2 import PasswordHasher, extract_parameters
from argon2.low_level import Type

from services.people.passwords import AT_ONCE, LANES, MEMORY_KIB, TIME_COST, WAITING, Busy, Passwords
from tests.patience import PATIENCE_S

pytestmark = pytest.mark.anyio

PASSWORD = "a password of the test's own"


class CountedHasher(PasswordHasher):
    """Counts how many hashes are computed at the same time; each waits until the test lets it go."""

    def __init__(self) -> None:
        super().__init__(time_cost=1, memory_cost=8, parallelism=1)
        self.go = threading.Event()
        self.running = self.most = self.total = 0
        self.threads: set[int] = set()
        self._lock = threading.Lock()

    def hash(self, password: str | bytes, *, salt: bytes | None = None) -> str:
        with self._lock:
            self.running, self.total = self.running + 1, self.total + 1
            self.most = max(self.most, self.running)
            self.threads.add(threading.get_ident())
        assert self.go.wait(PATIENCE_S)
        with self._lock:
            self.running -= 1
        return super().hash(password, salt=salt)


@pytest.fixture
def hasher() -> Iterator[CountedHasher]:
    counted = CountedHasher()
    yield counted
    counted.go.set()


async def test_the_hash_is_argon2id_with_the_parameters_that_the_documents_name() -> None:
    passwords = Passwords()
    hashed = await passwords.hash(PASSWORD)
    found = extract_parameters(hashed)
    assert (found.type, found.memory_cost, found.time_cost, found.parallelism) == (
        Type.ID,
        MEMORY_KIB,
        TIME_COST,
        LANES,
    )
    assert (MEMORY_KIB, TIME_COST, LANES) == (64 * 1024, 3, 1)  # RFC 9106, section 4, second option, but for the lanes
    assert (found.salt_len, found.hash_len) == (16, 32)
    assert await passwords.matches(hashed, PASSWORD)
    assert not await passwords.matches(hashed, PASSWORD + ".")


async def test_nobody_has_a_password_where_none_is_set() -> None:
    passwords = Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    assert not await passwords.matches("", "")
    assert not await passwords.matches("", PASSWORD)


async def test_both_forms_of_an_accent_are_the_same_password() -> None:
    passwords = Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    assert await passwords.matches(await passwords.hash("caf\u00e9 au lait"), "cafe\u0301 au lait")


async def test_a_flood_of_log_ins_computes_few_hashes_at_once_beside_the_loop(hasher: CountedHasher) -> None:
    passwords = Passwords(hasher)
    flood = [asyncio.ensure_future(passwords.hash(PASSWORD)) for _ in range(200)]
    refused = list(asyncio.as_completed(flood[AT_ONCE + WAITING :]))
    for task in refused:  # The loop answers these while every thread is taken.
        with pytest.raises(Busy):
            await task
    assert not any(task.done() for task in flood[: AT_ONCE + WAITING])
    hasher.go.set()
    await asyncio.gather(*flood[: AT_ONCE + WAITING])
    assert (hasher.most, hasher.total) == (AT_ONCE, AT_ONCE + WAITING)
    assert threading.get_ident() not in hasher.threads
    await passwords.hash(PASSWORD)  # there is room again


async def test_a_client_that_leaves_frees_no_thread(hasher: CountedHasher) -> None:
    passwords = Passwords(hasher)
    leavers = [asyncio.ensure_future(passwords.hash(PASSWORD)) for _ in range(AT_ONCE + WAITING)]
    await asyncio.sleep(0)
    for task in leavers:
        task.cancel()
    await asyncio.gather(*leavers, return_exceptions=True)
    with pytest.raises(Busy):
        passwords.require_room()
