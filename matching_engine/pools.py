"""Pools: rows of integers that refer to each other by number. C structs when compiled, small objects when not.

Row 0 of a pool is never used, so the number 0 (`NIL`) means "none". A pool of zeros is a pool of blank rows: a new pool takes
no time, and memory only where rows are written.
"""

from __future__ import annotations

import mmap
import weakref
from collections.abc import Callable
from enum import Enum
from types import SimpleNamespace
from typing import Any, TypeVar, cast

import cython
import numpy as np

from matching_engine.records import layout

NATIVE: bool = cython.compiled

LARGE_BYTES = 32 * 2**20
"""A pool of this size asks for huge pages (2 MiB): the kernel then handles one page fault instead of 512."""

RESERVES = hasattr(mmap, "MAP_PRIVATE")
"""Whether a pool reserves address space. It takes no memory until it is written; Windows would count it, and so does Linux with
`vm.overcommit_memory=2`."""

LENT_BYTES = 64 * 2**10
"""Fewer bytes are copied: that takes less time than lending them."""

FIRST_ORDERS = 16_384 if cython.compiled else 1
FIRST_PAGES = 2_048 if cython.compiled else 1
"""Orders and price pages that a new book has room for. Compiled, they cost nothing until they are used."""

MOST_ORDERS = 2**20
MOST_EVENTS = 2**22
"""Address space is reserved for so many rows: up to there these pools grow without being copied."""

if not cython.compiled:  # when compiled, these stand in the .pxd
    NIL = 0
    ONE = 1
    WORD = 0xFFFF_FFFF_FFFF_FFFF

    def lowest_bit(bits: int) -> int:
        """The number of the lowest bit set; `bits` must not be 0."""
        return (bits & -bits).bit_length() - 1

    def prefetch(row: object) -> None:
        """In C, prefetches the cache line of a row; here, does nothing."""

    def is_integer(value: object) -> bool:
        """Whether a value is an int or can be used as one. A float is not: C would truncate it."""
        return hasattr(value, "__index__")

    AnyEnum = TypeVar("AnyEnum", bound=Enum)

    def codes(kind: type[AnyEnum]) -> type[AnyEnum]:
        """An enum's codes as plain numbers under the same names: a member of an enum takes several times as long to read."""
        return cast("type[AnyEnum]", SimpleNamespace(**{member.name: member.value for member in kind}))


AnyRow = TypeVar("AnyRow")
Item = TypeVar("Item")


def rows(kind: type[AnyRow], count: int, most: int = 0) -> list[AnyRow]:
    """`count` blank rows of a class whose fields are integers, annotated with their widths (`records.U8` to `I64`).

    Compiled, the pool reserves the address space of `most` rows: up to there `grown` copies nothing.
    """
    if cython.compiled:
        return blank(count, layout(kind), most)  # type: ignore[no-any-return]
    return [kind() for _ in range(count)]


def words(count: int, code: str, most: int = 0) -> list[int]:
    """`count` zeros of a numpy type. `most` as in `rows`."""
    return blank(count, np.dtype(code), most) if cython.compiled else [0] * count


def blank(count: int, dtype: np.dtype[Any], most: int = 0) -> Any:
    """A zeroed mmap array of `count` rows, with address space for `most`. Raises MemoryError.

    The array begins at a page, so a row of 64 bytes is one cache line. A page is committed when it is first written, and all
    of them go back to the system with the array. Where the system refuses the address space of `most` rows, the array has
    that of `count`.
    """
    for size in (most, count) if RESERVES and most > count else (count,):
        try:
            memory = mmap.mmap(-1, size * dtype.itemsize, access=mmap.ACCESS_COPY)
        except (OSError, OverflowError) as problem:
            if size == count:
                raise MemoryError(f"no memory for {count} rows of {dtype.itemsize} bytes") from problem
        else:
            break
    return first_rows(memory, count, dtype)


def first_rows(memory: mmap.mmap, count: int, dtype: np.dtype[Any]) -> Any:
    """The first `count` rows of a mapping as an array. A large one asks for huge pages."""
    size = count * dtype.itemsize
    if size >= LARGE_BYTES and hasattr(mmap, "MADV_HUGEPAGE"):
        memory.madvise(mmap.MADV_HUGEPAGE, 0, min(-(-size // mmap.PAGESIZE) * mmap.PAGESIZE, len(memory)))
    return np.frombuffer(memory, dtype, count)


def grown(held: list[Item], kept: int, count: int) -> list[Item]:
    """A pool of `count` rows that begins with the first `kept` of `held`. The caller drops `held`: compiled, both may be the
    same memory. The rows from `kept` on are blank, or what the caller once wrote there."""
    if not cython.compiled:
        return held[:kept] + [type(held[0])() for _ in range(count - kept)]
    old: Any = held.base  # type: ignore[attr-defined]
    if isinstance(old.base, memoryview) and count * old.itemsize <= old.base.nbytes:
        return first_rows(cast(mmap.mmap, old.base.obj), count, old.dtype)  # type: ignore[no-any-return]
    # Beyond what was reserved: the new pool reserves four times as much as it needs.
    new = blank(count, old.dtype, 4 * count)
    # As whole bytes: numpy copies records field by field.
    new.view(np.uint8)[: kept * old.itemsize] = old.view(np.uint8)[: kept * old.itemsize]
    return new  # type: ignore[no-any-return]


class Loan:
    """A pool that lends its first rows in place, as arrays of 64-bit words, instead of copying them (compiled only). The owner
    refills the pool only once `ended` is true."""

    def __init__(self, pool: Any) -> None:
        self.pool = pool
        self._words: Any = pool.view("u8") if cython.compiled else None
        self._borrower: Callable[[], Borrower | None] = lambda: None

    def first(self, count: int, lend: bool) -> Any:
        """The first `count` words as an array of u8: numpy would copy records field by field. The array is a copy if it has
        fewer than LENT_BYTES or `lend` is false."""
        words = self._words[:count]
        if words.nbytes < LENT_BYTES or not lend:
            return words.copy()
        borrower = Borrower(words)
        self._borrower = weakref.ref(borrower)
        return np.asarray(borrower)

    def ended(self) -> bool:
        """Whether the array that was lent last has been released."""
        return self._borrower() is None


class Borrower:
    """The base object of a lent array: it lives as long as the array or any slice of it."""

    __slots__ = ("__array_interface__", "__weakref__", "_words")

    def __init__(self, words: Any) -> None:
        self._words = words  # Keeps the memory alive.
        self.__array_interface__ = words.__array_interface__
