"""Properties of the SQLite journal alone: its pragmas, the lock, damage in the file, a failing device."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from matching_engine.records import RECORD_FORMAT
from services.journal import (
    JournalBusy,
    JournalCorrupt,
    JournalError,
    JournalMissing,
    JournalRefused,
    connections,
    sqlite,
)
from services.journal.batch import JournalBatch
from services.journal.batch_writer import BatchWriter
from services.journal.connections import LOG_PAGES, log_of, make_durable
from services.journal.sqlite import SqliteJournal
from tests.patience import PATIENCE_S
from tests.unit.journal.chains import next_batch, with_header
from tests.unit.journal.killed import FRAME_BYTES, killed

pytestmark = pytest.mark.anyio


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.sqlite"


async def written(path: Path, sizes: list[int]) -> list[JournalBatch]:
    """A closed journal with batches of these sizes."""
    journal = await SqliteJournal.open(path)
    batches: list[JournalBatch] = []
    for size in sizes:
        batches.append(
            next_batch(batches[-1] if batches else None, size, journal_id=journal.journal_id, epoch=journal.epoch)
        )
        await journal.append(batches[-1])
    await journal.close()
    return batches


def tamper(path: Path, statement: str, *values: object) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(statement, values)


async def read_until_error(path: Path, after_seq: int = 0) -> tuple[list[int], JournalError | None]:
    """The last_seq of each batch that can be read, and the error after them."""
    journal = await SqliteJournal.open(path, read_only=True)
    good: list[int] = []
    try:
        async for batch in journal.read(after_seq):
            good.append(batch.last_seq)
    except JournalError as error:
        return good, error
    finally:
        await journal.close()
    return good, None


def test_commits_are_synced_or_it_refuses_to_run(path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        make_durable(connection, path)
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert connection.execute("PRAGMA synchronous").fetchone() == (2,)
    with (
        closing(sqlite3.connect(":memory:", isolation_level=None)) as no_device,
        pytest.raises(JournalError, match="SQLite answers journal_mode = memory to WAL"),
    ):
        make_durable(no_device, path)


def size(path: Path) -> int:
    return path.stat().st_size


def database_alone(path: Path) -> list[tuple[bytes]]:
    """The batches in the database file, whatever its log holds."""
    with closing(sqlite3.connect(f"{path.as_uri()}?immutable=1", uri=True)) as connection:
        return connection.execute("SELECT data FROM rows ORDER BY first_seq").fetchall()


async def test_opening_for_writing_puts_the_log_into_the_database_and_empties_it(path: Path) -> None:
    image = killed(path.parent / "before", [2, 40, 1])
    image.put(path.parent / "after")
    copy = path.parent / "after" / "journal.sqlite"
    with pytest.raises(sqlite3.OperationalError, match="no such table"):
        database_alone(copy)
    journal = await SqliteJournal.open(copy)
    assert database_alone(copy) == [(batch.encode(),) for batch in image.batches]
    assert size(log_of(copy)) == 32 + FRAME_BYTES  # the new epoch
    assert await journal.last_batch() == image.batches[-1]
    await journal.close()


@pytest.mark.parametrize("written_since", [False, True], ids=["the newest state", "an older state"])
async def test_a_reader_that_keeps_the_log_from_being_emptied_is_named(
    path: Path, monkeypatch: pytest.MonkeyPatch, written_since: bool
) -> None:
    monkeypatch.setattr(connections, "BUSY_S", 0.05)
    image = killed(path.parent / "before", [2, 1])
    image.put(path.parent / "after")
    copy = path.parent / "after" / "journal.sqlite"
    with closing(sqlite3.connect(copy, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        assert len(reader.execute("SELECT * FROM rows").fetchall()) == 2
        if written_since:
            tamper(copy, "UPDATE meta SET epoch = epoch")
        with pytest.raises(JournalBusy, match=r"another process is reading .*journal\.sqlite"):
            await SqliteJournal.open(copy)
        reader.execute("COMMIT")
        journal = await SqliteJournal.open(copy)
        assert await journal.last_batch() == image.batches[-1]
        await journal.close()


async def test_little_stands_in_the_log_alone(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """1 MiB and one batch under load; nothing when nothing has been appended for a while."""
    journal = await SqliteJournal.open(path)
    batch = next_batch(None, journal_id=journal.journal_id)
    await journal.append(batch)
    for _ in range(60):
        batch = next_batch(batch, 400, journal_id=journal.journal_id)
        await journal.append(batch)
        assert size(log_of(path)) < (LOG_PAGES + 80) * FRAME_BYTES
    assert size(path) > LOG_PAGES * 4096
    monkeypatch.setattr(sqlite, "IDLE_S", 0)
    journal._tick()
    async with asyncio.timeout(PATIENCE_S):
        while size(log_of(path)):  # noqa: ASYNC110  (nobody is told)
            await asyncio.sleep(0)
    assert database_alone(path)[-1] == (batch.encode(),)
    await journal.append(next_batch(batch, journal_id=journal.journal_id))
    await journal.close()


async def test_a_batch_is_in_the_file_when_append_returns(path: Path) -> None:
    journal = await SqliteJournal.open(path)
    batch = next_batch(None, 3, journal_id=journal.journal_id)
    await journal.append(batch)
    with closing(sqlite3.connect(path)) as other:
        assert other.execute("SELECT * FROM rows").fetchall() == [(1, 3, 1, batch.encode())]
        assert other.execute("SELECT * FROM meta").fetchall() == [(1, journal.journal_id, 1)]
    await journal.close()


async def test_the_lock_names_the_folder_and_the_process(path: Path) -> None:
    journal = await SqliteJournal.open(path)
    with pytest.raises(JournalBusy) as busy:
        await SqliteJournal.open(path)
    assert f"the data folder {path.parent} is in use by another REX process (process id {os.getpid()})" in str(
        busy.value
    )
    await journal.close()


async def test_there_must_be_something_to_read(path: Path) -> None:
    with pytest.raises(JournalMissing, match=r"there is no journal in .*: the folder holds no journal\.sqlite"):
        await SqliteJournal.open(path, read_only=True)
    assert list(path.parent.iterdir()) == []


@pytest.fixture
def notes(path: Path) -> bytes:
    """Contents of the path that are not a database."""
    path.write_bytes(b"these are my holiday notes. " * 100)
    return path.read_bytes()


async def test_a_file_that_is_no_journal_is_left_alone(path: Path, notes: bytes) -> None:
    for read_only in (False, True):
        with pytest.raises(JournalCorrupt, match="cannot be read: file is not a database"):
            await SqliteJournal.open(path, read_only=read_only)
    with path.open("rb") as file:
        assert file.read() == notes
    await (await SqliteJournal.open(path.with_name("another"))).close()


async def test_a_file_of_another_format_is_refused(path: Path) -> None:
    await written(path, [1])
    tamper(path, "UPDATE meta SET format = 9")
    for read_only in (False, True):
        with pytest.raises(JournalRefused, match="has file format 9; this version reads 2"):
            await SqliteJournal.open(path, read_only=read_only)


@pytest.mark.parametrize("found", [RECORD_FORMAT - 1, RECORD_FORMAT + 1], ids=["older", "newer"])
async def test_a_journal_of_an_older_or_newer_record_format_is_refused_and_left_alone(path: Path, found: int) -> None:
    batches = await written(path, [2])
    other = with_header(batches[0], record_format=found)
    tamper(path, "UPDATE rows SET data = ?", other)
    sentence = f"has record format {found}; this version reads record format {RECORD_FORMAT}"
    for read_only in (False, True):
        with pytest.raises(JournalRefused, match=sentence):
            await SqliteJournal.open(path, read_only=read_only)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT data, epoch FROM rows").fetchall() == [(other, 1)]
        assert connection.execute("SELECT epoch FROM meta").fetchall() == [(1,)]


async def test_a_flipped_bit_is_found_where_it_is_and_the_batches_before_it_are_read(path: Path) -> None:
    batches = await written(path, [2, 2, 2])
    data = bytearray(batches[1].encode())
    data[300] ^= 1
    tamper(path, "UPDATE rows SET data = ? WHERE first_seq = 3", bytes(data))
    good, error = await read_until_error(path)
    assert good == [2]
    assert isinstance(error, JournalCorrupt)
    assert (error.seq, str(error)) == (3, "the row from seq 3 is damaged: its checksum is wrong")


async def test_a_device_that_does_not_read_is_no_damage(path: Path) -> None:
    await written(path, [2])
    path.with_name(path.name + "-shm").symlink_to("nowhere/at-all")  # SQLite cannot make its index
    for read_only in (True, False):
        with pytest.raises(JournalError, match="unable to open database file") as failed:
            await SqliteJournal.open(path, read_only=read_only)
        assert str(path) in str(failed.value)
        assert not isinstance(failed.value, JournalCorrupt)


@pytest.mark.parametrize("after_seq", [0, 2])
async def test_a_missing_batch_is_found(path: Path, after_seq: int) -> None:
    await written(path, [2, 2, 2])
    tamper(path, "DELETE FROM rows WHERE first_seq = 3")
    good, error = await read_until_error(path, after_seq)
    assert good == [2][after_seq // 2 :]
    assert isinstance(error, JournalCorrupt)
    assert error.seq == 5
    assert "commands are missing" in str(error)


async def test_a_rewritten_history_breaks_the_chain_after_it(path: Path) -> None:
    batches = await written(path, [2, 2, 2])
    forged = next_batch(batches[0], 2, journal_id=batches[0].journal_id, attachments=(b"another text",))
    tamper(path, "UPDATE rows SET data = ? WHERE first_seq = 3", forged.encode())
    for after_seq, before in ((0, [2, 4]), (4, [])):
        good, error = await read_until_error(path, after_seq)
        assert good == before
        assert error is not None
        assert str(error).startswith("seq 5 does not continue the hash chain")


async def test_a_batch_in_another_s_place_is_found(path: Path) -> None:
    batches = await written(path, [2, 2])
    tamper(path, "UPDATE rows SET data = ? WHERE first_seq = 1", batches[1].encode())
    good, error = await read_until_error(path)
    assert (good, str(error)) == ([], "the row stored for seq 1 is the one from seq 3")


async def test_what_is_no_batch_at_all_is_found(path: Path) -> None:
    """A page of another kind in place of a batch's, as a cut file gives."""
    await written(path, [2, 2])
    tamper(path, "UPDATE rows SET data = printf('%0999d', 7) WHERE first_seq = 3")
    good, error = await read_until_error(path)
    assert (good, str(error)) == ([2], "the row stored for seq 3 is damaged: it holds no bytes")


