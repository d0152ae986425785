"""Reads batches from SQLite in short statements. Each batch is checked: its own hash and CRC, and the chain.

Rows that have left the file are read from the archives, and the rest of the chain from the file: a caller notices nothing.

`rex archive` puts a new file in the place of the old one. A reader that was open then has the old file: it reads every row up
to that moment, and learns of no later one. Open another reader for those.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from services.journal.archives.checking import CheckedArchives, check_archives
from services.journal.archives.day import ARCHIVES_FOLDER, NOTHING_ARCHIVED, ArchivedEnd
from services.journal.archives.reading import Archives
from services.journal.batch import JournalBatch
from services.journal.chain import (
    CHUNK_BYTES,
    EMPTY,
    ChainEnd,
    Record,
    decode,
    decode_next,
)
from services.journal.connections import FILE_FORMAT, FILE_FORMATS, open_reader, unreadable
from services.journal.errors import JournalCorrupt, JournalError, JournalRefused

_ARCHIVED = "SELECT last_seq, hash, day FROM archived"
_LAST = "SELECT first_seq, last_seq, epoch, data FROM rows ORDER BY first_seq DESC LIMIT 1"
_BEFORE = "SELECT first_seq, last_seq, epoch, data FROM rows WHERE first_seq < ? ORDER BY first_seq DESC LIMIT 1"
# The batch that holds after_seq + 1 is the last one that begins at or before it. Nothing else is filtered: a page that holds
# old rows must not look like the end of the journal.
_AFTER = """
SELECT first_seq, last_seq, epoch, data FROM rows
WHERE first_seq >= (SELECT coalesce(max(first_seq), 0) FROM rows WHERE first_seq <= :after_seq + 1)
ORDER BY first_seq
LIMIT :rows
"""
CHUNK_ROWS = 64
"""Rows of one statement at most. While it runs, the writer's log grows and is not emptied; and each row that it reads may wait
for the interpreter."""


class BatchReader:
    """A read-only connection. One thread at a time may use it. Raises the errors of `unreadable` if SQLite cannot read."""

    def __init__(self, path: Path, archives: Path | None = None) -> None:
        """`archives` is the folder of the archived days; without it, the one beside the file."""
        self._path = path
        self._connection = open_reader(path)
        self._archives_folder = path.with_name(ARCHIVES_FOLDER) if archives is None else archives
        self._archives: Archives | None = None
        self._archived = NOTHING_ARCHIVED

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

    def check_versions(self) -> None:
        """Raises JournalRefused for a journal of another file format, and for one whose last batch is of another one or of
        another engine version."""
        found, _, _ = self.meta()
        if found not in FILE_FORMATS:
            raise JournalRefused(f"{self._path} has file format {found}; this version reads {FILE_FORMATS[-1]}")
        try:
            self.last_batch()
        except JournalRefused as error:
            raise JournalRefused(f"{self._path}: {error}", error.seq) from error
        except JournalError:
            return  # the caller's next read meets the same damage and raises it

    def archives(self) -> Archives:
        """The rows that have left the file. Raises JournalCorrupt if the file does not say where they end."""
        if self._archives is None:
            self._archived = self._archived_end()
            self._archives = Archives(self._archives_folder, self._archived)
        return self._archives

    def archived(self) -> ArchivedEnd:
        """Where the rows that have left the file end. Raises as `archives` does."""
        self.archives()
        return self._archived

    def check_archives(self, journal_id: bytes) -> CheckedArchives:
        """Compares every day in the folder with its manifest and with the journal's rows. Raises ArchiveUnusable."""
        last = self.last_batch()
        with self._readable():
            return check_archives(self.archives(), journal_id, ChainEnd.after(last).last_seq, self._end_before)

    def last_batch(self) -> JournalBatch | None:
        """The newest batch, or None. Its bytes are checked, its link to the batch before it is not."""
        with self._readable():
            record = self._connection.execute(_LAST).fetchone()
        if record is None and self.archived().end.last_seq:
            raise JournalCorrupt(f"{self._path} is damaged: it holds no row after the archived ones")
        return None if record is None else decode(record)

    def chunk(
        self, journal_id: bytes, after_seq: int, chain_end: ChainEnd | None
    ) -> tuple[list[JournalBatch], JournalError | None]:
        """The next batches after `after_seq`, and the error that stopped the reading, if any; batches before it are returned.

        `chain_end` is the batch before the first one, which ends at after_seq; None reads it from the database.
        """
        try:
            records, damage = self._records(after_seq)
        except JournalError as error:
            return [], error
        if records and _is_before(records[0], after_seq, chain_end):
            del records[0]
        batches: list[JournalBatch] = []
        size = 0
        try:
            for record in records:
                if chain_end is None:
                    chain_end = self._end_before(record[0])
                batch = decode_next(record, journal_id, chain_end)
                batches.append(batch)
                chain_end = ChainEnd(batch.last_seq, batch.hash)
                size += len(batch.encode())
                if size >= CHUNK_BYTES:
                    return batches, None
        except JournalError as error:
            return batches, self.archives().naming_day(error)
        except sqlite3.DatabaseError as error:
            damage = error
        if damage is None:
            return batches, None
        last_seq = batches[-1].last_seq if batches else after_seq
        return batches, unreadable(self._path, damage, f" after seq {last_seq}", seq=last_seq + 1)

    def _records(self, after_seq: int) -> tuple[list[Record], sqlite3.DatabaseError | None]:
        """The next rows, and the error that stopped the reading, if any. They are checked once the statement has ended."""
        if after_seq < self.archived().end.last_seq:
            return self.archives().after(after_seq), None
        records: list[Record] = []
        size = 0
        try:
            with closing(self._connection.execute(_AFTER, {"after_seq": after_seq, "rows": CHUNK_ROWS})) as found:
                for record in found:
                    if records and isinstance(record[-1], bytes):  # In a damaged file it may be anything.
                        size += len(record[-1])
                    records.append(record)
                    if size >= CHUNK_BYTES:
                        break
        except sqlite3.DatabaseError as error:
            return records, error
        return records, None

    def _end_before(self, first_seq: int) -> ChainEnd:
        archived = self.archived().end
        if first_seq <= archived.last_seq + 1:
            if first_seq in (1, archived.last_seq + 1):
                return EMPTY if first_seq == 1 else archived
            day = self.archives().holding(first_seq)
            return (
                day.begin
                if first_seq == day.first_seq
                else ChainEnd.after(decode(self.archives().holding_row(first_seq - 1)))
            )
        record = self._connection.execute(_BEFORE, (first_seq,)).fetchone()
        return ChainEnd.after(None if record is None else decode(record))

    def _archived_end(self) -> ArchivedEnd:
        found, _, _ = self.meta()
        if found == FILE_FORMAT:
            return NOTHING_ARCHIVED
        with self._readable():
            record = self._connection.execute(_ARCHIVED).fetchone()
        match record:
            case (int(last_seq), bytes(row_hash), str(day)):
                return ArchivedEnd(ChainEnd(last_seq, row_hash), day)
        raise JournalCorrupt(f"{self._path} is damaged: it does not say where its archived rows end")

    @contextmanager
    def _readable(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.DatabaseError as error:
            raise unreadable(self._path, error) from error


def _is_before(record: Record, after_seq: int, chain_end: ChainEnd | None) -> bool:
    """Whether this row, the first that was found, is the journal's last one and ends at or before after_seq. Where the batch
    before is known, it ends there: another one is damage."""
    last_seq = record[1]
    if chain_end is None:
        return isinstance(last_seq, int) and last_seq <= after_seq
    return last_seq == after_seq
