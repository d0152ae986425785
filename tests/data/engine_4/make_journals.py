"""Makes the journals of this folder, and the read database of ../read_9, with an engine of version 4:

    python -m tests.data.engine_4.make_journals

Version 4 settles a day by the waterfall, and seals states of format 3. `thin_days` has the days of engine_3/thin_days; `sealed`
is `auction_halted` of engine version 2, taken over by version 4 with a sealed state, and a day of version 4. The journal id is
drawn by chance, all else is the same each time.
"""

from __future__ import annotations

import asyncio
import lzma
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from matching_engine import ENGINE_VERSION
from matching_engine.snapshot.state import STATE_FORMAT
from services.journal.sqlite import SqliteJournal
from services.read_database.database import READ_FORMAT, open_read_database
from services.read_database.projector import catch_up
from services.read_database.sqlite_writer import SqliteWriter
from services.reporting.report_database import JOURNAL_FILE, READ_DATABASE_FILE
from tests.data.engine_3.make_journals import sealed, thin_days

FOLDER = Path(__file__).parent


async def read_database(folder: Path) -> bytes:
    """The read database of `thin_days`."""
    (folder / JOURNAL_FILE).write_bytes(lzma.decompress((FOLDER / "thin_days.sqlite.xz").read_bytes()))
    journal = await SqliteJournal.open(folder / JOURNAL_FILE, read_only=True)
    path = folder / READ_DATABASE_FILE
    await open_read_database(path).dispose()
    await catch_up(SqliteWriter(path), journal)
    await journal.close()
    return path.read_bytes()


def main() -> None:
    """Writes the three files."""
    formats = ENGINE_VERSION, STATE_FORMAT, READ_FORMAT
    assert formats == (4, 3, 9), f"this REX has the formats {formats}: make a folder of its own for what is new"
    for make, name in ((thin_days, "engine_4/thin_days"), (sealed, "engine_4/sealed"), (read_database, "read_9/read")):
        with TemporaryDirectory() as folder:
            data = asyncio.run(make(Path(folder)))
        path = FOLDER.parent / f"{name}.sqlite.xz"
        path.write_bytes(lzma.compress(data, preset=9))
        sys.stdout.write(f"{path}: {len(data)} bytes, {path.stat().st_size} compressed\n")


if __name__ == "__main__":
    main()
