"""Reads the position of a data folder's read database as evidence about the journal."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from services.journal.witness import Witness
from services.read_model.database import connect_reader
from services.read_model.errors import ReadDatabaseForeign

POSITION = "SELECT seq, row_hash, journal_id FROM position"


class ReadWitness(NamedTuple):
    """The evidence of the read database about the journal."""

    witness: Witness | None
    note: str
    """Its position, or why it is no witness, as a sentence."""


def read_witness(path: Path, journal_id: bytes) -> ReadWitness:
    """Reads the position of the read database at `path`; changes nothing.

    Raises ReadDatabaseForeign for a database of another journal: it may be the only evidence that the journal was replaced.
    Without a journal (empty journal_id) it is a witness of the journal that it was made from.
    Beside a running venue, read this before the journal: a batch is journaled before it is projected.
    """
    name = f"the read database {path}"
    if not path.exists():
        return ReadWitness(None, f"there is no read database {path}")
    try:
        with closing(connect_reader(path)) as connection:
            found = connection.execute(POSITION).fetchone()
    except sqlite3.Error as error:
        return ReadWitness(None, f"{name} cannot be read: {error}")
    return evidence(path, found, journal_id)


def evidence(name: object, found: Sequence[object] | None, journal_id: bytes) -> ReadWitness:
    """What the seq, row_hash and journal_id in a read database say about the journal. Raises ReadDatabaseForeign."""
    sentence = f"the read database {name}"
    match found:
        case (int(), bytes(), bytes(of_journal)) if journal_id and of_journal != journal_id:
            raise ReadDatabaseForeign(name, "was made from another journal")
        case None | (0, _, _):
            return ReadWitness(None, f"{sentence} is empty")
        case (int(seq), bytes(row_hash), bytes()):
            return ReadWitness(Witness(seq, row_hash, sentence), f"{sentence} stands at seq {seq}")
        case _:
            return ReadWitness(None, f"{sentence} cannot be read: its position is damaged")


def remembered(path: Path, journal_id: bytes) -> Witness | None:
    """The witness in the read database at `path`, as `read_witness` finds it; None where there is none."""
    return read_witness(path, journal_id).witness
