"""The parts of a proof that need no engine, in processes of their own: the independent decoder, every order compared.

    python -m services.reporting.proof_parts

reads its work from its standard input, as JSON: a command line would show the password of a database to every user. It reads
the journal by itself, prints the sequence numbers that it has reached, a line each, and at last the outcome as JSON.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import NamedTuple

from services.journal import Journal
from services.journal.batch import JournalBatch
from services.journal.errors import JournalCorrupt
from services.journal.postgres.journal import PostgresJournal
from services.journal.sqlite import SqliteJournal
from services.read_database.audit.proof import ReadDatabaseProof
from services.reporting.audit import Audit, Damaged, Decoder

DECODER, ORDERS = "the independent decoder", "the comparison of every order"
COMMANDS_BETWEEN_LINES = 20_000


class Work(NamedTuple):
    """What one process does."""

    parts: list[str]
    """DECODER, ORDERS or both."""
    journal: str
    """The journal's SQLite file, or the URL of its database."""
    is_file: bool
    read_database: str
    """The SQLite file that is compared."""
    year: int
    seq: int
    """The decoder adds up what there is up to this command. Orders are compared at the position of the read database."""


@dataclass
class Found:
    """What it found."""

    audit: Audit | None = None
    """The decoder's."""
    seq: int | None = None
    """The position of the read database at which every order was compared; 0 where there was nothing to compare."""
    differences: list[str] = field(default_factory=list)
    """Of the read database, one sentence each."""
    damage: tuple[str, int | None] | None = None
    """Why the journal cannot be read on, and from which command on."""


def decode(decoder: Decoder, batch: JournalBatch) -> None:
    """Gives the decoder the row as it is stored; the decoder decompresses it by itself. Raises JournalCorrupt."""
    try:
        decoder.take(batch.stored)
    except Damaged as damage:
        sentence = str(damage).rstrip(".")
        raise JournalCorrupt(f"the independent decoder cannot read on: {sentence}", batch.first_seq) from damage


async def _found(work: Work) -> Found:
    journal = await _opened(work)
    try:
        with ReadDatabaseProof(Path(work.read_database), None, every_order=ORDERS in work.parts) as proof:
            takers: list[Callable[[JournalBatch], None]] = []
            decoder = Decoder(work.year, work.seq)
            if DECODER in work.parts:
                takers.append(partial(decode, decoder))
            if ORDERS in work.parts:
                takers.append(proof.take)
            try:
                await _walk(journal, max(work.seq, proof.seq), takers)
            except JournalCorrupt as damage:
                return Found(damage=(str(damage), damage.seq))
        audit = decoder.audit if DECODER in work.parts else None
        return Found(audit, proof.seq, proof.differences) if ORDERS in work.parts else Found(audit)
    finally:
        await journal.close()


async def _opened(work: Work) -> Journal:
    if work.is_file:
        return await SqliteJournal.open(Path(work.journal), read_only=True)
    return await PostgresJournal.open(work.journal)


async def _walk(journal: Journal, to_seq: int, takers: list[Callable[[JournalBatch], None]]) -> None:
    """Passes on every batch from the first one up to to_seq, and says how far it is."""
    line_at = COMMANDS_BETWEEN_LINES
    if not to_seq:
        return
    async for batch in journal.read(0):
        for take in takers:
            take(batch)
        if batch.last_seq >= line_at:
            line_at = batch.last_seq + COMMANDS_BETWEEN_LINES
            sys.stdout.write(f"{batch.last_seq}\n")
            sys.stdout.flush()  # fails, and so ends this process, if the one that reads it is gone
        if batch.last_seq >= to_seq:
            return
    raise JournalCorrupt(f"the journal ends before seq {to_seq}", to_seq)


if __name__ == "__main__":
    outcome = asyncio.run(_found(Work(*json.load(sys.stdin))))
    sys.stdout.write(json.dumps(asdict(outcome)))
