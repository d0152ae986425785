"""Snapshots under kills and damage, and the rig that catches what would let one through."""

from __future__ import annotations

import time
from typing import Any

import pytest

from services.journal import Journal
from services.snapshots import taking
from services.snapshots.folder import FolderStore
from services.snapshots.record import Snapshot, read_header
from services.snapshots.store import SnapshotStore
from tests.faults import snapshots


def test_every_start_comes_to_the_journals_state() -> None:
    report = snapshots.run(24, 3, lambda: None)
    assert report.broken == []
    assert all(report.counts.values()), report.counts


def test_the_rig_catches_snapshots_without_a_seal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Snapshot, "decode", lambda data: Snapshot(read_header(data), data))
    assert snapshots.run(24, 3, lambda: None).broken


@pytest.mark.long
def test_the_rig_catches_a_file_that_has_its_name_before_it_is_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    def write(self: FolderStore, snapshot: Snapshot) -> None:
        self.path(0).parent.mkdir(exist_ok=True)
        with open(self.path(snapshot.header.seq), "wb", buffering=0) as file:
            for first in range(0, len(snapshot.data), 64):
                file.write(snapshot.data[first : first + 64])
                time.sleep(0.002)

    monkeypatch.setattr(FolderStore, "_write", write)
    assert snapshots.run(24, 3, lambda: None).broken


@pytest.mark.long
def test_the_rig_catches_a_taking_that_removes_before_it_has_written(monkeypatch: pytest.MonkeyPatch) -> None:
    write = taking._write

    async def careless(journal: Journal, store: SnapshotStore, *others: Any) -> Snapshot:
        for kept in await store.kept():
            await store.remove(kept.seq)
        return await write(journal, store, *others)

    monkeypatch.setattr(taking, "_write", careless)
    assert snapshots.run(24, 3, lambda: None).broken
