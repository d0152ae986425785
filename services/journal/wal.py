"""The write-ahead log of the journal, inspected before SQLite opens it.

SQLite ends the log at the first frame whose salts or checksum are wrong, and reports no error: a transaction torn by a power
cut and a flipped bit in the middle look the same to it. What follows tells them apart. Each commit is on the device before the
next begins, so behind the first bad frame of a torn transaction stands its own commit frame at most, and its own batch: the one
that follows the last batch SQLite shows. Two commit frames of the present generation (with the salts of the log's header), or
any later batch, prove that acknowledged commits are lost. This holds because the log is emptied when the journal is opened for
writing: no frame of a failed commit of an earlier process stays in it.

A header with a wrong checksum makes SQLite ignore the whole log. It is synced before the first frame is written: a torn header
stands before frames of an older generation only, whose batches are in the database. So here one batch is enough.

Format: https://www.sqlite.org/fileformat2.html#the_write_ahead_log
"""

from __future__ import annotations

from contextlib import suppress
from functools import lru_cache
from io import BufferedReader
from pathlib import Path
from struct import Struct
from typing import Any, NamedTuple

import numpy as np

from services.journal.batch import HEADER, MAGIC, Header

HEADER_BYTES = 32
FRAME_HEADER_BYTES = 24
CHUNK_BYTES = 2**20
"""About how much of the log is in memory at once."""

_HEADER = Struct(">8I")  # magic, format, page size, checkpoint number, two salts, two checksum words
_MAGIC = 0x377F0682  # + 1: the checksums read their words as big-endian
_PAGE_SIZES = {2**power for power in range(9, 17)}
_SCANS = 5


class Damage(NamedTuple):
    """The first place at which the log is not as SQLite wrote it, and what stands behind it."""

    header: bytes
    offset_bytes: int
    """0: the header itself."""
    commits_after: int
    """Commit frames of the present generation behind the bad frame."""
    batches: dict[int, int]
    """Journal batches anywhere in the log: first_seq to last_seq."""

    def evidence(self, last_seq: int) -> str | None:
        """Why commits of a journal are lost that SQLite reads up to last_seq; None where only the end of the log is torn."""
        lost = [last for first, last in self.batches.items() if first > last_seq]
        torn = last_seq + 1 if self.offset_bytes else None
        if self.commits_after < 2 and all(first == torn for first in self.batches if first > last_seq):
            return None
        still = f" and still holds commands up to seq {max(lost)}" if lost else ""
        return f"its write-ahead log is damaged at byte {self.offset_bytes}{still}"


def inspect(log: Path) -> Damage | None:
    """The damage of the log, a torn end included; None where all of it is whole, or there is none.

    A running writer may overwrite what is being read, so damage is what two scans in a batch find. Read the journal's last_seq
    after this call, not before: what a running writer commits meanwhile is then no loss.
    """
    found = _scan(log)
    for _ in range(_SCANS):
        if found is None:
            return None
        before, found = found, _scan(log)
        if found is not None and found[:2] == before[:2]:
            return found._replace(batches=_batches(log))
    return None  # a log that changes under every scan is being written


def _scan(log: Path) -> Damage | None:
    try:
        file = log.open("rb")
    except FileNotFoundError:
        return None
    with file:
        header = file.read(HEADER_BYTES)
        if not file.peek(1):
            return None  # SQLite, too, reads a log only where something follows the header
        magic, _, page_bytes, _, *salts_and_sums = _HEADER.unpack(header)
        if magic & ~1 != _MAGIC or page_bytes not in _PAGE_SIZES:
            return Damage(header, 0, 0, {})
        sums = _Sums(">u4" if magic & 1 else "<u4", FRAME_HEADER_BYTES + page_bytes)
        if sums.of_header(header).tolist() != salts_and_sums[2:]:
            return Damage(header, 0, 0, {})
        return _scan_frames(file, header, salts_and_sums, sums)


