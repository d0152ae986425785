"""The write-ahead log, inspected before SQLite opens it: lost commits are found, and a torn transaction is no loss."""

from __future__ import annotations

import random
import sqlite3
from contextlib import closing
from pathlib import Path
from struct import pack, unpack
from threading import Thread

import pytest

from services.journal import JournalCorrupt, JournalError, JournalLost, wal
from services.journal.batch import MAGIC, NO_HASH
from services.journal.connections import log_of, lost_commands
from services.journal.sqlite import SqliteJournal
from services.journal.verify import verify
from tests.long import some
from tests.unit.journal.killed import FRAME_BYTES, Image, damaged, files, flip, killed, overwrite, surviving

HEADER = wal.HEADER_BYTES


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Image:
    """Batches of one page and of several, all in the log alone."""
    return killed(tmp_path_factory.mktemp("image"), [2, 1, 40, 1, 90, 3, 1, 60, 2, 30])


@pytest.fixture(scope="module")
def restarted(tmp_path_factory: pytest.TempPathFactory) -> Image:
    """A log that began anew over a longer older one."""
    return killed(tmp_path_factory.mktemp("restarted"), [60] * 12 + [1, 40, 2], copied_at=12)


def test_an_honest_log_is_whole_with_and_without_leftovers(image: Image, restarted: Image, tmp_path: Path) -> None:
    for whole in (image, restarted):
        path = whole.put(tmp_path / "honest")
        assert lost_commands(path) is None
        assert surviving(path) == len(whole.batches)
    assert wal.inspect(log_of(image.put(tmp_path / "whole"))) is None
    left = wal.inspect(log_of(restarted.put(tmp_path / "left")))
    assert left is not None
    assert (left.offset_bytes, left.commits_after) == (restarted.commits()[-1], 0)


def test_a_log_torn_at_any_byte_has_lost_nothing(image: Image, tmp_path: Path) -> None:
    rng = random.Random(1)
    ends = {end + off for end in image.commits() for off in (-FRAME_BYTES, -1, 0, 1, 8, 16, 24)}
    ends |= {*range(34), *(rng.randrange(len(image.log)) for _ in range(100))}
    for end in sorted(ends):
        path = image.with_log(image.log[:end]).put(tmp_path / "torn")
        assert lost_commands(path) is None, end


