"""The files of a running writer: removed, moved or replaced under it; locked twice; readable by their owner only."""

from __future__ import annotations

import asyncio
import os
import re
import resource
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from services.files import data_folder
from services.journal import JournalBusy, JournalError, JournalRemoved, batch_writer, connections, sqlite
from services.journal.batch import JournalBatch
from services.journal.connections import BUSY_S, log_of
from services.journal.journal_lock import JournalLock
from services.journal.sqlite import SqliteJournal
from tests.patience import PATIENCE_S
from tests.unit.journal.chains import next_batch

pytestmark = pytest.mark.anyio


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "journal.sqlite"


def beside(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)


def replace_by_copy(file: Path) -> None:
    copy = file.with_name("copy")
    shutil.copy(file, copy)
    copy.replace(file)


def remove_file(path: Path) -> None:
    path.unlink()


REMOVALS: dict[str, Callable[[Path], object]] = {
    "rm journal": remove_file,
    "rm -wal": lambda path: log_of(path).unlink(),
    "rm -shm": lambda path: beside(path, "-shm").unlink(),
    "rm -r folder": lambda path: shutil.rmtree(path.parent),
    "mv folder": lambda path: path.parent.rename(path.parent.with_name("elsewhere")),
    "mv journal": lambda path: path.rename(path.with_name("elsewhere")),
    "cp and mv journal": replace_by_copy,
    "cp and mv -wal": lambda path: replace_by_copy(log_of(path)),
}


@pytest.fixture(params=REMOVALS)
def remove(request: pytest.FixtureRequest) -> Callable[[Path], object]:
    return REMOVALS[request.param]


async def opened(path: Path) -> tuple[SqliteJournal, JournalBatch]:
    """A journal and its first batch."""
    journal = await SqliteJournal.open(path)
    batch = next_batch(None, journal_id=journal.journal_id)
    await journal.append(batch)
    return journal, batch


