"""The journal of embedded mode: one SQLite file, one table, one row per batch, on the device before `append` returns.

Files: `path` (the database), `path`-wal (what was committed last), `path`.lock (held by the one writer, with its process
id). Readers, also in other processes, need no lock: they open the database read-only and read in short statements, so
they hold up neither the writer nor its checkpoints.

Appends run on a thread of their own with a connection of their own, reads on another.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import secrets
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple, TypeVar

from matching_engine import ENGINE_VERSION
from services.journal.errors import JournalBusy, JournalCorrupt, JournalError, JournalRefused
from services.journal.row import NO_HASH, Row

FILE_FORMAT = 1
"""Number of the tables below; a file of another format is refused with a sentence."""

CHUNK_BYTES = 4 * 2**20
"""How much a reader takes off the device in one go."""

_SCHEMA = """
BEGIN IMMEDIATE;
CREATE TABLE IF NOT EXISTS meta (format INTEGER NOT NULL, journal_id BLOB NOT NULL, epoch INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS rows (
    first_seq INTEGER PRIMARY KEY, last_seq INTEGER NOT NULL, epoch INTEGER NOT NULL, data BLOB NOT NULL
);
INSERT INTO meta SELECT {format}, x'{journal_id}', 0 WHERE NOT EXISTS (SELECT 1 FROM meta);
COMMIT;
"""
_APPEND = "INSERT INTO rows (first_seq, last_seq, epoch, data) VALUES (?, ?, ?, ?)"
_LAST = "SELECT first_seq, last_seq, epoch, data FROM rows ORDER BY first_seq DESC LIMIT 1"
_BEFORE = "SELECT first_seq, last_seq, epoch, data FROM rows WHERE first_seq < ? ORDER BY first_seq DESC LIMIT 1"
# The row that holds after_seq + 1 is the last one that begins at or before it.
_AFTER = """
SELECT first_seq, last_seq, epoch, data FROM rows
WHERE first_seq >= (SELECT coalesce(max(first_seq), 0) FROM rows WHERE first_seq <= :after_seq + 1)
  AND last_seq > :after_seq
ORDER BY first_seq
"""

Result = TypeVar("Result")


class Position(NamedTuple):
    """Where a chain of rows has got to."""

    last_seq: int
    hash: bytes


class SqliteJournal:
    """A journal in one SQLite file; made by `open`."""

    def __init__(
        self, path: Path, reader: sqlite3.Connection, writer: sqlite3.Connection | None, lock: int | None
    ) -> None:
        self._path = path
        self._reader = reader
        self._writer = writer
        self._lock = lock
        self._read_thread = ThreadPoolExecutor(1, "journal-read")
        self._write_thread = ThreadPoolExecutor(1, "journal-write")
        self._failed: str | None = None
        self._closed = False
        self._end = Position(0, NO_HASH)
        self.journal_id = b""
        self.epoch = 0

    @classmethod
    async def open(cls, path: Path, *, read_only: bool = False, outdated: bool = False) -> SqliteJournal:
        """The journal at `path`, made with its folder where there is none.

        One that ends with a row of an older engine version is refused unless it may be `outdated`: `rex upgrade`.

        Opening for writing takes the lock (JournalBusy where another process holds it) and raises the epoch, so that rows
        of two writers can be told apart. Raises JournalError where the device does not give what is asked of it,
        JournalCorrupt or JournalRefused where the last row cannot be continued.
        """
        return await asyncio.to_thread(cls._open, path, read_only, outdated)

    @classmethod
    def _open(cls, path: Path, read_only: bool, outdated: bool) -> SqliteJournal:
        if read_only:
            journal = cls(path, _open_reader(path), None, None)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            lock = _take_lock(path)
            try:
                writer = _open_writer(path)
                journal = cls(path, _open_reader(path), writer, lock)
            except BaseException:
                os.close(lock)
                raise
        try:
            journal._start(outdated)
        except BaseException:
            journal._release()
            raise
        return journal

    def _start(self, outdated: bool) -> None:
        found, self.journal_id, self.epoch = self._reading(
            lambda: self._reader.execute("SELECT format, journal_id, epoch FROM meta").fetchone()
        )
        if found != FILE_FORMAT:
            raise JournalRefused(f"{self._path} has file format {found}; this version reads {FILE_FORMAT}")
        if not outdated:
            self._refuse_outdated()
        if self._writer is None:
            return
        last = self._last_row()
        if last is not None:
            self._end = Position(last.last_seq, last.hash)
        self._writer.execute("UPDATE meta SET epoch = epoch + 1")
        self.epoch += 1

    def _refuse_outdated(self) -> None:
        """A journal is continued by the rules that made its last row; older rows need a marker (`upgrades.py`)."""
        try:
            last = self._last_row()
        except JournalError:
            return  # whoever reads on finds it and names it
        if last is not None and last.engine_version < ENGINE_VERSION:
            raise JournalRefused(
                f"{self._path} was made by engine version {last.engine_version}; this REX runs version {ENGINE_VERSION}:"
                f" run `rex upgrade --data-dir {self._path.parent}`",
                last.last_seq + 1,
            )

    async def last_row(self) -> Row | None:
        """The newest row, or None in an empty journal."""
        return await self._on_read_thread(self._last_row)

    async def first_row(self, engine_version: int) -> Row | None:
        """The oldest row of this engine version or a newer one; None where there is none yet."""
        return await self._on_read_thread(self._first_row, engine_version)

    def append(self, row: Row) -> Awaitable[None]:
        """Begins at once to put the row on the device; done when it would survive a power cut.

        Raises JournalRefused, with nothing written, for a row that does not continue the chain or is of another epoch;
        JournalError where the device fails: whether the row is there is then unknown, and nothing more is taken in.
        """
        if self._closed:
            raise JournalError(f"{self._path} is closed", row.first_seq)
        # Encoded here and not there: each hash or checksum would hand the interpreter's lock to and fro between the threads.
        data = row.encode()
        return asyncio.get_running_loop().run_in_executor(self._write_thread, self._append, row, data)

    def _append(self, row: Row, data: bytes) -> None:
        if self._writer is None:
            raise JournalRefused(f"{self._path} was opened for reading only", row.first_seq)
        if self._failed is not None:
            raise JournalError(self._failed, row.first_seq)
        if row.epoch != self.epoch:
            raise JournalRefused(f"seq {row.first_seq} is of epoch {row.epoch}; this is {self.epoch}", row.first_seq)
        if (reason := row.break_of_chain(self.journal_id, *self._end)) is not None:
            raise JournalRefused(reason, row.first_seq)
        try:
            self._writer.execute(_APPEND, (row.first_seq, row.last_seq, row.epoch, data))
        except sqlite3.Error as error:
            self._failed = f"{self._path}: writing the row from seq {row.first_seq} failed: {error}"
            raise JournalError(self._failed, row.first_seq) from error
        self._end = Position(row.last_seq, row.hash)

    async def read(self, after_seq: int) -> AsyncIterator[Row]:
        """The rows holding commands after `after_seq`, oldest first, up to the end; each checked (hash, CRC, chain)."""
        position: Position | None = None
        while True:
            rows, damage = await self._on_read_thread(self._read_chunk, after_seq, position)
            for row in rows:
                yield row
            if damage is not None:
                raise damage
            if not rows:
                return
            position = Position(rows[-1].last_seq, rows[-1].hash)
            after_seq = position.last_seq

    async def close(self) -> None:
        """Waits for a running append and lets go of the files; closing twice is harmless."""
        if not self._closed:
            self._closed = True
            await asyncio.to_thread(self._release)

    def _release(self) -> None:
        self._write_thread.shutdown()
        self._read_thread.shutdown()
        self._reader.close()
        if self._writer is not None:
            self._writer.close()
        if self._lock is not None:
            os.close(self._lock)

    async def _on_read_thread(self, work: Callable[..., Result], *arguments: object) -> Result:
        if self._closed:
            raise JournalError(f"{self._path} is closed")
        return await asyncio.get_running_loop().run_in_executor(self._read_thread, self._reading, work, *arguments)

    def _reading(self, work: Callable[..., Result], *arguments: object) -> Result:
        try:
            return work(*arguments)
        except sqlite3.DatabaseError as error:
            raise JournalCorrupt(f"{self._path} cannot be read: {error}") from error

    def _last_row(self) -> Row | None:
        record = self._reader.execute(_LAST).fetchone()
        return None if record is None else _decode(record)

    def _first_row(self, engine_version: int) -> Row | None:
        """Versions only rise along the chain, so a search that halves what is left finds it in a few dozen rows.

        It begins with the first one, which in a journal of one version is it.
        """
        low, high = 1, self._reader.execute("SELECT coalesce(max(first_seq), 0) FROM rows").fetchone()[0]
        found, middle = None, low
        while low <= high:
            record = self._reader.execute(_BEFORE, (middle + 1,)).fetchone()
            if record is None:
                raise JournalCorrupt(f"no row holds seq {middle}", middle)
            row = _decode(record)
            if row.engine_version >= engine_version:
                found, high = row, row.first_seq - 1
            else:
                low = row.last_seq + 1
            middle = (low + high) // 2
        return found

    def _read_chunk(self, after_seq: int, position: Position | None) -> tuple[list[Row], JournalError | None]:
        """The next rows, and the error that ends them where there is one: what stands before it is still read."""
        rows: list[Row] = []
        size = 0
        records = self._reader.execute(_AFTER, {"after_seq": after_seq})
        try:
            for record in records:
                row = _decode(record)
                if position is None:
                    position = self._before(row.first_seq)
                if (reason := row.break_of_chain(self.journal_id, *position)) is not None:
                    raise JournalCorrupt(reason, row.first_seq)
                rows.append(row)
                position = Position(row.last_seq, row.hash)
                size += len(record[3])
                if size >= CHUNK_BYTES:
                    break
        except JournalError as error:
            return rows, error
        except sqlite3.DatabaseError as error:
            last_seq = rows[-1].last_seq if rows else after_seq
            return rows, JournalCorrupt(f"{self._path} cannot be read after seq {last_seq}: {error}", last_seq + 1)
        finally:
            records.close()
        return rows, None

    def _before(self, first_seq: int) -> Position:
        record = self._reader.execute(_BEFORE, (first_seq,)).fetchone()
        if record is None:
            return Position(0, NO_HASH)
        row = _decode(record)
        return Position(row.last_seq, row.hash)


def _decode(record: tuple[int, int, int, bytes]) -> Row:
    first_seq, last_seq, epoch, data = record
    row = Row.decode(data)
    if (row.first_seq, row.last_seq, row.epoch) != (first_seq, last_seq, epoch):
        raise JournalCorrupt(f"the row stored for seq {first_seq} is the one from seq {row.first_seq}", first_seq)
    return row


def check_lock(path: Path) -> None:
    """Raises JournalBusy where another process writes the journal at this moment."""
    os.close(_take_lock(path))


def _take_lock(path: Path) -> int:
    """The open lock file. The system lets go of it when the process ends, however it ends."""
    lock = os.open(path.with_name(path.name + ".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        holder = os.read(lock, 32).decode(errors="replace").strip() or "unknown"
        os.close(lock)
        raise JournalBusy(
            f"the data folder {path.parent.resolve()} is in use by another REX process (process id {holder}):"
            " stop that one first, or choose another folder"
        ) from error
    os.ftruncate(lock, 0)
    os.pwrite(lock, f"{os.getpid()}\n".encode(), 0)
    return lock


def _open_writer(path: Path) -> sqlite3.Connection:
    """A connection whose every commit is on the device; raises JournalError where it would not be."""
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    try:
        make_durable(connection, path)
        connection.executescript(_SCHEMA.format(format=FILE_FORMAT, journal_id=secrets.token_hex(16)))
    except sqlite3.DatabaseError as error:
        connection.close()
        raise JournalError(f"{path} cannot be opened as a journal: {error}") from error
    except JournalError:
        connection.close()
        raise
    return connection


def make_durable(connection: sqlite3.Connection, path: Path) -> None:
    """Asks for a write-ahead log that is synced at each commit, and reads back whether it was given."""
    for pragma, value, expected in (("journal_mode", "WAL", "wal"), ("synchronous", "FULL", 2), ("fullfsync", "ON", 1)):
        connection.execute(f"PRAGMA {pragma} = {value}")
        (found,) = connection.execute(f"PRAGMA {pragma}").fetchone()
        if found != expected:
            raise JournalError(f"{path}: SQLite answers {pragma} = {found} to {value}: commits would not be durable")


def _open_reader(path: Path) -> sqlite3.Connection:
    try:
        return sqlite3.connect(
            f"{path.resolve().as_uri()}?mode=ro", uri=True, isolation_level=None, check_same_thread=False
        )
    except sqlite3.Error as error:
        raise JournalError(f"there is no journal to read at {path}: {error}") from error
