"""Journals that older engine versions made (tests/data), and forgeries of them by somebody who knows the format."""

from __future__ import annotations

import lzma
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from services.journal.batch import NO_HASH, JournalBatch
from services.reporting.report_database import JOURNAL_FILE

MADE = Path(__file__).parents[1] / "data"
UNCHANGED = "engine_2/unchanged"
AUCTION_HALTED = "engine_2/auction_halted"
"""Two auctions were halted and resumed; for them version 3 publishes the indicative price again (rule 4.6)."""
THIN_DAYS = "engine_3/thin_days"
"""Days of fewer lots than version 4 asks for (rule 4.10): they stay settled by the rule that their day rolls name."""
SEALED = "engine_3/sealed"
"""AUCTION_HALTED, taken over by version 3 with a sealed state of format 2, and a day of version 3."""

COMPRESSED = "row_format_2/thin_days"
"""THIN_DAYS with compressed rows."""


def unpack(name: str, folder: Path) -> Path:
    """Copies the journal into a data folder; returns the path of its file."""
    folder.mkdir(exist_ok=True)
    path = folder / JOURNAL_FILE
    path.write_bytes(lzma.decompress((MADE / f"{name}.sqlite.xz").read_bytes()))
    return path


def stored(path: Path) -> list[bytes]:
    """The batches in the file, unchecked."""
    with closing(sqlite3.connect(path)) as connection:
        return [data for (data,) in connection.execute("SELECT data FROM rows ORDER BY first_seq")]


def rewrite(path: Path, change: Callable[[JournalBatch], JournalBatch]) -> None:
    """Changes batches and computes every hash and checksum anew, so that only the contents of the batches show the forgery."""
    last_hash = NO_HASH
    batches = []
    for data in stored(path):
        batch = change(replace(JournalBatch.decode(data), previous_hash=last_hash))
        batches.append((batch.encode(), batch.first_seq))
        last_hash = batch.hash
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executemany("UPDATE rows SET data = ? WHERE first_seq = ?", batches)
