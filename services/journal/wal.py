"""Inspects the journal's write-ahead log before SQLite opens it.

SQLite ends the log at the first frame with wrong salts or a wrong checksum, and reports no error. It does not distinguish a
transaction torn by a power cut, which is harmless, from a flipped bit in the middle, which loses acknowledged commits. The
frames after the first bad one distinguish them. Each commit is durable before the next begins, so after the first bad frame of
a torn transaction there is at most its own commit frame and its own batch: the batch that follows the last one SQLite shows.
Two commit frames of the present generation (with the salts of the log's header), or any later batch, prove that acknowledged
commits are lost. This holds because the log is emptied when the journal is opened for writing: no frame of an earlier process's
failed commit stays in it.

If the header's checksum is wrong, SQLite ignores the whole log. The header is synced before the first frame is written, so a
torn header is followed only by frames of an older generation, and their batches are in the database. There a single batch that
is not in the database proves a loss.

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

from services.journal.batch import HEADER, MAGIC, BatchHeader

HEADER_BYTES = 32
FRAME_HEADER_BYTES = 24
CHUNK_BYTES = 2**20
"""About how much of the log is read at once."""

_HEADER = Struct(">8I")  # magic, format, page size, checkpoint number, two salts, two checksum words
_MAGIC = 0x377F0682  # + 1: the checksums read their words as big-endian
_PAGE_SIZES = {2**power for power in range(9, 17)}
_SCANS = 5


class Damage(NamedTuple):
    """The first place at which the log differs from what SQLite wrote, and what follows it."""

    header: bytes
    offset_bytes: int
    """Of the first bad frame; 0: the header itself is bad."""
    commits_after: int
    """Commit frames of the present generation after the bad frame."""
    batches: dict[int, int]
    """Journal batches anywhere in the log: first_seq to last_seq."""

    def evidence(self, last_seq: int) -> str | None:
        """The evidence, as a clause, that commits after last_seq (the last command that SQLite shows) are lost; None if only
        the end of the log is torn."""
        lost = [last for first, last in self.batches.items() if first > last_seq]
        torn = last_seq + 1 if self.offset_bytes else None
        if self.commits_after < 2 and all(first == torn for first in self.batches if first > last_seq):
            return None
        still = f" and still holds commands up to seq {max(lost)}" if lost else ""
        return f"its write-ahead log is damaged at byte {self.offset_bytes}{still}"


def inspect(log: Path) -> Damage | None:
    """The damage of the log, or its torn end; None if the log is intact or missing.

    A running writer may overwrite the log during a scan, so only damage that two successive scans find counts. Read the
    journal's last_seq after this call, not before: then commits that a running writer makes meanwhile do not look lost.
    """
    found = _scan(log)
    for _ in range(_SCANS):
        if found is None:
            return None
        before, found = found, _scan(log)
        if found is not None and (found.header, found.offset_bytes) == (before.header, before.offset_bytes):
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
            return None  # SQLite ignores a log that ends with its header
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
        # A commit frame holds the database size in pages. The journal only grows: a smaller size is from an older generation.
        commits_after += int(np.count_nonzero(present[start:] & (numbers[start:, 1] >= pages)))
        offset_bytes += len(data)
    return Damage(header, bad_at, commits_after, {}) if bad_at else None


def _read_frames(file: BufferedReader, frame_bytes: int) -> tuple[bytes, Any] | None:
    """The next whole frames, and six numbers of each frame's header: the page number, the database size in pages (0: not a
    commit frame), two salts, two checksum words. None at the end."""
    data = file.read(max(CHUNK_BYTES // frame_bytes, 1) * frame_bytes)
    data = data[: len(data) // frame_bytes * frame_bytes]
    if not data:
        return None
    return data, np.frombuffer(data, ">u4").reshape(-1, frame_bytes // 4)[:, :6].astype(np.uint32)


class _Sums(NamedTuple):
    """The checksums of a log: s0 += x0 + s1; s1 += x1 + s0 for each two words x0, x1, modulo 2**32; each frame continues the
    checksum of the frame before it.

    A step is linear: (s0, s1) becomes A (s0, s1) + (x0, x0 + x1) with A = ((1, 1), (1, 2)). So a frame's contribution is the
    product of its words and constant weights, and a thousand frames are computed by one matrix product.
    """

    word: str
    frame_bytes: int

    def of_header(self, header: bytes) -> Any:
        _, weights = _weights(3)
        return np.frombuffer(header, self.word, 6).astype(np.uint32) @ weights

    def of_frames(self, data: bytes, before: Any) -> Any:
        """The checksum of each frame; `before` holds the stored checksum of the frame before each."""
        power, weights = _weights(self.frame_bytes // 8 - 2)
        # Words 2 to 5 of a frame, its salts and its checksum, do not enter the checksum.
        weights = np.insert(weights, 2, np.zeros((4, 2), np.uint32), axis=0)
        return before @ power + np.frombuffer(data, self.word).reshape(len(before), -1).astype(np.uint32) @ weights


@lru_cache(maxsize=4)
def _weights(steps: int) -> tuple[Any, Any]:
    """A to the power of steps, transposed, and the weights of the 2 x steps words in the two sums."""
    a, b, c, d = 1, 0, 0, 1
    weights = []
    for _ in range(steps):
        weights += [(b, d), (a + b, c + d)]
        a, b, c, d = (a + b) % 2**32, (a + 2 * b) % 2**32, (c + d) % 2**32, (c + 2 * d) % 2**32
    return np.array([[a, c], [b, d]], np.uint32), np.array(weights[::-1], np.uint64).astype(np.uint32)


def _batches(log: Path) -> dict[int, int]:
    """first_seq to last_seq of each batch that begins in the log. SQLite stores the header of a batch contiguously."""
    batches: dict[int, int] = {}
    data = b""
    with suppress(FileNotFoundError), log.open("rb") as file:  # SQLite removes the log when its writer closes
        while more := file.read(CHUNK_BYTES):
            data = data[-HEADER.size + 1 :] + more
            at = data.find(MAGIC)
            while 0 <= at <= len(data) - HEADER.size:
                header = BatchHeader._make(HEADER.unpack_from(data, at))
                if header.last_seq - header.first_seq + 1 == header.command_count:
                    batches[header.first_seq] = header.last_seq
                at = data.find(MAGIC, at + 1)
    return batches
