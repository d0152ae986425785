"""Reads batches from SQLite in short statements. Each batch is checked: its own hash and CRC, and the chain."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from services.journal.batch import JournalBatch
from services.journal.chain import CHUNK_BYTES, ChainEnd, VersionSearch, check_not_older, decode, decode_next
from services.journal.connections import FILE_FORMAT, open_reader, unreadable
from services.journal.errors import JournalCorrupt, JournalError, JournalRefused

_LAST = "SELECT first_seq, last_seq, epoch, data FROM rows ORDER BY first_seq DESC LIMIT 1"
_BEFORE = "SELECT first_seq, last_seq, epoch, data FROM rows WHERE first_seq < ? ORDER BY first_seq DESC LIMIT 1"
# The batch that holds after_seq + 1 is the last one that begins at or before it.
_AFTER = """
SELECT first_seq, last_seq, epoch, data FROM rows
WHERE first_seq >= (SELECT coalesce(max(first_seq), 0) FROM rows WHERE first_seq <= :after_seq + 1)
  AND last_seq > :after_seq
ORDER BY first_seq
"""


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
        a batch of an older engine version."""
        found, _, _ = self.meta()
        if found != FILE_FORMAT:
            raise JournalRefused(f"{self._path} has file format {found}; this version reads {FILE_FORMAT}")
        try:
            last = None if outdated else self.last_batch()
        except JournalError:
            return  # the caller's next read meets the same damage and raises it
        check_not_older(last, str(self._path), f"run `rex upgrade --data-dir {self._path.parent}`")

    def last_batch(self) -> JournalBatch | None:
        """The newest batch, or None. Its bytes are checked, its link to the batch before it is not."""
        with self._readable():
            record = self._connection.execute(_LAST).fetchone()
        return None if record is None else decode(record)

    def first_batch(self, engine_version: int) -> JournalBatch | None:
        """The oldest batch made by this engine version or a newer one, or None."""
        with self._readable():
            (last_first_seq,) = self._connection.execute("SELECT coalesce(max(first_seq), 0) FROM rows").fetchone()
            search = VersionSearch(engine_version, last_first_seq)
            while search.seq is not None:
                search.take(self._connection.execute(_BEFORE, (search.seq + 1,)).fetchone())
        return search.found

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
                if chain_end is None:
                    chain_end = self._end_before(record[0])
                batch = decode_next(record, journal_id, chain_end)
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
        return ChainEnd.after(None if record is None else decode(record))

    @contextmanager
    def _readable(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.DatabaseError as error:
            raise unreadable(self._path, error) from error
