"""A device that fails: the venue ends by itself, and its status says so whatever met the device first."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from services.read_model.database import connect_reader, trouble_with
from services.read_model.errors import ReadDatabaseDamaged, ReadDatabaseDeviceFailed
from tests.faults import failed_device
from tests.faults.loop_disk import loop_disk
from tests.faults.rig import CannotRun


def test_a_venue_whose_device_fails_ends_with_status_4() -> None:
    try:
        report = failed_device.run(3, 1, lambda: None)
    except CannotRun as reason:
        pytest.skip(f"failed devices: {reason}")
    assert report.broken == []


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
