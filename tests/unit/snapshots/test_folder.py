"""Snapshots as files: whole or not there, private, and one bad file hides no other."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from matching_engine import Engine
from services.journal.chain import ChainEnd
from services.snapshots.errors import SnapshotFailed
from services.snapshots.folder import PARTIAL, FolderStore
from services.snapshots.record import Snapshot
from tests.unit.journal.chains import JOURNAL_ID

pytestmark = pytest.mark.anyio


def snapshot_at(seq: int) -> Snapshot:
    """The bytes need not be loaded here."""
    return Snapshot.of_engine(Engine(), JOURNAL_ID, ChainEnd(seq, bytes(32)), 1_000 + seq)


async def test_snapshots_are_kept_newest_first_and_private(tmp_path: Path) -> None:
    store = FolderStore.of(tmp_path)
    assert await store.kept() == []
    for seq in (5, 12, 7):
        await store.write(snapshot_at(seq))
    found = await store.kept()
    assert [(one.seq, one.header) for one in found] == [(seq, snapshot_at(seq).header) for seq in (12, 7, 5)]
    assert await store.read(12) == snapshot_at(12).data
    for path in [tmp_path / "snapshots", *(tmp_path / "snapshots").iterdir()]:
        assert not stat.S_IMODE(path.stat().st_mode) & 0o077
    await store.remove(7)
    await store.remove(7)
    assert [one.seq for one in await store.kept()] == [12, 5]
    assert await store.read(7) is None


async def test_what_an_interrupted_writer_left_is_no_snapshot_and_the_next_writer_removes_it(tmp_path: Path) -> None:
    store = FolderStore.of(tmp_path)
    await store.write(snapshot_at(5))
    half = store.path(9).with_name(store.path(9).name + PARTIAL)
    half.write_bytes(snapshot_at(9).data[:50])
    assert [one.seq for one in await store.kept()] == [5]
    await store.write(snapshot_at(9))
    assert [one.seq for one in await store.kept()] == [9, 5]
    assert not half.exists()


async def test_a_file_that_cannot_be_read_hides_no_other(tmp_path: Path) -> None:
    store = FolderStore.of(tmp_path)
    await store.write(snapshot_at(5))
    store.path(9).write_bytes(b"nothing")
    store.path(10).mkdir()
    assert [(one.seq, one.header is None) for one in await store.kept()] == [(10, True), (9, True), (5, False)]
    assert await store.read(9) == b"nothing"
    with pytest.raises(SnapshotFailed, match="cannot be read: Is a directory"):
        await store.read(10)


async def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "snapshots").write_text("")
    store = FolderStore.of(tmp_path)
    with pytest.raises(SnapshotFailed, match=r"the snapshot .*snapshots/0+5\.snapshot cannot be written"):
        await store.write(snapshot_at(5))
    assert os.listdir(tmp_path) == ["snapshots"]
