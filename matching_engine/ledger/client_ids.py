"""The client order ids that the venue remembers, so that a client whose request got no answer can safely repeat it.

An id belongs to an account. Its row keeps the order's id and a 64-bit digest of the order's body: the same id with the same
body is a repeat, with another body an error. Rows are in the order of their commands; an open-addressing table of
(32 bits of hash, row) finds them. Rows are removed only at a day roll, all that are too old at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cython
import numpy as np

from matching_engine.pools import grown, rows, words
from matching_engine.records import U32, U64, Command

if not cython.compiled:  # when compiled, these stand in the .pxd
    from matching_engine.pools import WORD

    GOLDEN = 0x9E37_79B9_7F4A_7C15
    ROW_BITS = 0xFFFF_FFFF  # the half of a table's entry that is the row
    STEP = 65_536  # entries that `make_room` copies in a call

    def id_word(text: bytes, number: int) -> int:
        """Bytes 8 × `number` to 8 × `number` + 7 of a client order id as a little-endian word; word 4 has only four bytes."""
        return int.from_bytes(text[8 * number : 8 * number + 8], "little")

    def mix(digest: int, word: int) -> int:
        """The digest with one more word mixed in. One-to-one in either argument."""
        digest = ((digest ^ word) * GOLDEN) & WORD
        return digest ^ digest >> 32

    def is_empty(text: bytes) -> bool:
        """Whether a client order id is all zeros, so the command has none."""
        return not text.strip(b"\0")


MOST_IDS = 2**23
"""Address space is reserved for so many rows: up to there they grow without being copied."""


@dataclass(slots=True)
class ClientId:
    """A remembered id. `day` is the last trading day on which its order was open, or the day on which it was refused."""

    order_id: U64 = 0
    body_digest: U64 = 0
    word0: U64 = 0
    word1: U64 = 0
    word2: U64 = 0
    word3: U64 = 0
    word4: U32 = 0
    account: U32 = 0
    day: U32 = 0
    hash: U32 = 0


def body_digest(command: Command) -> int:
    """A 64-bit digest of every field of a NEW_ORDER but those of the sender and the client order id."""
    # Each field is widened to 64 bits before it is shifted.
    kinds = (
        command.side
        | command.order_type << 8
        | (command.time_in_force & WORD) << 16
        | (command.self_trade & WORD) << 24
    )
    digest = mix(0, command.instrument | kinds << 16 | (command.flags & WORD) << 48)
    digest = mix(digest, command.number | (command.time_s & WORD) << 16)
    digest = mix(digest, command.price_ticks & WORD)
    digest = mix(digest, command.quantity_lots & WORD)
    digest = mix(digest, command.display_lots & WORD)
    return mix(digest, command.trigger_ticks & WORD)


class ClientIds:
    """The remembered ids, in rows 1 to `count`. `day` numbers the trading day: it is the count of day rolls so far."""

    def __init__(self) -> None:
        self.count = 0
        self.day = 0
        self.rows = rows(ClientId, 64, MOST_IDS)
        self._table = words(128, "u8")
        # The table that will replace `_table`, while it is being filled; otherwise `_table` itself.
        self._next = self._table
        self._moved = 0  # entries of `_table` that were copied to `_next`
        self._entered = 0  # rows that are in `_next` once all entries of `_table` were copied

    def reserve(self, commands: int) -> int:
        """Makes room for `commands` more ids; returns the rows there are. Raises MemoryError, nothing changed."""
        if self.count + commands >= len(self.rows):
            self._begin_growth(commands)
            self._grow(len(self._table) + self.count)
        return len(self.rows)

    def make_room(self, commands: int) -> int:
        """Does a bounded part of the growth to come, between calls of `reserve(commands)` or of fewer. Raises MemoryError,
        nothing changed.

        The next table is filled while the last quarter of the rows fills up: STEP entries a call, and all of them when
        another two calls' ids would not fit. Returns the rows there are.
        """
        free = len(self.rows) - self.count
        if free < max(len(self.rows) // 4, 2 * commands):
            self._begin_growth(commands)
            self._grow(STEP if free > 2 * commands else len(self._table) + self.count)
        return len(self.rows)

    def _begin_growth(self, commands: int) -> int:
        """Sees to a next table for at least twice the rows, and for `commands` more ids."""
        size = 2 * len(self.rows)
        while size <= self.count + commands:
            size *= 2
        if len(self._next) < 2 * size:
            self._next = words(2 * size, "u8")
            self._moved = 0
            self._entered = self.count
        return size

    def _grow(self, steps: int) -> int:
        """Copies up to `steps` entries to the next table, which takes over when it has all of them.

        The entries are copied in the order of the old table, which is nearly that of the new one, so both are gone through
        once, front to back. Then come the ids that were remembered since the copying began: they are the last rows.
        """
        stop = min(self._moved + steps, len(self._table))
        steps -= stop - self._moved
        for i in range(self._moved, stop):
            if self._table[i] != 0 and self._table[i] & ROW_BITS <= self._entered:
                self._enter(self._next, self._table[i])
        self._moved = stop
        if stop < len(self._table):
            return 0
        last = min(self._entered + steps, self.count)
        for row in range(self._entered + 1, last + 1):
            self._enter(self._next, (self.rows[row].hash & WORD) << 32 | row)
        self._entered = last
        if last == self.count:
            self.rows = grown(self.rows, self.count + 1, len(self._next) // 2)
            self._table = self._next
        return 0

    def expect(self, account: int, text: bytes) -> None:
        """Prefetches the table's entry that `find` and `remember` will read for a command a few places ahead."""
        if cython.compiled:
            prefetch(cython.address(self._table[self._hash(account, text) & (len(self._table) - 1)]))  # type: ignore[name-defined] # noqa: F821

    def find(self, account: int, text: bytes) -> int:
        """The row of an account's id, or NIL. `text` is the record's 36 bytes (uncompiled, the padding may be missing)."""
        return self._table[self._locate(account, text, self._hash(account, text))] & ROW_BITS

    def remember(self, account: int, text: bytes, order_id: int, body_digest: int) -> int:
        """The row of an account's id: the existing row, unchanged, or a new one, which `reserve` has made room for."""
        word = self._hash(account, text)
        i = self._locate(account, text, word)
        if self._table[i] != 0:
            return self._table[i] & ROW_BITS
        self.count += 1
        row = self.count
        self._table[i] = word << 32 | row
        self.rows[row].order_id = order_id
        self.rows[row].body_digest = body_digest
        self.rows[row].word0 = id_word(text, 0)
        self.rows[row].word1 = id_word(text, 1)
        self.rows[row].word2 = id_word(text, 2)
        self.rows[row].word3 = id_word(text, 3)
        self.rows[row].word4 = id_word(text, 4)
        self.rows[row].account = account
        self.rows[row].day = self.day
        self.rows[row].hash = word
        return row

    def _locate(self, account: int, text: bytes, sought: int) -> int:
        """The index in the table of an id with the hash `sought`, or of the free entry where it would be put."""
        mask = len(self._table) - 1
        i = sought & mask
        while self._table[i] != 0:
            row = self._table[i] & ROW_BITS
            if (
                self._table[i] >> 32 == sought
                and self.rows[row].account == account
                and self.rows[row].word0 == id_word(text, 0)
                and self.rows[row].word1 == id_word(text, 1)
                and self.rows[row].word2 == id_word(text, 2)
                and self.rows[row].word3 == id_word(text, 3)
                and self.rows[row].word4 == id_word(text, 4)
            ):
                return i
            i = (i + 1) & mask
        return i

    def forget_before(self, day: int) -> None:
        """Removes the ids of days before `day`; the other rows move up, in order."""
        kept = 0
        for row in range(1, self.count + 1):
            if self.rows[row].day >= day:
                kept += 1
                if kept != row:
                    self._move(row, kept)
        if kept == self.count:
            return
        self.count = kept
        self._next = self._table  # A next table that was begun has other rows.
        for i in range(len(self._table)):
            self._table[i] = 0
        for row in range(1, kept + 1):
            self._enter(self._table, (self.rows[row].hash & WORD) << 32 | row)

    def texts(self) -> Any:
        """The ids of all rows in order, without padding."""
        if cython.compiled:
            pool = self.rows.base  # type: ignore[attr-defined]
            offset = pool.dtype.fields["word0"][1]
            return np.ndarray(len(pool), "S36", pool, offset, pool.strides)[1 : self.count + 1]
        texts = []
        for r in self.rows[1 : self.count + 1]:
            parts = [word.to_bytes(8, "little") for word in (r.word0, r.word1, r.word2, r.word3, r.word4)]
            texts.append(b"".join(parts)[:36])
        return texts

    def _move(self, row: int, to: int) -> None:
        """Swaps two rows. (A struct could be copied; an object of the uncompiled engine must not be in two places.)"""
        moved = self.rows[row]
        self.rows[row] = self.rows[to]
        self.rows[to] = moved

    def _hash(self, account: int, text: bytes) -> int:
        digest = mix(mix(mix(account, id_word(text, 0)), id_word(text, 1)), id_word(text, 2))
        return (mix(mix(digest, id_word(text, 3)), id_word(text, 4)) * GOLDEN & WORD) >> 32

    def _enter(self, table: list[int], word: int) -> None:
        """Puts an entry (hash << 32 | row) into the first free place of a table."""
        mask = len(table) - 1
        i = (word >> 32) & mask
        while table[i] != 0:
            i = (i + 1) & mask
        table[i] = word
