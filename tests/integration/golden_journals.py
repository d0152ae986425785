"""The golden journals (tests/data), and forgeries of journals by somebody who knows the format."""

from __future__ import annotations

import lzma
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from services.files.data_folder import JOURNAL_FILE
from services.journal.batch import NO_HASH, JournalBatch

MADE = Path(__file__).parents[1] / "data"


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
