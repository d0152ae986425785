"""The part of a proof that takes longest, in a process of its own: the comparison of the read database with a rebuilt one.

It reads its work from its standard input, as JSON: a command line would show the password of a database to every user. It reads
the journal by itself, prints the sequence numbers that it has reached, a line each, and at last the outcome as JSON.
"""

from __future__ import annotations

import asyncio
import gc
import json
import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import NamedTuple

from services.journal import Journal
from services.journal.errors import JournalCorrupt
from services.journal.postgres.journal import PostgresJournal
from services.journal.sqlite import SqliteJournal
from services.read_model.audit.proof import ReadDatabaseProof

COMMANDS_BETWEEN_LINES = 20_000


class Work(NamedTuple):
    """What the process does."""

    journal: str
    """The journal's SQLite file, or the URL of its database."""
    is_file: bool
    read_database: str
    """The SQLite file that is compared, at its position."""
    seq: int
    """The command at which the figure is proven."""


@dataclass
class Found:
    """What it found."""

    seq: int = 0
    """The position of the read database at which it was compared; 0 where there was nothing to compare."""
    row_hash: str = ""
    """Of the journal's row that holds the command at which the figure is proven."""
    differences: list[str] = field(default_factory=list)
    """Of the read database, one sentence each."""
    damage: tuple[str, int | None] | None = None
    """Why the journal cannot be read on, and from which command on."""


async def _found(work: Work) -> Found:
    journal = await _opened(work)
    try:
        with ReadDatabaseProof(Path(work.read_database), journal.journal_id) as proof:
            try:
                row_hash = await _walk(journal, work.seq, proof)
            except JournalCorrupt as damage:
                return Found(damage=(str(damage), damage.seq))
            return Found(proof.seq, row_hash, proof.differences)
    finally:
        await journal.close()


async def _opened(work: Work) -> Journal:
    if work.is_file:
        return await SqliteJournal.open(Path(work.journal), read_only=True)
    return await PostgresJournal.open(work.journal)


async def _walk(journal: Journal, seq: int, proof: ReadDatabaseProof) -> str:
    """Gives the proof every batch from the first one on, and says how far it is. Returns the hash of the one that holds seq."""
    line_at, row_hash, to_seq = COMMANDS_BETWEEN_LINES, "", max(seq, proof.seq)
    async for batch in journal.read(0):
        proof.take(batch)
        if batch.first_seq <= seq <= batch.last_seq:
            row_hash = batch.hash.hex()
        if batch.last_seq >= line_at:
            line_at = batch.last_seq + COMMANDS_BETWEEN_LINES
            sys.stdout.write(f"{batch.last_seq}\n")
            sys.stdout.flush()  # fails, and so ends this process, if the one that reads it is gone
        if batch.last_seq >= to_seq:
            return row_hash
    raise JournalCorrupt(f"the journal ends before seq {to_seq}", to_seq)


def main() -> None:
    """Runs the process."""
    gc.disable()  # Nothing here waits for a collection, and all of them would take an eighth of the time.
    outcome = asyncio.run(_found(Work(*json.load(sys.stdin))))
    sys.stdout.write(json.dumps(asdict(outcome)))
