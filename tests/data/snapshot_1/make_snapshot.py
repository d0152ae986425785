"""Makes the snapshot of this folder, of format 1 and engine version 5, in the middle of the journal engine_5/thin_days:

python -m tests.data.snapshot_1.make_snapshot
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from matching_engine import ENGINE_VERSION, Engine
from services.journal.sqlite import SqliteJournal
from services.snapshots.following import follow
from services.snapshots.record import SNAPSHOT_FORMAT, Snapshot
from tests.integration.golden_journals import unpack

FILE = Path(__file__).parent / "thin_days.snapshot"


async def snapshot(folder: Path) -> Snapshot:
    """The snapshot, with a time of its own: 1 January 2026."""
    journal = await SqliteJournal.open(unpack("engine_5/thin_days", folder), read_only=True)
    last = await journal.last_batch()
    assert last is not None
    engine = Engine()
    end = await follow(engine, journal, to_seq=last.last_seq // 2)
    await journal.close()
    return Snapshot.of_engine(engine, journal.journal_id, end, 1_767_225_600 * 10**9)


def main() -> None:
    """Writes the file."""
    formats = SNAPSHOT_FORMAT, ENGINE_VERSION
    assert formats == (1, 5), f"this REX has the formats {formats}: make a folder of its own for what is new"
    with TemporaryDirectory() as folder:
        FILE.write_bytes(asyncio.run(snapshot(Path(folder))).data)
    sys.stdout.write(f"{FILE}: {FILE.stat().st_size} bytes\n")


if __name__ == "__main__":
    main()
