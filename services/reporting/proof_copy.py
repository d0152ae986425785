"""Copies a venue's read database into a SQLite file, in a process of its own: a proof is made of the copy. Its arguments are

    FILE [FOLDER]

It copies the read database of the data folder as of one position, and prints the position. The copy can then be brought up to
the very command at which the venue is proven, while the venue goes on. Without FOLDER the venue is in the database of
REX_DATABASE_URL.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from services.files.data_folder import READ_DATABASE_FILE
from services.files.proof_folder import require_room
from services.reporting.proven import DATABASE_URL
from services.venue.at_rest import copy_read_database


async def copied(file: str, folder: str = "") -> int:
    """The position of the copy; 0 where nothing was projected yet."""
    copy = Path(file)
    if folder:
        require_room(copy.parent, _size_bytes(Path(folder) / READ_DATABASE_FILE))
    with _removed_if_it_fails(copy):
        await copy_read_database(Path(folder) if folder else os.environ[DATABASE_URL], copy)
    with closing(sqlite3.connect(copy)) as connection:
        found = connection.execute("SELECT seq FROM position").fetchone()
    return 0 if found is None else int(found[0])


def _size_bytes(read_database: Path) -> int:
    files = (read_database, read_database.with_name(f"{read_database.name}-wal"))
    return sum(path.stat().st_size for path in files if path.exists())


@contextmanager
def _removed_if_it_fails(copy: Path) -> Iterator[None]:
    """The room of half a copy is free again at once, and not when the proof has ended."""
    try:
        yield
    except BaseException:
        copy.unlink(missing_ok=True)
        raise


def main() -> None:
    """Runs the process."""
    sys.stdout.write(str(asyncio.run(copied(*sys.argv[1:]))))
