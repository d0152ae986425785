"""An embedded venue is killed, its disk loses its power or fails, its files are removed: nothing acknowledged is lost, or the
venue says so. Whether a kill sees an acknowledgement that comes too early: the rig `by_chance`."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path
from random import Random

import pytest

from services.read_model.database import connect_reader, trouble_with
from services.read_model.errors import ReadDatabaseDamaged, ReadDatabaseDeviceFailed
from tests.faults import file_faults
from tests.faults.embedded import (
    FAILED_DEVICE,
    FAILED_SYNC,
    FILE_REMOVED,
    KILL,
    POWER_CUT,
    follow_each_other,
    on_disk,
    run,
)
from tests.faults.loop_disk import loop_disk
from tests.faults.mutants import unsynced_journal
from tests.faults.rig import CannotRun, Report
from tests.long import some


def test_whatever_becomes_of_its_disk_no_acknowledged_order_is_lost_and_no_status_is_wrong() -> None:
    report = Report("embedded")
    faults = [*FAILED_SYNC.faults, *FAILED_DEVICE.named("device", "device at rest")]
    try:
        with on_disk() as folder:
            asyncio.run(follow_each_other(folder, faults, report, Random(7), lambda: None))
    except CannotRun as reason:
        pytest.skip(f"NO DISK FAILED: {reason}")
    assert report.broken == []
    assert (report.counts["syncs_failed"], report.counts["syncs_failed_at_rest"]) == (1, 1)
    assert (report.counts["power_cut"], report.counts["rebuilt_row_for_row"]) == (2, 2)
    assert report.counts["acknowledged"] > 0


def test_a_venue_that_acknowledges_before_the_row_is_on_the_device_is_caught() -> None:
    try:
        broken = run(POWER_CUT, 8, 1, lambda: None, mutant=unsynced_journal).broken
    except CannotRun as reason:
        pytest.skip(f"NO POWER WAS CUT: {reason}")
    assert broken, "PRAGMA synchronous=OFF went unseen for 8 cuts"


@pytest.mark.long
def test_a_venue_that_is_killed_again_loses_nothing() -> None:
    """One kill: `tests/e2e/test_kill.py`."""
    report = run(KILL, 2, 11, lambda: None)
    assert report.broken == []
    assert report.counts["acknowledged"] > 0
    assert report.counts["rebuilt_row_for_row"] == 2


@pytest.mark.parametrize(
    "names", some([["log removed", "journal removed at rest", "second venue"], [*file_faults.HARMS]])
)
def test_nothing_is_acknowledged_on_files_that_are_gone(names: list[str]) -> None:
    report = run(FILE_REMOVED._replace(faults=FILE_REMOVED.named(*names)), len(names), 1, lambda: None)
    assert report.broken == []
    assert all(report.counts[name.replace(" ", "_")] == 1 for name in names)


def test_a_read_database_whose_device_refuses_is_not_called_damaged() -> None:
    """SQLite calls a file malformed where a read of it is refused."""
    try:
        with loop_disk() as disk:
            path = _filled(disk.folder.with_name("read.sqlite"))
            with closing(connect_reader(path)) as reader:
                reader.execute("SELECT name FROM sqlite_master").fetchall()
                disk.cut()
                with pytest.raises(sqlite3.DatabaseError, match="malformed") as found:
                    reader.execute("SELECT sum(length(bytes)) FROM filled").fetchall()
            assert isinstance(trouble_with(path, found.value), ReadDatabaseDeviceFailed)
            disk.restart()
            assert isinstance(trouble_with(path, found.value), ReadDatabaseDamaged)
    except CannotRun as reason:
        pytest.skip(f"failed devices: {reason}")


def _filled(path: Path) -> Path:
    """A file that is larger than what SQLite reads at once."""
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE filled (bytes BLOB)")
        connection.executemany("INSERT INTO filled VALUES (zeroblob(?))", [(4_096,)] * 100)
    return path
