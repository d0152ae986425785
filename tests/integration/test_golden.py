"""Golden files (tests/data): what this REX has written in each of its formats is read, and makes the same state again.

A format number that moves fails a test until there are files of the new number: tests/data/engine_5/make_journals.py and
tests/data/snapshot_1/make_snapshot.py show how.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from matching_engine import ENGINE_VERSION, Engine
from matching_engine.records import OLDEST_RECORD_FORMAT, RECORD_FORMAT
from services.journal.batch import BATCH_FORMAT, HEADER, BatchHeader
from services.journal.compression import COMPRESSED_FORMAT
from services.journal.connections import FILE_FORMAT
from services.journal.sqlite import SqliteJournal
from services.journal.verify import verify
from services.snapshots.folder import FolderStore
from services.snapshots.loading import load
from services.snapshots.record import SNAPSHOT_FORMAT, Snapshot
from tests.integration.golden_journals import MADE, stored, unpack

pytestmark = pytest.mark.anyio

STATE_HASHES = {
    "engine_5/thin_days": "b23a4d8dc51375f869aa69bd4c61319c30bf112a98f266f6678d86a5411998dc",
    "engine_5/traded": "cdb7ae9bfdefe298a47f60fced6de54a0fa76369f633b020b5c169b992a16c15",
}
"""The state at the end of each journal. A change here is a change of the rules for journals that exist: it needs another
ENGINE_VERSION."""
FORMATS = {
    ("engine", ENGINE_VERSION),
    ("row", BATCH_FORMAT),
    ("row", COMPRESSED_FORMAT),
    *(("record", number) for number in range(OLDEST_RECORD_FORMAT, RECORD_FORMAT + 1)),
    ("file", FILE_FORMAT),
}


def formats(path: Path) -> Iterator[tuple[str, int]]:
    """The numbers of every format in a journal's file."""
    with closing(sqlite3.connect(path)) as connection:
        yield "file", int(connection.execute("SELECT format FROM meta").fetchone()[0])
    for data in stored(path):
        header = BatchHeader._make(HEADER.unpack_from(data))
        yield "row", header.batch_format
        yield "record", header.record_format
        yield "engine", header.engine_version


def test_every_format_has_a_golden_journal(tmp_path: Path) -> None:
    names = {str(path.relative_to(MADE)).removesuffix(".sqlite.xz") for path in MADE.glob("*/*.sqlite.xz")}
    assert names == STATE_HASHES.keys()
    found = {one for name in names for one in formats(unpack(name, tmp_path / name.replace("/", "_")))}
    assert found == FORMATS, "make golden journals of this format: see tests/data/engine_5/make_journals.py"


@pytest.mark.parametrize("name", STATE_HASHES)
async def test_a_golden_journal_makes_its_events_and_its_state_again(tmp_path: Path, name: str) -> None:
    journal = await SqliteJournal.open(unpack(name, tmp_path), read_only=True)
    result = await verify(journal, engine=Engine())
    await journal.close()
    assert (result.error, result.state_hash) == (None, STATE_HASHES[name])


async def test_a_golden_snapshot_is_loaded_and_followed(tmp_path: Path) -> None:
    data = (MADE / f"snapshot_{SNAPSHOT_FORMAT}" / "thin_days.snapshot").read_bytes()
    journal = await SqliteJournal.open(unpack("engine_5/thin_days", tmp_path), read_only=True)
    store = FolderStore.of(tmp_path)
    await store.write(Snapshot.decode(data))
    loaded = await load(journal, store)
    await journal.close()
    assert loaded is not None
    assert 0 < loaded.header.seq < loaded.engine.last_seq
    assert loaded.engine.state_hash() == STATE_HASHES["engine_5/thin_days"]
