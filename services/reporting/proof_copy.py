"""Copies a venue's read database into a SQLite file, in a process of its own: a proof is made of the copy.

    python -m services.reporting.proof_copy FILE [FOLDER]

copies the read database of the data folder as of one position, and prints the position. The copy can then be brought up to the
very command at which the venue is proven, while the venue goes on. Without FOLDER the venue is in the database of
REX_DATABASE_URL.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

from services.reporting.proven import DATABASE_URL
from services.venue.at_rest import copy_read_database


async def _copied(file: str, folder: str = "") -> int:
    """The position of the copy; 0 where nothing was projected yet."""
    copy = Path(file)
    await copy_read_database(Path(folder) if folder else os.environ[DATABASE_URL], copy)
    with closing(sqlite3.connect(copy)) as connection:
        found = connection.execute("SELECT seq FROM position").fetchone()
    return 0 if found is None else int(found[0])


if __name__ == "__main__":
    sys.stdout.write(str(asyncio.run(_copied(*sys.argv[1:]))))