async def test_nothing_is_acknowledged_once_the_files_are_gone(
    path: Path, remove: Callable[[Path], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch_writer, "CHECK_NS", 0)
    journal, batch = await opened(path)
    remove(path)
    second = next_batch(batch, journal_id=journal.journal_id)
    for _ in range(2):
        with pytest.raises(JournalRemoved, match="removed, moved or replaced") as removed:
            await journal.append(second)
        assert str(path) in str(removed.value)
        assert removed.value.seq == second.first_seq
    await journal.close()


async def test_at_most_the_batches_of_5_ms_share_a_look_at_the_files(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [10**9]
    monkeypatch.setattr("services.journal.batch_writer.time.monotonic_ns", lambda: now[0])
    journal, batch = await opened(path)
    remove_file(path)
    now[0] += batch_writer.CHECK_NS - 1
    batch = next_batch(batch, journal_id=journal.journal_id)
    await journal.append(batch)
    now[0] += 1
    with pytest.raises(JournalRemoved):
        await journal.append(next_batch(batch, journal_id=journal.journal_id))
    await journal.close()


async def test_closing_says_so_when_no_append_has(path: Path, remove: Callable[[Path], object]) -> None:
    journal, _ = await opened(path)
    remove(path)
    with pytest.raises(JournalRemoved):
        await journal.close()
    await journal.close()
    if path.parent.exists():  # The locks are let go of.
        JournalLock.take(path).release()


async def test_closing_leaves_alone_what_stands_at_the_path_now(path: Path) -> None:
    """SQLite would remove the log at that path, though it belongs to another database."""
    journal, batch = await opened(path)
    other = await SqliteJournal.open(path.with_name("other"))
    await other.append(next_batch(None, 5, journal_id=other.journal_id))
    for suffix in ("", "-wal"):
        shutil.copy(beside(path, suffix), beside(path, f"-old{suffix}"))
        shutil.copy(beside(path.with_name("other"), suffix), beside(path, ".new"))
        beside(path, ".new").replace(beside(path, suffix))
    beside(path, "-shm").unlink()
    await other.close()
    with pytest.raises(JournalRemoved):
        await journal.close()
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT last_seq FROM rows").fetchall() == [(5,)]
    with closing(sqlite3.connect(beside(path, "-old"))) as connection:
        assert connection.execute("SELECT data FROM rows").fetchall() == [(batch.encode(),)]


async def test_an_idle_writer_finds_out_before_its_next_append(path: Path) -> None:
    journal, batch = await opened(path)
    remove_file(path)
    journal._tick()
    with pytest.raises(JournalRemoved):
        await journal.append(next_batch(batch, journal_id=journal.journal_id))
    await journal.close()


async def test_an_idle_writer_says_that_its_files_are_gone(
    path: Path, remove: Callable[[Path], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "IDLE_S", 0.001)
    journal, _ = await opened(path)
    watch = asyncio.create_task(journal.watch())
    assert journal.failed is None
    remove(path)
    with pytest.raises(JournalRemoved, match="removed, moved or replaced") as removed:
        await asyncio.wait_for(watch, PATIENCE_S)
    assert journal.failed is removed.value
    await journal.close()


async def test_a_log_that_a_reader_keeps_from_being_emptied_waits_for_the_next_second(path: Path) -> None:
    journal, _ = await opened(path)
    assert journal._writer is not None
    with closing(sqlite3.connect(path, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM rows").fetchall()
        assert not journal._writer.check(True)
        assert log_of(path).stat().st_size
    assert journal._writer._connection.execute("PRAGMA busy_timeout").fetchone() == (BUSY_S * 1000,)
    assert not journal._writer.check(True)
    assert not log_of(path).stat().st_size
    await journal.close()


async def test_without_the_lock_file_a_second_writer_is_refused_all_the_same(path: Path) -> None:
    journal, batch = await opened(path)
    beside(path, ".lock").unlink()
    with pytest.raises(JournalBusy, match="is in use by another REX process"):
        await SqliteJournal.open(path)
    await journal.append(next_batch(batch, journal_id=journal.journal_id))
    await journal.close()
    again = await SqliteJournal.open(path)
    assert (await again.last_batch(), again.epoch) == (next_batch(batch, journal_id=journal.journal_id), 2)
    await again.close()


async def test_a_writer_that_was_succeeded_appends_nothing(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fenced writer appends nothing, even without the locks: the INSERT checks the epoch."""
    monkeypatch.setattr("services.journal.journal_lock.fcntl.flock", lambda *_: None)
    first, batch = await opened(path)
    second = await SqliteJournal.open(path)
    assert second.epoch == 2
    late = next_batch(batch, journal_id=first.journal_id)
    for _ in range(2):
        with pytest.raises(JournalBusy, match=f"another process took over {path}: it is at epoch 2, this one at 1"):
            await first.append(late)
    assert await second.last_batch() == batch
    theirs = next_batch(batch, 3, journal_id=second.journal_id, epoch=2)
    await second.append(theirs)
    assert await second.last_batch() == theirs
    await second.close()
    await first.close()


def test_a_database_that_was_swapped_before_sqlite_opened_it_is_not_taken_for_the_locked_one(path: Path) -> None:
    held = JournalLock.take(path)
    with closing(sqlite3.connect(beside(path, ".other"))) as other:
        other.execute("PRAGMA journal_mode = WAL")
    beside(path, ".other").replace(path)
    with (
        closing(connections.open_writer(path)),
        pytest.raises(JournalRemoved, match="is no longer the file that is open"),
    ):
        held.remember()
    held.release()


def test_a_lock_file_that_cannot_be_written_leaves_nothing_locked(path: Path) -> None:
    JournalLock.take(path).release()
    open_before = os.listdir("/proc/self/fd")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, before[1]))
    try:
        with pytest.raises(JournalError, match=r"journal\.sqlite\.lock cannot be written"):
            JournalLock.take(path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert os.listdir("/proc/self/fd") == open_before
    JournalLock.take(path).release()


def modes(folder: Path) -> dict[str, int]:
    return {file.name: file.stat().st_mode & 0o777 for file in [folder, *folder.iterdir()]}


@pytest.fixture
def generous_umask() -> Iterator[None]:
    """Sets umask 0: a file is open to all users unless the code restricts it."""
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.mark.usefixtures("generous_umask")
async def test_only_its_owner_may_read_a_journal(path: Path) -> None:
    journal, batch = await opened(path)
    private = {
        "data": 0o700, "journal.sqlite": 0o600, "journal.sqlite-wal": 0o600, "journal.sqlite-shm": 0o600,
        "journal.sqlite.lock": 0o600,
    }  # fmt: skip
    assert modes(path.parent) == private
    await journal.close()
    path.parent.chmod(0o755)
    for file in path.parent.iterdir():
        file.chmod(0o644)
    again = await SqliteJournal.open(path)
    assert await again.last_batch() == batch
    assert modes(path.parent) == private
    await again.close()


@pytest.mark.usefixtures("generous_umask")
def test_a_database_is_made_private_and_tightened_with_its_log(tmp_path: Path) -> None:
    path = tmp_path / "read.sqlite"
    data_folder.make_private_database(path)
    path.chmod(0o664)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("CREATE TABLE t (a)")
        assert {file.stat().st_mode & 0o777 for file in tmp_path.iterdir()} == {0o664}
        data_folder.make_private_database(path)
        assert {file.name: file.stat().st_mode & 0o777 for file in tmp_path.iterdir()} == {
            "read.sqlite": 0o600, "read.sqlite-wal": 0o600, "read.sqlite-shm": 0o600,
        }  # fmt: skip


@pytest.mark.usefixtures("generous_umask")
def test_permissions_are_only_taken_away_and_never_from_a_shared_folder(tmp_path: Path) -> None:
    shared, strict, absent = tmp_path / "shared", tmp_path / "strict", tmp_path / "absent"
    shared.mkdir()
    shared.chmod(0o1777)
    strict.touch()
    strict.chmod(0o440)
    data_folder.make_private_folder(shared)
    data_folder.tighten(strict)
    data_folder.tighten(absent)
    assert (shared.stat().st_mode & 0o7777, strict.stat().st_mode & 0o777, absent.exists()) == (0o1777, 0o400, False)


async def test_a_folder_that_cannot_be_written_is_named_with_its_setting(path: Path) -> None:
    path.with_name(f"{path.name}.lock").mkdir(parents=True)
    folder = re.escape(f"the data folder {path.parent} (--data-dir, REX_DATA_DIR) cannot be written: ")
    with pytest.raises(OSError, match=folder):
        await SqliteJournal.open(path)
