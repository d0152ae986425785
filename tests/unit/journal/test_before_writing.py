"""A refused start changes no file; if a damaged log is emptied nevertheless, a copy is kept."""

from __future__ import annotations

import sqlite3
import struct
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from matching_engine import ENGINE_VERSION
from matching_engine.records import RECORD_FORMAT
from services.journal import JournalCorrupt, JournalError, JournalLost, JournalRefused
from services.journal.batch import JournalBatch
from services.journal.before_writing import KEPT
from services.journal.connections import log_of
from services.journal.sqlite import SqliteJournal
from services.journal.witness import Witness
from tests.unit.journal.chains import with_header
from tests.unit.journal.killed import Image, files, flip, killed, overwrite

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Image:
    """A journal with all batches in the log alone."""
    return killed(tmp_path_factory.mktemp("image"), [2, 1, 3])


@pytest.fixture
def torn(image: Image, tmp_path: Path) -> Path:
    """A log with a flipped bit in its last frame: the log alone shows this as the torn end of a commit."""
    return image.with_log(flip(image.log, len(image.log) - 100)).put(tmp_path / "torn")


async def test_a_loss_that_is_remembered_is_told_before_the_log_is_emptied(image: Image, torn: Path) -> None:
    before, asked = files(torn), []

    def remembered(journal_id: bytes) -> Witness:
        asked.append(journal_id)
        return Witness(image.batches[-1].last_seq, image.batches[-1].hash, "the read database")

    for _ in range(2):
        with pytest.raises(JournalLost, match="lost commands from seq 4 on") as lost:
            await SqliteJournal.open(torn, remembered=remembered)
        assert "the read database knows commands up to seq 6" in str(lost.value)
        assert files(torn) == before
    assert not log_of(torn).with_name(log_of(torn).name + KEPT).exists()
    assert set(asked) == {image.batches[0].journal_id}


async def test_another_batch_than_the_one_remembered_is_told_before_the_log_is_emptied(
    image: Image, torn: Path
) -> None:
    before = files(torn)
    with pytest.raises(JournalCorrupt, match=f"the journal's row has hash {image.batches[0].hash.hex()}"):
        await SqliteJournal.open(torn, remembered=lambda _: Witness(2, b"h" * 32, "the read database"))
    assert files(torn) == before


async def test_of_a_torn_log_a_copy_is_kept(image: Image, torn: Path) -> None:
    _, log = files(torn)
    first_two = Witness(image.batches[1].last_seq, image.batches[1].hash, "the read database")
    journal = await SqliteJournal.open(torn, remembered=lambda _: first_two)
    assert await journal.last_batch() == image.batches[1]
    await journal.close()
    kept = log_of(torn).with_name(log_of(torn).name + KEPT)
    assert (kept.read_bytes(), kept.stat().st_mode & 0o777) == (log, 0o600)


async def test_of_a_whole_log_none_is_kept(image: Image, tmp_path: Path) -> None:
    path = image.put(tmp_path / "whole")
    journal = await SqliteJournal.open(path)
    await journal.close()
    assert [file.name for file in path.parent.iterdir() if file.name.endswith(KEPT)] == []


async def test_where_a_journal_is_remembered_that_is_not_there_nothing_is_made(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    asked = []

    def remembered(journal_id: bytes) -> Witness:
        asked.append(journal_id)
        return Witness(7, b"h" * 32, "the read database")

    with pytest.raises(JournalLost, match="the read database knows commands up to seq 7"):
        await SqliteJournal.open(folder / "journal.sqlite", remembered=remembered)
    assert asked == [b""]
    assert not folder.exists()
    folder.mkdir()
    (folder / "journal.sqlite").touch()
    with pytest.raises(JournalLost, match="the read database knows commands up to seq 7"):
        await SqliteJournal.open(folder / "journal.sqlite", remembered=remembered)
    assert (folder / "journal.sqlite").read_bytes() == b""


def commit(path: Path, statement: str, *values: object) -> None:
    """Adds one more batch to the log of a killed journal."""
    with closing(sqlite3.connect(path, isolation_level=None)) as writer:
        writer.execute("PRAGMA wal_autocheckpoint = 0")
        writer.execute(statement, values)
        database, log = files(path)
    path.write_bytes(database)
    log_of(path).write_bytes(log)


def in_the_last_batch_s_place(path: Path, batch: JournalBatch, data: bytes) -> None:
    commit(path, "UPDATE rows SET data = ? WHERE first_seq = ?", data, batch.first_seq)


def other_file_format(path: Path, _: JournalBatch) -> None:
    commit(path, "UPDATE meta SET format = 9")


def other_record_format(path: Path, last: JournalBatch) -> None:
    in_the_last_batch_s_place(path, last, with_header(last, record_format=RECORD_FORMAT + 1))


def other_engine(path: Path, last: JournalBatch) -> None:
    in_the_last_batch_s_place(path, last, with_header(last, engine_version=ENGINE_VERSION - 1))


def damaged_last_batch(path: Path, last: JournalBatch) -> None:
    in_the_last_batch_s_place(path, last, flip(last.encode(), 300))


@pytest.mark.parametrize(
    ("change", "kind", "sentence"),
    [
        (other_file_format, JournalRefused, "has file format 9"),
        (other_record_format, JournalRefused, f"has record format {RECORD_FORMAT + 1}"),
        (other_engine, JournalRefused, f"was made by engine version {ENGINE_VERSION - 1}"),
        (damaged_last_batch, JournalCorrupt, "its checksum is wrong"),
    ],
)
async def test_a_journal_that_is_refused_is_left_as_it_is(
    image: Image, tmp_path: Path, change: Callable[[Path, JournalBatch], None], kind: type[JournalError], sentence: str
) -> None:
    """The refused start does not empty the log either."""
    path = image.put(tmp_path / "refused")
    change(path, image.batches[-1])
    before = files(path)
    with pytest.raises(kind, match=sentence):
        await SqliteJournal.open(path)
    assert files(path) == before


async def test_a_database_that_cannot_be_read_is_damage_and_left_as_it_is(image: Image, tmp_path: Path) -> None:
    path = image.put(tmp_path / "damaged")
    with closing(sqlite3.connect(path)) as connection:  # the log is copied, and gone
        assert connection.execute("SELECT count(*) FROM rows").fetchone()
    path.write_bytes(overwrite(path.read_bytes(), 4096, bytes(4096)))
    before = path.read_bytes()
    with pytest.raises(JournalCorrupt, match=r"journal\.sqlite cannot be read: database disk image is malformed"):
        await SqliteJournal.open(path)
    assert path.read_bytes() == before


async def test_a_log_without_its_database_is_a_loss_and_left_alone(image: Image, tmp_path: Path) -> None:
    path = image.put(tmp_path / "removed")
    path.unlink()
    with pytest.raises(JournalLost, match="is missing or empty, and its write-ahead log"):
        await SqliteJournal.open(path)
    assert not path.exists()
    assert log_of(path).read_bytes() == image.log


async def test_a_journal_whose_maker_was_killed_over_its_first_page_is_made_anew(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
    rollback = b"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7" + struct.pack(">5I", 0, 7, 0, 512, 4096)
    path.with_name(path.name + "-journal").write_bytes(rollback.ljust(512, b"\0"))
    with pytest.raises(JournalError, match="attempt to write a readonly database"):
        await SqliteJournal.open(path, read_only=True)
    journal = await SqliteJournal.open(path)
    assert (await journal.last_batch(), journal.epoch) == (None, 1)
    await journal.close()
