"""A snapshot of every format that a REX has written is loaded, or refused by the number that differs: tests/data/snapshot_N."""

from __future__ import annotations

from pathlib import Path

import pytest

from matching_engine import ENGINE_VERSION
from services.journal.sqlite import SqliteJournal
from services.snapshots.errors import SnapshotRefused
from services.snapshots.folder import FolderStore
from services.snapshots.loading import load
from services.snapshots.record import SNAPSHOT_FORMAT, Snapshot, read_header
from tests.integration.older_journal import MADE, unpack
from tests.integration.test_golden import STATE_HASHES

pytestmark = pytest.mark.anyio

GOLDEN = sorted(MADE.glob("snapshot_*/*.snapshot"))


def test_every_format_has_a_golden_snapshot() -> None:
    assert {int(path.parent.name.removeprefix("snapshot_")) for path in GOLDEN} == {*range(1, SNAPSHOT_FORMAT + 1)}, (
        "add a snapshot of this format: see tests/data/snapshot_1/make_snapshot.py"
    )


@pytest.mark.parametrize("data", [pytest.param(path.read_bytes(), id=path.parent.name) for path in GOLDEN])
async def test_a_golden_snapshot_is_loaded_and_followed_or_refused_by_name(tmp_path: Path, data: bytes) -> None:
    header = read_header(data)
    if (header.snapshot_format, header.engine_version) != (SNAPSHOT_FORMAT, ENGINE_VERSION):
        with pytest.raises(SnapshotRefused, match=r"has format \d+, and this REX|was made by engine version \d+, and"):
            Snapshot.decode(data)
        return
    journal = await SqliteJournal.open(unpack("engine_4/thin_days", tmp_path), read_only=True)
    store = FolderStore.of(tmp_path)
    await store.write(Snapshot.decode(data))
    loaded = await load(journal, store)
    await journal.close()
    assert loaded is not None
    assert (loaded.header.seq, loaded.engine.state_hash()) == (header.seq, STATE_HASHES["engine_4/thin_days"])
