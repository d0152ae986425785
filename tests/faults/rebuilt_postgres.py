"""Compares the read database of a scaled venue with one rebuilt from its journal, row by row in every table; and proves the
journal: every batch continues the chain, and every command, executed again, has the same events."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from matching_engine import Engine
from services.journal.errors import JournalError
from services.journal.postgres.journal import PostgresJournal
from services.journal.replay import re_execute
from services.read_model.projector import catch_up
from tests.faults.rebuilt import Difference
from tests.faults.rig import Report, scratch
from tests.integration.read_databases import ReadDatabase


class Compared(NamedTuple):
    """What the comparison found."""

    last_seq: int
    differences: list[Difference]


async def compare(url: str) -> Compared:
    """The tables in which the read database of a venue, brought to the journal's end, differs from a rebuilt one. No projector
    may run. Raises JournalError."""
    journal = await PostgresJournal.open(url)
    try:
        with TemporaryDirectory(dir=scratch()) as work:
            theirs, rebuilt = ReadDatabase(Path(work), url), ReadDatabase(Path(work))
            await rebuilt.make()
            await catch_up(theirs.writer(), journal)
            found = await theirs.dump()
            end_seq = found["position"][0][1]
            await catch_up(rebuilt.writer(), journal, to_seq=end_seq)
            expected = await rebuilt.dump()
    finally:
        await journal.close()
    counts = [(name, Counter(found[name]), Counter(rows)) for name, rows in expected.items()]
    different = [
        Difference(name, (rows - expected).total(), (expected - rows).total()) for name, rows, expected in counts
    ]
    return Compared(end_seq, [one for one in different if one.too_many or one.missing])


async def check_rows(url: str, report: Report) -> None:
    """Compares, and adds to the report."""
    compared = await compare(url)
    report.broken += [f"at seq {compared.last_seq} {difference}" for difference in compared.differences]
    report.add("rebuilt_row_for_row", int(not compared.differences))


async def prove(url: str, report: Report) -> None:
    """Executes the whole journal again."""
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
