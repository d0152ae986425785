"""Compares a folder's read database with one rebuilt from its journal, row by row in every table."""

from __future__ import annotations

import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from services.files.data_folder import JOURNAL_FILE, READ_DATABASE_FILE
from services.journal.sqlite import SqliteJournal
from services.read_model import tables
from services.read_model.database import connect_writer, make_tables
from services.read_model.projector import catch_up
from services.read_model.sqlite_writer import SqliteWriter
from tests.faults.rig import scratch

Rows = dict[str, Counter[tuple[Any, ...]]]


class Rebuilt(NamedTuple):
    """The batches' hashes of a folder's journal, and the read database rebuilt from it."""

    last_seq: int
    hashes: dict[int, bytes]
    """The hash of each batch, by its last sequence number."""
    rows: Rows
    """The rows of each table of the rebuilt read database."""


async def rebuild(folder: Path) -> Rebuilt:
    """Reads and checks every batch of the journal. Raises JournalError."""
    journal = await SqliteJournal.open(folder / JOURNAL_FILE, read_only=True)
    try:
        hashes = {row.last_seq: row.hash async for row in journal.read(0)}
        with TemporaryDirectory(dir=scratch()) as work:
            path = Path(work) / READ_DATABASE_FILE
            with closing(connect_writer(path)) as connection:
                make_tables(connection)
            await catch_up(SqliteWriter(path), journal)
            return Rebuilt(max(hashes, default=0), hashes, _rows(path))
    finally:
        await journal.close()


class Difference(NamedTuple):
    """A table that differs from the rebuilt one."""

    table: str
    too_many: int
    missing: int

    def __str__(self) -> str:
        return f"table {self.table} has {self.too_many} rows that should not be and lacks {self.missing}"


async def differences(folder: Path, rebuilt: Rebuilt | None = None) -> list[Difference]:
    """The tables in which a copy of the folder's read database, brought to the journal's end, differs from the rebuilt one."""
    expected = rebuilt or await rebuild(folder)
    journal = await SqliteJournal.open(folder / JOURNAL_FILE, read_only=True)
    try:
        with TemporaryDirectory(dir=scratch()) as work:
            path = Path(work) / READ_DATABASE_FILE
            with (
                closing(sqlite3.connect(folder / READ_DATABASE_FILE)) as theirs,
                closing(sqlite3.connect(path)) as ours,
            ):
                theirs.backup(ours)
            await catch_up(SqliteWriter(path), journal)
            found = _rows(path)
    finally:
        await journal.close()
    return [
        Difference(name, (found[name] - rows).total(), (rows - found[name]).total())
        for name, rows in expected.rows.items()
        if rows != found[name]
    ]


def _rows(path: Path) -> Rows:
    with closing(sqlite3.connect(path)) as connection:
        return {
            table.name: Counter(connection.execute(f"SELECT * FROM {table.name}"))
            for table in tables.metadata.sorted_tables
        }