@pytest.mark.parametrize("garbage", ["DELETE FROM meta", "UPDATE meta SET journal_id = 7"])
@pytest.mark.parametrize("read_only", [True, False])
async def test_a_journal_that_does_not_say_which_it_is_is_damaged(path: Path, garbage: str, read_only: bool) -> None:
    await written(path, [2])
    tamper(path, garbage)
    with pytest.raises(JournalCorrupt, match="is damaged: it holds no journal id"):
        await SqliteJournal.open(path, read_only=read_only)


async def test_a_writer_does_not_continue_a_damaged_last_batch(path: Path) -> None:
    batches = await written(path, [2])
    tamper(path, "UPDATE rows SET data = ?", batches[0].encode()[:-1])
    with pytest.raises(JournalCorrupt):
        await SqliteJournal.open(path)
    tamper(path, "UPDATE rows SET data = ?", batches[0].encode())
    journal = await SqliteJournal.open(path)
    assert await journal.last_batch() == batches[0]
    await journal.close()


async def test_a_log_that_a_reader_kept_from_being_emptied_is_left_at_the_close(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the reader goes before the last connection is closed, and SQLite could copy it."""
    monkeypatch.setattr(sqlite, "IDLE_S", 3600.0)
    journal = await SqliteJournal.open(path)
    batch = next_batch(None, journal_id=journal.journal_id)
    await journal.append(batch)
    before = log_of(path).read_bytes()
    reader = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, isolation_level=None, check_same_thread=False)
    reader.execute("BEGIN")
    assert reader.execute("SELECT count(*) FROM rows").fetchone() == (1,)

    def check(
        writer: BatchWriter, is_idle: bool, check: Callable[[BatchWriter, bool], bool] = BatchWriter.check
    ) -> bool:
        failed = check(writer, is_idle)
        reader.close()
        return failed

    monkeypatch.setattr(BatchWriter, "check", check)
    await journal.close()
    assert journal.failed is None
    assert log_of(path).read_bytes() == before
    again = await SqliteJournal.open(path)
    assert await again.last_batch() == batch
    await again.close()
