"""Pools that grow: where they stand, and what they keep."""

from __future__ import annotations

import mmap
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from matching_engine import pools

pytestmark = pytest.mark.skipif(not pools.NATIVE, reason="plain Python keeps its rows in lists")

WORDS = np.dtype("u8")


def grown(pool: Any, kept: int, count: int) -> Any:
    """As the engine grows a pool: Cython's view of an array has the array as its base."""
    return pools.grown(SimpleNamespace(base=pool), kept, count)  # type: ignore[arg-type]


@pytest.mark.skipif(not pools.RESERVES, reason="address space is memory here")
def test_up_to_what_was_reserved_a_pool_grows_where_it_stands() -> None:
    pool = pools.blank(1_000, WORDS, 1_000_000)
    pool[:] = np.arange(1_000)
    longer = grown(pool, 1_000, 1_000_000)
    assert np.shares_memory(pool, longer)
    assert longer[:1_000].tolist() == list(range(1_000))
    assert len(longer) == 1_000_000
    assert not longer[1_000:].any()


def test_beyond_what_was_reserved_it_is_copied_as_far_as_it_is_kept() -> None:
    pool = pools.blank(1_000, WORDS, 2_000)
    pool[:] = np.arange(1_000) + 1
    longer = grown(pool, 600, 1_000_000)
    assert not np.shares_memory(pool, longer)
    assert longer[:600].tolist() == list(range(1, 601))
    assert not longer[600:].any()


def test_a_system_that_refuses_to_reserve_gives_what_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    real = mmap.mmap

    def at_most_a_megabyte(fileno: int, length: int, **options: Any) -> mmap.mmap:
        if length > 2**20:
            raise OSError("not so much")
        return real(fileno, length, **options)

    monkeypatch.setattr(mmap, "mmap", at_most_a_megabyte)
    pool = pools.blank(1_000, WORDS, 2**40)
    assert pool.tolist() == [0] * 1_000
    with pytest.raises(MemoryError, match="no memory for 1000000 rows of 8 bytes"):
        grown(pool, 1_000, 1_000_000)
    assert pool.tolist() == [0] * 1_000
