"""Archived rows leave the journal's file: the rows after them are written into a new file, which takes its place at once.

Until then nothing is changed; the rename is atomic. The caller holds the lock of the journal.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from services.backups.errors import BackupFailed, BackupRefused
from services.backups.files import writing
from services.files.data_folder import make_private_database, reason_of
from services.files.new_folder import sync
from services.journal import JournalBatch, JournalError
from services.journal.archives.day import ArchivedEnd
from services.journal.chain import CHUNK_BYTES, ChainEnd
from services.journal.connections import ARCHIVED_FORMAT, copy_log, empty_log, log_of, open_writer
from services.journal.copying import PARTIAL
from services.journal.sqlite import SqliteJournal

_ARCHIVED = """
BEGIN;
CREATE TABLE archived (last_seq INTEGER NOT NULL, hash BLOB NOT NULL, day TEXT NOT NULL);
COMMIT;
"""
_ROW = "INSERT INTO rows (first_seq, last_seq, epoch, data) VALUES (?, ?, ?, ?)"


async def let_leave(path: Path, archives: Path, archived: ArchivedEnd) -> None:
    """Replaces the journal's file by one that begins after `archived`, the end of a row. At least one row follows it.

    Raises BackupFailed if the new file cannot be written, BackupRefused if it does not hold what the old one does; then the old
    one stays. If the device fails only after the rename, the sentence says that the rows have left.
    """
    log = log_of(path)
    if log.exists() and log.stat().st_size:
        raise BackupRefused(
            f"{log} is not empty: a program has the journal open. End it, then try again. No row has left the journal"
        )
    partial = path.with_name(path.name + PARTIAL)
    _remove(partial)
    try:
        end = await _write(path, partial, archives, archived)
        await _check(partial, archives, archived, end)
        with writing(path):
            sync(partial)
            _remove_beside(path)
            partial.replace(path)
        _settle(path)
    finally:
        _remove(partial)


def _settle(path: Path) -> None:
    """After the rename. Raises BackupFailed, of rows that have left."""
    try:
        _remove_beside(path)  # A reader that opened the old file just now has made its index anew.
        sync(path.parent)
    except OSError as error:
        raise BackupFailed(
            f"{path.parent} cannot be written: {error.strerror or error}. The rows have left {path}, and are in the archives;"
            " after a power cut they may be in it again, too. No row is lost"
        ) from error


async def _write(path: Path, partial: Path, archives: Path, archived: ArchivedEnd) -> ChainEnd:
    journal = await SqliteJournal.open(path, read_only=True, archives=archives)
    try:
        with writing(partial):
            make_private_database(partial)
            try:
                with closing(open_writer(partial, journal.journal_id)) as connection:
                    return await _fill(journal, connection, partial, archived)
            except sqlite3.Error as error:
                raise BackupFailed(
                    f"{partial} cannot be written: {reason_of(partial, error)}. No row has left the journal"
                ) from error
    finally:
        await journal.close()


async def _fill(
    journal: SqliteJournal, connection: sqlite3.Connection, partial: Path, archived: ArchivedEnd
) -> ChainEnd:
    connection.executescript(_ARCHIVED)
    connection.execute("INSERT INTO archived VALUES (?, ?, ?)", (*archived.end, archived.day))
    connection.execute("UPDATE meta SET format = ?, epoch = ?", (ARCHIVED_FORMAT, journal.epoch))
    end = archived.end
    waiting: list[JournalBatch] = []
    waiting_bytes = 0

    def commit() -> None:
        connection.execute("BEGIN")
        connection.executemany(_ROW, [(one.first_seq, one.last_seq, one.epoch, one.stored) for one in waiting])
        connection.execute("COMMIT")
        copy_log(connection, partial)
        waiting.clear()

    async for batch in journal.read(archived.end.last_seq):
        waiting.append(batch)
        waiting_bytes += len(batch.stored)
        end = ChainEnd.after(batch)
        if waiting_bytes >= CHUNK_BYTES:
            commit()
            waiting_bytes = 0
    commit()
    empty_log(connection, partial)
    return end


async def _check(partial: Path, archives: Path, archived: ArchivedEnd, end: ChainEnd) -> None:
    """Reads the new file. Raises BackupRefused."""
    found = archived.end
    try:
        journal = await SqliteJournal.open(partial, read_only=True, archives=archives)
        try:
            async for batch in journal.read(archived.end.last_seq):
                found = ChainEnd.after(batch)
            says = await journal.archived()
        finally:
            await journal.close()
    except JournalError as error:
        raise BackupRefused(f"the journal's new file cannot be read back: {error}. No row has left it") from error
    if (says, found) != (archived, end) or found == archived.end:
        raise BackupRefused(
            f"the new file of the journal ends at seq {found.last_seq}, not {end.last_seq}. No row has left the journal"
        )


def _remove(path: Path) -> None:
    path.unlink(missing_ok=True)
    _remove_beside(path)


def _remove_beside(path: Path) -> None:
    """The empty log of a closed database, and its index."""
    for beside in (log_of(path), path.with_name(f"{path.name}-shm")):
        beside.unlink(missing_ok=True)
