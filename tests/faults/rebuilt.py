"""A folder's read database beside one that is built anew from its journal: row for row, table for table."""

from __future__ import annotations

import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from services.journal.sqlite import SqliteJournal
from services.read_database import tables
from services.read_database.database import connect_writer, make_tables
from services.read_database.projector import catch_up
from services.reporting.report_database import JOURNAL_FILE, READ_DATABASE_FILE
from tests.faults.rig import scratch

Rows = dict[str, Counter[tuple[Any, ...]]]


class Rebuilt(NamedTuple):
    """What a folder's journal comes to."""

    last_seq: int
    hashes: dict[int, bytes]
    """Of each row, by the sequence number it ends at."""
    rows: Rows
    """Of each table of a read database that is built from the journal alone."""


async def rebuild(folder: Path) -> Rebuilt:
    """Reads and checks every row of the journal. Raises JournalError."""
    journal = await SqliteJournal.open(folder / JOURNAL_FILE, read_only=True)
    try:
        hashes = {row.last_seq: row.hash async for row in journal.read(0)}
        with TemporaryDirectory(dir=scratch()) as work:
            path = Path(work) / READ_DATABASE_FILE
            with closing(connect_writer(path)) as connection:
                make_tables(connection)
            await catch_up(path, journal)
            return Rebuilt(max(hashes, default=0), hashes, _rows(path))
    finally:
        await journal.close()


class Difference(NamedTuple):
    """A table that is not as it should be."""

    table: str
    too_many: int
    missing: int

    def __str__(self) -> str:
        return f"table {self.table} has {self.too_many} rows that should not be and lacks {self.missing}"


async def differences(folder: Path, rebuilt: Rebuilt | None = None) -> list[Difference]:
    """The tables in which the folder's read database, brought up to the journal's end in a copy, differs from a new one."""
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
            await catch_up(path, journal)
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