def _scan_frames(file: BufferedReader, header: bytes, salts_and_sums: list[int], sums: _Sums) -> Damage | None:
    salts, before = np.array(salts_and_sums[:2], np.uint32), np.array(salts_and_sums[2:], np.uint32)
    offset_bytes, bad_at, pages, commits_after = HEADER_BYTES, 0, 1, 0
    while frames := _read_frames(file, sums.frame_bytes):
        data, numbers = frames
        present = (numbers[:, 2:4] == salts).all(axis=1)
        start = 0
        if not bad_at:
            stored = numbers[:, 4:6]
            expected = sums.of_frames(data, np.vstack([before, stored[:-1]]))
            good = present & (numbers[:, 0] != 0) & (stored == expected).all(axis=1)
            start = len(good) if good.all() else int(good.argmin())
            pages = max(pages, int(numbers[:start, 1].max(initial=0)))
            before = stored[-1]
            if start < len(good):
                bad_at = offset_bytes + start * sums.frame_bytes
                start += 1
        # The journal only grows: a size below the last commit's is left from an older generation.
        commits_after += int(np.count_nonzero(present[start:] & (numbers[start:, 1] >= pages)))
        offset_bytes += len(data)
    return Damage(header, bad_at, commits_after, {}) if bad_at else None


def _read_frames(file: BufferedReader, frame_bytes: int) -> tuple[bytes, Any] | None:
    """Some whole frames, and the six numbers before each page: page, pages of the database (0: no commit), salts, checksum."""
    data = file.read(max(CHUNK_BYTES // frame_bytes, 1) * frame_bytes)
    data = data[: len(data) // frame_bytes * frame_bytes]
    if not data:
        return None
    return data, np.frombuffer(data, ">u4").reshape(-1, frame_bytes // 4)[:, :6].astype(np.uint32)


class _Sums(NamedTuple):
    """The checksums of a log: s0 += x0 + s1; s1 += x1 + s0 for each two words x0, x1, modulo 2**32, from frame to frame.

    A step is linear: (s0, s1) becomes A (s0, s1) + (x0, x0 + x1) with A = ((1, 1), (1, 2)). So what a frame adds is the
    product of its words and constant weights, and a thousand frames are one product of matrices.
    """

    word: str
    frame_bytes: int

    def of_header(self, header: bytes) -> Any:
        _, weights = _weights(3)
        return np.frombuffer(header, self.word, 6).astype(np.uint32) @ weights

    def of_frames(self, data: bytes, before: Any) -> Any:
        """The checksum of each frame, where `before` is that of the frame before it."""
        power, weights = _weights(self.frame_bytes // 8 - 2)
        # The checksum leaves out the salts and itself: words 2 to 5 of a frame.
        weights = np.insert(weights, 2, np.zeros((4, 2), np.uint32), axis=0)
        return before @ power + np.frombuffer(data, self.word).reshape(len(before), -1).astype(np.uint32) @ weights


@lru_cache(maxsize=4)
def _weights(steps: int) -> tuple[Any, Any]:
    """A to the power of steps, transposed, and what each of 2 x steps words adds to the two sums."""
    a, b, c, d = 1, 0, 0, 1
    weights = []
    for _ in range(steps):
        weights += [(b, d), (a + b, c + d)]
        a, b, c, d = (a + b) % 2**32, (a + 2 * b) % 2**32, (c + d) % 2**32, (c + 2 * d) % 2**32
    return np.array([[a, c], [b, d]], np.uint32), np.array(weights[::-1], np.uint64).astype(np.uint32)


def _batches(log: Path) -> dict[int, int]:
    """first_seq to last_seq of each batch that begins in the log; SQLite keeps the head of a batch in one piece."""
    batches: dict[int, int] = {}
    data = b""
    with suppress(FileNotFoundError), log.open("rb") as file:  # a writer that closes has removed it
        while more := file.read(CHUNK_BYTES):
            data = data[-HEADER.size + 1 :] + more
            at = data.find(MAGIC)
            while 0 <= at <= len(data) - HEADER.size:
                header = Header._make(HEADER.unpack_from(data, at))
                if header.last_seq - header.first_seq + 1 == header.command_count:
                    batches[header.first_seq] = header.last_seq
                at = data.find(MAGIC, at + 1)
    return batches
