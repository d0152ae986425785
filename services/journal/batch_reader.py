"""Reads batches from SQLite in short statements. Each batch is checked: its own hash and CRC, and the chain."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from matching_engine import ENGINE_VERSION
from services.journal.batch import NO_HASH, JournalBatch
from services.journal.connections import FILE_FORMAT, open_reader, unreadable
from services.journal.errors import JournalCorrupt, JournalError, JournalRefused

CHUNK_BYTES = 4 * 2**20
"""How much one call of `chunk` reads, about."""

_LAST = "SELECT first_seq, last_seq, epoch, data FROM rows ORDER BY first_seq DESC LIMIT 1"
_BEFORE = "SELECT first_seq, last_seq, epoch, data FROM rows WHERE first_seq < ? ORDER BY first_seq DESC LIMIT 1"
# The batch that holds after_seq + 1 is the last one that begins at or before it.
_AFTER = """
SELECT first_seq, last_seq, epoch, data FROM rows
WHERE first_seq >= (SELECT coalesce(max(first_seq), 0) FROM rows WHERE first_seq <= :after_seq + 1)
  AND last_seq > :after_seq
ORDER BY first_seq
"""


class ChainEnd(NamedTuple):
    """The last batch of a part of the chain, which the next batch must continue: its last_seq and its hash."""

    last_seq: int
    hash: bytes


class BatchReader:
    """A read-only connection. One thread at a time may use it. Raises the errors of `unreadable` if SQLite cannot read."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection = open_reader(path)

    def close(self) -> None:
        """Closes the connection."""
        self._connection.close()

    def meta(self) -> tuple[int, bytes, int]:
        """The file format, the journal id and the epoch."""
        with self._readable():
            found: tuple[int, bytes, int] | None = self._connection.execute(
                "SELECT format, journal_id, epoch FROM meta"
            ).fetchone()
        if found is None or not isinstance(found[1], bytes):
            raise JournalCorrupt(f"{self._path} is damaged: it holds no journal id")
        return found

    def has_tables(self) -> bool:
        """Whether the database has any table; a file that was only created has none."""
        with self._readable():
            return bool(self._connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0])

    def check_versions(self, *, outdated: bool) -> None:
        """Raises JournalRefused for a journal of another file format; unless `outdated` is allowed, also for one that ends with
        a batch of an older engine version. A journal is continued by the engine version that made its last batch; after older
        batches, `rex upgrade` must first append its marker (services/engine_versions/upgrades.py).
        """
        found, _, _ = self.meta()
        if found != FILE_FORMAT:
            raise JournalRefused(f"{self._path} has file format {found}; this version reads {FILE_FORMAT}")
        try:
            last = None if outdated else self.last_batch()
        except JournalError:
            return  # the caller's next read meets the same damage and raises it
        if last is not None and last.engine_version < ENGINE_VERSION:
            raise JournalRefused(
                f"{self._path} was made by engine version {last.engine_version}; this REX runs version {ENGINE_VERSION}:"
                f" run `rex upgrade --data-dir {self._path.parent}`",
                last.last_seq + 1,
            )

    def last_batch(self) -> JournalBatch | None:
        """The newest batch, or None. Its bytes are checked, its link to the batch before it is not."""
        with self._readable():
            record = self._connection.execute(_LAST).fetchone()
        return None if record is None else _decode(record)

    def first_batch(self, engine_version: int) -> JournalBatch | None:
        """The oldest batch made by this engine version or a newer one, or None.

        Versions only rise along the chain, so a binary search finds it and reads a few dozen batches. The search begins with
        the first batch: in a journal of one version that is the result.
        """
        with self._readable():
            low, high = 1, self._connection.execute("SELECT coalesce(max(first_seq), 0) FROM rows").fetchone()[0]
            found, middle = None, low
            while low <= high:
                record = self._connection.execute(_BEFORE, (middle + 1,)).fetchone()
                if record is None:
                    raise JournalCorrupt(f"no row holds seq {middle}", middle)
                batch = _decode(record)
                if batch.engine_version >= engine_version:
                    found, high = batch, batch.first_seq - 1
                else:
                    low = batch.last_seq + 1
                middle = (low + high) // 2
        return found

    def chunk(
        self, journal_id: bytes, after_seq: int, chain_end: ChainEnd | None
    ) -> tuple[list[JournalBatch], JournalError | None]:
        """The next batches after `after_seq`, and the error that stopped the reading, if any; batches before it are returned.

        `chain_end` is the batch before the first one; None reads it from the database.
        """
        batches: list[JournalBatch] = []
        size = 0
        with self._readable():
            records = self._connection.execute(_AFTER, {"after_seq": after_seq})
        try:
            for record in records:
                batch = _decode(record)
                if chain_end is None:
                    chain_end = self._end_before(batch.first_seq)
                if (reason := batch.break_of_chain(journal_id, *chain_end)) is not None:
                    raise JournalCorrupt(reason, batch.first_seq)
                batches.append(batch)
                chain_end = ChainEnd(batch.last_seq, batch.hash)
                size += len(record[3])
                if size >= CHUNK_BYTES:
                    break
        except JournalError as error:
            return batches, error
        except sqlite3.DatabaseError as error:
            last_seq = batches[-1].last_seq if batches else after_seq
            return batches, unreadable(self._path, error, f" after seq {last_seq}", seq=last_seq + 1)
        finally:
            records.close()
        return batches, None

    def _end_before(self, first_seq: int) -> ChainEnd:
        record = self._connection.execute(_BEFORE, (first_seq,)).fetchone()
        if record is None:
            return ChainEnd(0, NO_HASH)
        batch = _decode(record)
        return ChainEnd(batch.last_seq, batch.hash)

    @contextmanager
    def _readable(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.DatabaseError as error:
            raise unreadable(self._path, error) from error


def _decode(record: tuple[int, int, int, bytes]) -> JournalBatch:
    first_seq, last_seq, epoch, data = record
    if not isinstance(data, bytes):  # The page may have been overwritten with other content.
        raise JournalCorrupt(f"the row stored for seq {first_seq} is damaged: it holds no bytes", first_seq)
    try:
        batch = JournalBatch.decode(data)
    except JournalCorrupt as error:
        if error.seq is not None:
            raise
        raise JournalCorrupt(f"the row stored for seq {first_seq} is damaged: {error}", first_seq) from error
    if (batch.first_seq, batch.last_seq, batch.epoch) != (first_seq, last_seq, epoch):
        raise JournalCorrupt(f"the row stored for seq {first_seq} is the one from seq {batch.first_seq}", first_seq)
    return batch