def test_any_mixture_of_sectors_of_the_last_transaction_is_no_loss(restarted: Image, tmp_path: Path) -> None:
    """After a power cut each sector is old or new, in any order; old ones are of another generation."""
    rng = random.Random(2)
    *_, begin, end = restarted.commits()
    before = killed(tmp_path, [60] * 12, copied_at=12).log  # what else may stand there: another generation of frames
    for _ in range(100):
        log = bytearray(restarted.log)
        for sector in range(begin // 512, end // 512 + 1):
            if rng.random() < 0.5:
                span = slice(max(sector * 512, begin), min(sector * 512 + 512, end))
                log[span] = before[span] if rng.random() < 0.5 else bytes(len(log[span]))
        path = restarted.with_log(bytes(log)).put(tmp_path / "torn")
        assert lost_commands(path) is None
        assert surviving(path) >= len(restarted.batches) - 1


def test_a_frame_header_torn_between_two_generations_is_no_commit(image: Image, tmp_path: Path) -> None:
    """The end of one sector has the size of an older commit, the next sector the present salts."""
    *_, begin, end = image.commits()
    assert end - begin >= 3 * FRAME_BYTES
    log = overwrite(image.log, begin + 24, bytes(4096))
    log = overwrite(log, begin + FRAME_BYTES + 4, pack(">I", 2))
    assert lost_commands(image.with_log(log).put(tmp_path / "torn")) is None


def test_a_torn_header_over_an_older_generation_is_no_loss(tmp_path: Path) -> None:
    """The header is synced before the frames behind it are written."""
    old = killed(tmp_path, [60] * 12, copied_at=12)
    new = pack(">6I", *unpack(">3I", old.log[:12]), 1, unpack(">I", old.log[16:20])[0] + 1, 77)
    for torn in range(HEADER):
        header = (new + b"checksum")[:torn] + old.log[torn:HEADER]
        path = old.with_log(header + old.log[HEADER:]).put(tmp_path / "torn")
        assert lost_commands(path) is None, torn
        assert surviving(path) == len(old.batches)


@pytest.mark.parametrize("seed", some(range(4)))
def test_of_every_damage_the_verdict_is_what_sqlite_shows(image: Image, tmp_path: Path, seed: int) -> None:
    """Lost: two or more commits stand behind the damage. Not lost: SQLite shows all batches but the last. Between them
    either."""
    rng = random.Random(seed)
    found = 0
    for _ in range(60):
        log, changed = damaged(image.log, rng)
        path = image.with_log(log).put(tmp_path / "damaged")
        lost = lost_commands(path)
        assert files(path) == (image.database, log)
        bad_frame_ends = changed - (changed - HEADER) % FRAME_BYTES + FRAME_BYTES
        behind = [end for end in image.commits() if end > bad_frame_ends and image.log[end - FRAME_BYTES : end] in log]
        batches = surviving(path)
        if len(behind) >= 2:
            assert isinstance(lost, JournalLost), (changed, batches)
            assert lost.seq == (image.batches[batches - 1].last_seq if batches else 0) + 1
            assert f"has lost commands from seq {lost.seq} on" in str(lost)
            found += 1
        if batches >= len(image.batches) - 1:
            assert lost is None, (changed, str(lost))
    assert found > 30


def test_commit_frames_are_evidence_where_no_batch_can_be_made_out(image: Image, tmp_path: Path) -> None:
    fourth = image.commits()[3]
    log = image.log[:fourth] + image.log[fourth:].replace(MAGIC, bytes(len(MAGIC)))
    lost = lost_commands(image.with_log(log).put(tmp_path / "damaged"))
    assert lost is not None
    assert (lost.seq, "still holds" in str(lost)) == (image.batches[2].last_seq + 1, False)


def test_a_damaged_header_makes_sqlite_ignore_the_log_and_is_found(image: Image, tmp_path: Path) -> None:
    for at in range(HEADER):
        path = image.with_log(flip(image.log, at, at % 8)).put(tmp_path / "damaged")
        lost = lost_commands(path)
        assert lost is not None, at
        assert (lost.seq, f"up to seq {image.batches[-1].last_seq}" in str(lost)) == (1, True)
        if not 4 <= at < 8:  # another log format SQLite refuses
            assert surviving(path) == 0


def test_one_batch_behind_a_damaged_header_is_enough(tmp_path: Path) -> None:
    one = killed(tmp_path, [5] * 12 + [1], copied_at=12)
    lost = lost_commands(one.with_log(flip(one.log, 20)).put(tmp_path / "damaged"))
    assert lost is not None
    assert lost.seq == 61


@pytest.mark.parametrize("size", [0, 1, 31, 32])
def test_a_log_of_no_frames_holds_nothing(image: Image, tmp_path: Path, size: int) -> None:
    path = image.with_log(image.log[:size]).put(tmp_path / "short")
    assert wal.inspect(log_of(path)) is None
    assert lost_commands(path) is None


@pytest.mark.anyio
@pytest.mark.parametrize("database", [None, b""], ids=["missing", "empty"])
async def test_a_log_without_its_database_is_not_taken_for_a_new_journal(
    image: Image, tmp_path: Path, database: bytes | None
) -> None:
    path = image.put(tmp_path / "alone")
    path.unlink() if database is None else path.write_bytes(database)
    for read_only in (True, False):
        with pytest.raises(JournalLost, match="missing or empty, and its write-ahead log"):
            await SqliteJournal.open(path, read_only=read_only)
    assert log_of(path).read_bytes() == image.log


@pytest.mark.parametrize("page_bytes", [512, 4096, 65536])
@pytest.mark.parametrize("big_endian", [False, True])
def test_every_page_size_and_both_byte_orders(tmp_path: Path, page_bytes: int, big_endian: bool) -> None:
    path = tmp_path / "any.sqlite"
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute(f"PRAGMA page_size = {page_bytes}")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("CREATE TABLE t (a)")
        for number in range(6):
            connection.execute("INSERT INTO t VALUES (?)", (bytes([number]) * 700,))
        log = summed_anew(log_of(path).read_bytes(), big_endian)
        copy = tmp_path / "copy.sqlite"
        copy.write_bytes(path.read_bytes())
    log_of(copy).write_bytes(log)
    assert wal.inspect(log_of(copy)) is None
    with closing(sqlite3.connect(copy)) as connection:
        assert connection.execute("SELECT count(*) FROM t").fetchone() == (6,)
    log_of(copy).write_bytes(flip(log, HEADER + 24 + 100))
    damage = wal.inspect(log_of(copy))
    assert damage is not None
    assert (damage.offset_bytes, damage.commits_after) == (HEADER, 7)


def summed_anew(log: bytes, big_endian: bool) -> bytes:
    """The log with its checksums in that byte order, word by word as the format's description says."""
    order = ">" if big_endian else "<"

    def summed(data: bytes, s0: int, s1: int) -> tuple[int, int]:
        words = unpack(f"{order}{len(data) // 4}I", data)
        for x0, x1 in zip(words[::2], words[1::2], strict=True):
            s0 = (s0 + x0 + s1) & 0xFFFFFFFF
            s1 = (s1 + x1 + s0) & 0xFFFFFFFF
        return s0, s1

    head = pack(">I", 0x377F0682 + big_endian) + log[4:24]
    sums = summed(head, 0, 0)
    new = head + pack(">2I", *sums)
    frame_bytes = 24 + int.from_bytes(log[8:12])
    for at in range(HEADER, len(log), frame_bytes):
        frame = log[at : at + frame_bytes]
        sums = summed(frame[:8] + frame[24:], *sums)
        new += frame[:16] + pack(">2I", *sums) + frame[24:]
    return new


def test_a_log_larger_than_a_chunk(tmp_path: Path) -> None:
    big = killed(tmp_path, [2_000] * 8)
    assert len(big.log) > 2 * wal.CHUNK_BYTES
    assert wal.inspect(log_of(big.put(tmp_path / "whole"))) is None
    third = big.commits()[3]
    lost = lost_commands(big.with_log(flip(big.log, third + 5_000)).put(tmp_path / "damaged"))
    assert lost is not None
    assert (lost.seq, "up to seq 16000" in str(lost)) == (big.batches[2].last_seq + 1, True)


def test_compressed_rows_in_the_log_are_evidence_like_plain_ones(tmp_path: Path) -> None:
    image = killed(tmp_path, [300, 2, 300, 300, 300], compressed=True)
    assert len(image.log) < 40 * FRAME_BYTES
    assert wal.inspect(log_of(image.put(tmp_path / "whole"))) is None
    third = image.commits()[2]
    lost = lost_commands(image.with_log(flip(image.log, third + 200)).put(tmp_path / "damaged"))
    assert lost is not None
    assert (lost.seq, f"up to seq {image.batches[-1].last_seq}" in str(lost)) == (image.batches[1].last_seq + 1, True)


def test_a_scan_beside_a_running_writer_raises_no_alarm(tmp_path: Path) -> None:
    """The writer restarts its log all the time, so that a scan reads frames of two generations."""
    path = tmp_path / "busy.sqlite"
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA wal_autocheckpoint = 20")
    connection.execute("PRAGMA synchronous = OFF")
    connection.execute("CREATE TABLE rows (first_seq INTEGER PRIMARY KEY, last_seq INTEGER, data BLOB)")

    def write() -> None:
        for number in range(1, 1_500):
            connection.execute("INSERT INTO rows VALUES (?1, ?1, zeroblob(9000))", (number,))

    writer = Thread(target=write)
    writer.start()
    scans = 0
    while writer.is_alive():
        assert lost_commands(path) is None
        scans += 1
    writer.join()
    connection.close()
    assert scans > 3


@pytest.fixture
def lossy(image: Image, tmp_path: Path) -> Path:
    """A journal whose log is damaged in the sixth batch."""
    return image.with_log(flip(image.log, image.commits()[5] + 300)).put(tmp_path / "lossy")


@pytest.mark.anyio
async def test_a_writer_does_not_open_a_journal_that_lost_commands(lossy: Path, image: Image) -> None:
    before = files(lossy)
    for _ in range(2):
        with pytest.raises(JournalLost) as lost:
            await SqliteJournal.open(lossy)
        assert "Remove nothing" in str(lost.value)
        assert "restore a copy" in str(lost.value)
    assert files(lossy) == before


@pytest.mark.anyio
async def test_a_reader_reads_what_there_is_and_then_says_what_is_lost(lossy: Path, image: Image) -> None:
    before = files(lossy)
    journal = await SqliteJournal.open(lossy, read_only=True)
    found = await verify(journal)
    with pytest.raises(JournalLost):
        await journal.last_batch()
    await journal.close()
    assert files(lossy) == before
    kept = image.batches[found.batches - 1]
    assert (found.last_seq, found.last_hash, found.error_seq) == (kept.last_seq, kept.hash, kept.last_seq + 1)
    assert found.last_hash != NO_HASH
    assert f"has lost commands from seq {kept.last_seq + 1} on" in str(found.error)
    assert f"up to seq {image.batches[-1].last_seq}" in str(found.error)


def test_a_damaged_log_beside_an_unreadable_database_is_named(image: Image, tmp_path: Path) -> None:
    path = image.put(tmp_path / "both")
    path.write_bytes(b"nothing of use." * 1000)
    log_of(path).write_bytes(overwrite(image.log, HEADER + 100, b"garbage"))
    with pytest.raises(JournalCorrupt, match=r"journal\.sqlite cannot be read: .*; its log is damaged at byte 32"):
        lost_commands(path)


def test_a_database_that_cannot_be_opened_is_no_proof_of_a_loss(image: Image, tmp_path: Path) -> None:
    path = image.with_log(flip(image.log, HEADER + 100)).put(tmp_path / "damaged")
    assert isinstance(lost_commands(path), JournalLost)
    shm = path.with_name(path.name + "-shm")
    shm.unlink(missing_ok=True)
    shm.symlink_to("nowhere/at-all")  # SQLite cannot make its index
    with pytest.raises(JournalError, match=r"journal\.sqlite cannot be read: unable to open database file") as failed:
        lost_commands(path)
    assert not isinstance(failed.value, JournalCorrupt)
