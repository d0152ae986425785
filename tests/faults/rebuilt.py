"""Compares a read database with one that is rebuilt from its journal, row by row in every table, in both modes; and proves a
journal: every batch continues the chain, and every command, executed again, has the same events."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from matching_engine import Engine
from services.files.data_folder import JOURNAL_FILE, READ_DATABASE_FILE
from services.journal import Journal
from services.journal.errors import JournalError
from services.journal.postgres.journal import PostgresJournal
from services.journal.replay import re_execute
from services.journal.sqlite import SqliteJournal
from services.read_model.projector import catch_up
from tests.faults.rig import Report, scratch
from tests.integration.read_databases import Dump, ReadDatabase


class Rebuilt(NamedTuple):
    """The batches' hashes of a journal, and the read database rebuilt from it."""

    last_seq: int
    hashes: dict[int, bytes]
    """The hash of each batch, by its last sequence number."""
    rows: Dump


class Difference(NamedTuple):
    """A table that differs from the rebuilt one."""

    table: str
    too_many: int
    missing: int

    def __str__(self) -> str:
        return f"table {self.table} has {self.too_many} rows that should not be and lacks {self.missing}"


async def rebuild(folder: Path) -> Rebuilt:
    """Reads and checks every batch of a folder's journal. Raises JournalError."""
    async with _journal_of(folder) as journal:
        hashes = {batch.last_seq: batch.hash async for batch in journal.read(0)}
        return Rebuilt(max(hashes, default=0), hashes, await _rebuilt(journal))


async def differences(folder: Path, rebuilt: Rebuilt | None = None) -> list[Difference]:
    """The tables in which a copy of the folder's read database, brought to the journal's end, differs from the rebuilt one."""
    expected = rebuilt or await rebuild(folder)
    async with _journal_of(folder) as journal:
        with TemporaryDirectory(dir=scratch()) as work:
            copy = ReadDatabase(Path(work))
            with (
                closing(sqlite3.connect(folder / READ_DATABASE_FILE)) as theirs,
                closing(sqlite3.connect(copy.path)) as ours,
            ):
                theirs.backup(ours)
            await catch_up(copy.writer(), journal)
            return _differences(await copy.dump(), expected.rows)


@asynccontextmanager
async def _journal_of(folder: Path) -> AsyncIterator[SqliteJournal]:
    journal = await SqliteJournal.open(folder / JOURNAL_FILE, read_only=True)
    try:
        yield journal
    finally:
        await journal.close()


async def check_rows(url: str, report: Report) -> None:
    """Brings the read database of a scaled venue to the journal's end, and compares. No projector may run."""
    journal, theirs = await PostgresJournal.open(url), ReadDatabase(Path(), url)
    try:
        await catch_up(theirs.writer(), journal)
        found = await theirs.dump()
        end_seq: int = found["position"][0][1]
        different = _differences(found, await _rebuilt(journal, end_seq))
    finally:
        await journal.close()
    report.broken += [f"at seq {end_seq} {difference}" for difference in different]
    report.add("rebuilt_row_for_row", int(not different))


async def prove(url: str, report: Report) -> None:
    """Executes the whole journal of a scaled venue again."""
    try:
        journal = await PostgresJournal.open(url)
        try:
            engine = Engine()
            async for batch in journal.read(0):
                re_execute(engine, batch)
        finally:
            await journal.close()
    except JournalError as error:
        report.broken.append(f"the journal: {error}")
    else:
        report.add("journals_proven")


async def _rebuilt(journal: Journal, to_seq: int | None = None) -> Dump:
    with TemporaryDirectory(dir=scratch()) as work:
        rebuilt = ReadDatabase(Path(work))
        await rebuilt.make()
        await catch_up(rebuilt.writer(), journal, to_seq=to_seq)
        return await rebuilt.dump()


def _differences(found: Dump, expected: Dump) -> list[Difference]:
    counts: list[tuple[str, Counter[Any], Counter[Any]]] = [
        (name, Counter(found[name]), Counter(rows)) for name, rows in expected.items()
    ]
    return [Difference(name, (has - due).total(), (due - has).total()) for name, has, due in counts if has != due]
