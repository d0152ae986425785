"""Archived days: one chain with the journal's file for every reader; what is missing or damaged is named; nothing is lost."""

from __future__ import annotations

import asyncio
import errno
import json
import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from matching_engine import Engine
from services.backups import archive as archiving
from services.backups import leaving, sealing
from services.backups.backup import backup
from services.backups.days import restore_days
from services.backups.errors import BackupFailed, BackupRefused
from services.backups.restore import restore
from services.data.calendar import TradingCalendar
from services.files.data_folder import JOURNAL_FILE, READ_DATABASE_FILE
from services.files.new_folder import MARK, sync
from services.journal import JournalBatch, JournalBusy, JournalCorrupt, JournalError, JournalMissing
from services.journal.archives.blocks import BLOCK_BYTES, pack, records, unpack
from services.journal.archives.day import MANIFEST, ROWS, TRADES, ArchivedDay, ArchiveUnusable, read_day
from services.journal.sqlite import SqliteJournal
from services.journal.verify import verify
from services.processes.exit_codes import ExitCode
from services.reporting.checked_report import report_at_rest
from services.sequencer.recovery import recover, recover_from_snapshot
from services.snapshots.errors import SnapshotFailed
from services.snapshots.folder import FolderStore
from services.venue.simulated_year import YearWish, simulate_year
from tests.faults.venue_process import rex, serve
from tests.integration.journal_contract import read_all
from tests.integration.test_backups import cancelled_at
from tests.integration.test_limited_files import limited
from tests.patience import AsyncHttpClient

pytestmark = pytest.mark.anyio

DAYS = ["2025-01-02", "2025-01-03", "2025-01-06", "2025-01-07"]
"""The first trading days of 2025."""


archive = partial(archiving.archive, keep_commands=0)


def silent(_what: str, _done: int, _total: int) -> None:
    """Shows no progress."""


@pytest.fixture(scope="module")
async def year(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The venue of some days. The last one is closed, too: the schedule has begun the next one."""
    folder = tmp_path_factory.mktemp("year") / "venue"
    await simulate_year(folder, YearWish(2025, seed=7, commands=300_000, days=len(DAYS)), TradingCalendar.load(None))
    return folder


@pytest.fixture(scope="module")
async def archived_year(year: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("archived") / "venue"
    shutil.copytree(year, folder)
    await archive(folder, silent)
    return folder


@pytest.fixture
def venue(year: Path, tmp_path: Path) -> Path:
    """The venue, to be archived."""
    return Path(shutil.copytree(year, tmp_path / "venue"))


@pytest.fixture
def archived(archived_year: Path, tmp_path: Path) -> Path:
    """The venue with its closed days in archives."""
    return Path(shutil.copytree(archived_year, tmp_path / "venue"))


async def rows_of(folder: Path, after_seq: int = 0, archives: Path | None = None) -> list[JournalBatch]:
    journal = await SqliteJournal.open(folder / JOURNAL_FILE, read_only=True, archives=archives)
    try:
        return await read_all(journal, after_seq)
    finally:
        await journal.close()


async def refused(folder: Path, after_seq: int = 0) -> tuple[str, int | None]:
    """The sentence and the seq with which reading ends."""
    with pytest.raises(JournalCorrupt) as error:
        await rows_of(folder, after_seq)
    return error.value.operator_sentence, error.value.seq


def stored_in_file(folder: Path) -> list[int]:
    """The first seq of each row that the journal's file holds."""
    with closing(sqlite3.connect(folder / JOURNAL_FILE)) as connection:
        return [seq for (seq,) in connection.execute("SELECT first_seq FROM rows ORDER BY first_seq")]


def flip(path: Path, at: int) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)


async def test_archives_and_file_are_one_chain_from_every_position(year: Path, archived: Path) -> None:
    whole = await rows_of(year)
    assert [batch.encode() for batch in await rows_of(archived)] == [batch.encode() for batch in whole]
    assert stored_in_file(archived) == [whole[-1].first_seq], "what is open stays"
    journal = await SqliteJournal.open(archived / JOURNAL_FILE, read_only=True)
    for batch in whole:
        for after_seq in {batch.first_seq - 1, (batch.first_seq + batch.last_seq) // 2, batch.last_seq}:
            expected = [one.hash for one in whole if one.last_seq > after_seq]
            assert [one.hash for one in await read_all(journal, after_seq)] == expected
    end = await journal.archived()
    assert (end.day, end.end.last_seq) == (DAYS[-1], whole[-1].first_seq - 1)
    await journal.close()


async def test_a_day_is_its_rows_byte_for_byte_and_its_trades(year: Path, archived: Path) -> None:
    whole = b"".join(batch.encode() for batch in await rows_of(year))
    found, trades, last_hash = b"", 0, bytes(32).hex()
    for at, name in enumerate(DAYS):
        day = read_day(archived / "archives" / name)
        assert (day.previous_day, day.first_previous_hash) == (DAYS[at - 1] if at else "", last_hash)
        data, begin = (archived / "archives" / name / ROWS).read_bytes(), 0
        for block in day.blocks:
            rows = unpack(data[begin : begin + block.bytes], block.plain_bytes)
            begin += block.bytes
            listed = list(records(rows))
            assert (listed[0][0], listed[-1][1]) == (block.first_seq, block.last_seq)
            assert len(rows) - len(listed[-1][3]) < BLOCK_BYTES
            found += rows
        assert begin == len(data)
        table = pq.read_table(archived / "archives" / name / TRADES)
        assert {str(date) for date in table["trading_date"].to_pylist()} == {name}
        trades += table.num_rows
        last_hash = day.last_hash
    assert whole.startswith(found)
    assert len(whole) - len(found) == len((await rows_of(year))[-1].encode())
    with closing(sqlite3.connect(year / READ_DATABASE_FILE)) as connection:
        assert trades == connection.execute("SELECT count(*) FROM trades").fetchone()[0] > 0


async def test_proofs_reports_of_the_past_and_a_new_read_database_read_both(year: Path, archived: Path) -> None:
    past = (await rows_of(year))[5].last_seq
    (archived / READ_DATABASE_FILE).unlink()
    for seq in (None, past):
        expected = await report_at_rest(year, 2025, prove=True, seq=seq)
        found = await report_at_rest(archived, 2025, prove=True, seq=seq)
        assert found.agree
        assert found.report == expected.report
    journal = await SqliteJournal.open(archived / JOURNAL_FILE)
    engine = Engine()
    recovery = await recover(engine, journal)
    assert (await verify(journal, engine=Engine())).state_hash == engine.state_hash()
    await journal.close()
    assert recovery.last_seq == (await rows_of(year))[-1].last_seq


async def test_a_venue_goes_on_and_its_later_days_are_archived_after_it(year: Path, tmp_path: Path) -> None:
    """Made in two rounds: the archives of two days, then all that followed."""
    whole = await rows_of(year)
    kept = Path(shutil.copytree(year, tmp_path / "kept"))
    await archive(kept, silent, keep_rows=True)
    assert stored_in_file(kept) == [batch.first_seq for batch in whole]
    folder = tmp_path / "venue"
    await restore_days(kept / "archives", folder, DAYS[1], [], silent)
    first = await archive(folder, silent)
    assert [day.day for day in first.left] == DAYS[:1], "the newest day may be open still"
    reached = (await rows_of(folder))[-1].last_seq
    later = [(one.first_seq, one.last_seq, one.epoch, one.encode()) for one in whole if one.first_seq > reached]
    with closing(sqlite3.connect(folder / JOURNAL_FILE)) as connection, connection:
        connection.executemany("INSERT INTO rows VALUES (?, ?, ?, ?)", later)
    seqs = stored_in_file(folder)
    shutil.copy(year / READ_DATABASE_FILE, folder)  # Otherwise it is made from the archives, which finds the gap.
    shutil.move(folder / "archives", folder / "elsewhere")
    (folder / "archives").symlink_to(tmp_path / "mounted")  # of a device that is not mounted, then an empty mount point
    for keep_rows in (True, False):
        with pytest.raises(ArchiveUnusable, match=f"the days up to {DAYS[0]} are missing"):
            await archive(folder, silent, keep_rows=keep_rows)
        (tmp_path / "mounted").mkdir(exist_ok=True)
    assert (stored_in_file(folder), os.listdir(tmp_path / "mounted")) == (seqs, [])
    (folder / "archives").unlink()
    shutil.move(folder / "elsewhere", folder / "archives")
    second = await archive(folder, silent)
    assert [day.day for day in second.left] == DAYS[1:]
    assert (await archive(folder, silent)).days == ()
    assert [batch.encode() for batch in await rows_of(folder)] == [batch.encode() for batch in whole]
    for name in DAYS:
        assert (folder / "archives" / name / ROWS).read_bytes() == (kept / "archives" / name / ROWS).read_bytes()


async def test_rows_leave_before_a_good_snapshot_and_before_what_a_start_remembers(year: Path, venue: Path) -> None:
    """With the default nothing leaves a journal that is this short. Then a start reads no archive."""
    seqs = stored_in_file(venue)
    done = await archiving.archive(venue, silent)
    assert ([day.day for day in done.days], done.left) == (DAYS, ())
    assert stored_in_file(venue) == seqs
    assert not (venue / "snapshots").exists()
    last_seq = (await rows_of(year))[-1].last_seq
    days = [read_day(venue / "archives" / name) for name in DAYS]
    done = await archiving.archive(venue, silent, keep_commands=last_seq - days[1].last_seq)
    assert ([day.day for day in done.left], done.snapshot_seq) == (DAYS[:2], last_seq)
    assert stored_in_file(venue) == [seq for seq in seqs if seq > days[1].last_seq]

    shutil.move(venue / "archives", venue / "elsewhere")
    journal = await SqliteJournal.open(venue / JOURNAL_FILE)
    recovered = await recover_from_snapshot(journal, FolderStore.of(venue))
    await journal.close()
    assert recovered is not None
    engine, recovery = recovered
    assert (recovery.last_seq, recovery.snapshot_seq) == (last_seq, last_seq)
    whole = await SqliteJournal.open(year / JOURNAL_FILE, read_only=True)
    assert (await verify(whole, engine=Engine())).state_hash == engine.state_hash()
    await whole.close()


async def test_archive_says_what_is_new_and_why_rows_stay(venue: Path) -> None:
    kept = rex("archive", "--keep-rows", "--data-dir", venue).out.splitlines()
    assert kept[:2] == [
        "4 days sealed now, 0 sealed before; 0 rows of 0 days left the journal.",
        "The rows of 4 days stay in the journal, too: --keep-rows lets none leave.",
    ]
    assert [line[:10] for line in kept[2:]] == DAYS
    shutil.rmtree(venue / "archives" / DAYS[3])
    again = rex("archive", "--data-dir", venue).out.splitlines()
    assert again[:2] == [
        "1 day sealed now, 3 sealed before; 0 rows of 0 days left the journal.",
        "The rows of 4 days stay in the journal, too: its last 100,000 commands stay, and whole days with them.",
    ]
    assert [line[:10] for line in again[2:]] == DAYS[3:]
    days = json.loads(rex("archive", "--data-dir", venue, "--json").out)["days"]
    assert [(day["new"], day["left"], day["stays_because"]) for day in days] == [(False, False, "last_commands")] * 4


async def test_without_a_snapshot_no_row_leaves(venue: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The device refuses the snapshot, or returns another one."""
    seqs = stored_in_file(venue)
    (venue / "snapshots").touch()
    with pytest.raises(SnapshotFailed):
        await archive(venue, silent)
    (venue / "snapshots").unlink()

    async def nothing_good(*_arguments: object) -> int:
        return 0

    monkeypatch.setattr(archiving, "_newest_good", nothing_good)
    done = await archive(venue, silent)
    assert (len(done.days), done.left, done.snapshot_seq) == (4, (), 0)
    assert {done.stays_because(day) for day in done.days} == {"no_snapshot"}
    assert stored_in_file(venue) == seqs


async def test_rows_whose_archive_was_damaged_since_do_not_leave(venue: Path, tmp_path: Path) -> None:
    """Days were archived with --keep-rows; the archive is the rows' only place from the next call on."""
    await archive(venue, silent, keep_rows=True)
    seqs, day = stored_in_file(venue), venue / "archives" / DAYS[1]
    good = shutil.copytree(day, tmp_path / "good")
    damages: tuple[Callable[[], object], ...] = (
        lambda: flip(day / ROWS, (day / ROWS).stat().st_size // 2),
        lambda: (day / ROWS).unlink(),
        lambda: os.truncate(day / ROWS, 100),
        lambda: flip(day / TRADES, 1_000),
        lambda: (day / TRADES).unlink(),
        lambda: (day / MANIFEST).unlink(),
        lambda: changed(journal_id="00")(day),
        lambda: forge_last_row(day),
    )
    for damage in damages:
        damage()
        with pytest.raises(ArchiveUnusable, match=rf"the archive of {DAYS[1]} .*remove nothing"):
            await archive(venue, silent)
        assert stored_in_file(venue) == seqs
        shutil.rmtree(day)
        shutil.copytree(good, day)
    assert [left.day for left in (await archive(venue, silent)).left] == DAYS


def forge_last_row(folder: Path) -> None:
    """Changes the day's last row, and says so in the manifest's sizes and hashes of files."""
    rows = list(records(unpack_day(folder)))
    last = JournalBatch.decode(rows[-1][3])
    forged = [row for *_, row in rows[:-1]] + [replace(last, inbox_position=last.inbox_position + 1).encode()]
    seal(folder, b"".join(forged))


def unpack_day(folder: Path) -> bytes:
    data, rows = (folder / ROWS).read_bytes(), b""
    for block in read_day(folder).blocks:
        rows += unpack(data[: block.bytes], block.plain_bytes)
        data = data[block.bytes :]
    return rows


def seal(folder: Path, rows: bytes, **fields: Any) -> None:
    """Makes these the rows of the day, in one block."""
    day, packed = read_day(folder), pack(rows)
    (folder / ROWS).write_bytes(packed)
    block = [day.first_seq, day.last_seq, len(packed), len(rows)]
    files = [{"path": name, **stated(folder / name)} for name in (ROWS, TRADES)]
    changed(blocks=[block], files=files, **fields)(folder)


def stated(path: Path) -> dict[str, int | str]:
    """What a manifest says of a file."""
    data = path.read_bytes()
    return {"bytes": len(data), "sha256": sha256(data).hexdigest()}


async def test_what_was_interrupted_is_continued(venue: Path) -> None:
    """A day of which half was written, days whose rows have not left, and half a new file of the journal."""
    await archive(venue, silent, keep_rows=True)
    left = venue / "archives" / f"{DAYS[2]}.unfinished"
    shutil.move(venue / "archives" / DAYS[2], left)
    (left / MANIFEST).unlink()
    (left / MARK).touch()
    (venue / f"{JOURNAL_FILE}.partial").write_bytes(b"half of it")
    written = (venue / "archives" / DAYS[0] / ROWS).stat().st_mtime_ns
    done = await archive(venue, silent)
    assert [day.day for day in done.left] == DAYS
    assert done.bytes_after < done.bytes_before
    assert (venue / "archives" / DAYS[0] / ROWS).stat().st_mtime_ns == written
    assert sorted(os.listdir(venue / "archives")) == DAYS
    assert not (venue / f"{JOURNAL_FILE}.partial").exists()


async def test_after_the_rename_the_sentence_says_that_rows_have_left(
    venue: Path, year: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The device fails at the very last: only the folder's entry is not confirmed."""
    await archive(venue, silent, keep_rows=True)

    def failing(path: Path) -> None:
        if path == venue:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        sync(path)

    monkeypatch.setattr(leaving, "sync", failing)
    with pytest.raises(BackupFailed, match=r"Input/output error. The rows have left .* No row is lost") as error:
        await archive(venue, silent)
    assert "Nothing was made" not in str(error.value)
    assert len(stored_in_file(venue)) == 1
    assert [batch.encode() for batch in await rows_of(venue)] == [batch.encode() for batch in await rows_of(year)]


CRASHED = 9


def crash(at: int) -> None:
    """In a child: the process ends at once at its `at`-th call that makes something durable or visible."""
    archiving.archive.__kwdefaults__ = {"keep_rows": False, "keep_commands": 0}
    calls = 0

    def ending(call: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*arguments: Any, **options: Any) -> Any:
            nonlocal calls
            calls += 1
            if calls == at:
                os._exit(CRASHED)
            return call(*arguments, **options)

        return counted

    for name in ("fsync", "rename", "replace", "unlink", "mkdir"):
        setattr(os, name, ending(getattr(os, name)))


async def test_wherever_it_crashes_no_row_is_lost_and_the_next_one_goes_on(
    venue: Path, year: Path, tmp_path: Path
) -> None:
    """While days are written, and at each step of the rows' leaving."""
    whole = [batch.encode() for batch in await rows_of(year)]
    for at in (2, 9, 16):
        assert rex("archive", "--data-dir", venue, mutant=partial(crash, at)).exit_status == CRASHED
        assert [batch.encode() for batch in await rows_of(venue)] == whole
    await archive(venue, silent, keep_rows=True)
    at = -1
    ended: int | None = CRASHED
    rows_in_file: list[int] = []
    while ended == CRASHED:
        at += 2
        crashed = shutil.copytree(venue, tmp_path / str(at))
        ended = rex("archive", "--data-dir", crashed, mutant=partial(crash, at)).exit_status
        assert [batch.encode() for batch in await rows_of(crashed)] == whole
        rows_in_file.append(len(stored_in_file(crashed)))
        if at % 3 == 0:
            await archive(crashed, silent)
            assert [batch.encode() for batch in await rows_of(crashed)] == whole
            assert len(stored_in_file(crashed)) == 1
    assert len(rows_in_file) > 5
    assert (ended, sorted(set(rows_in_file))) == (0, [1, len(whole)])
    assert rows_in_file == sorted(rows_in_file, reverse=True), "at one step all of them leave"


@pytest.mark.parametrize(
    ("gone", "sentence"),
    [
        (DAYS[:1], f"the days up to {DAYS[0]} are missing"),
        (DAYS[1:3], f"the days after {DAYS[0]} up to {DAYS[2]} are missing"),
        (DAYS[3:], f"the days after {DAYS[2]} up to {DAYS[3]} are missing"),
        (DAYS, f"the days up to {DAYS[3]} are missing"),
    ],
)
async def test_missing_days_are_named_with_their_commands(archived: Path, gone: list[str], sentence: str) -> None:
    days = [read_day(archived / "archives" / name) for name in gone]
    for name in gone:
        shutil.rmtree(archived / "archives" / name)
    span = f"holds seq {days[0].first_seq} to {days[-1].last_seq}: {sentence}. Put good copies into"
    said, seq = await refused(archived)
    assert span in said
    assert seq == days[0].first_seq
    assert await rows_of(archived, days[-1].last_seq), "what comes after them is read"
    checked = rex("journal", "verify", "--data-dir", archived)
    assert checked.exit_status == ExitCode.TROUBLE
    assert span in " ".join(checked.out.split())


def changed(**fields: Any) -> Callable[[Path], None]:
    """Damage to a manifest by somebody who knows its format."""

    def change(day: Path) -> None:
        document = json.loads((day / MANIFEST).read_bytes())
        (day / MANIFEST).write_bytes(json.dumps(document | fields).encode())

    return change


def add_file(day: Path, name: str) -> None:
    """Makes the manifest name one more file."""
    files = json.loads((day / MANIFEST).read_bytes())["files"]
    (day / name).touch()
    changed(files=[*files, {"path": name, **stated(day / name)}])(day)


DAMAGES: list[tuple[Callable[[Path], object], str]] = [
    (lambda day: flip(day / ROWS, 5_000), f"the archive of {DAYS[1]} (seq "),
    (lambda day: (day / ROWS).write_bytes((day / ROWS).read_bytes()[:-100]), f"the archive of {DAYS[1]} (seq "),
    (lambda day: (day / ROWS).unlink(), f"{ROWS}: No such file"),
    (lambda day: shutil.copy(day.parent / DAYS[2] / ROWS, day / ROWS), f"the archive of {DAYS[1]} (seq "),
    (lambda day: (day / MANIFEST).write_bytes(b"{}"), "manifest.json: it is damaged"),
    (lambda day: (day / MANIFEST).unlink(), "manifest.json: it is not there"),
    (lambda day: shutil.copy(day.parent / DAYS[2] / MANIFEST, day / MANIFEST), f"it says {DAYS[2]}"),
    (changed(format=2), "it has format 2, this version of REX reads 1"),
    (changed(last_hash="no"), "it is damaged"),
    (changed(blocks=[]), "its blocks are not the day's rows"),
    (changed(blocks=[[1, 2, 2**70, 1]]), "it is damaged: "),
    (changed(blocks=[[1, 2, -1, 1]]), "it is damaged: Expected `int` >= 1 - at `$.blocks[0][2]`"),
    (changed(blocks=[[1, 2, 1, 2**31]]), "it is damaged: Expected `int` <= "),
    (changed(files=[]), f"it names other files than {ROWS} and {TRADES}"),
    (lambda day: add_file(day, "../escaped"), f"it names other files than {ROWS} and {TRADES}"),
    (lambda day: add_file(day, ROWS), f"it names other files than {ROWS} and {TRADES}"),
]


async def test_a_damaged_day_is_named(archived: Path, tmp_path: Path) -> None:
    day = archived / "archives" / DAYS[1]
    good = shutil.copytree(day, tmp_path / "good")
    for damage, sentence in DAMAGES:
        damage(day)
        said, _ = await refused(archived)
        assert sentence in said
        assert DAYS[1] in said
        assert "remove nothing" in said
        assert f"Put good copies into {archived / 'archives'}" in said
        shutil.rmtree(day)
        shutil.copytree(good, day)


async def test_verify_checks_days_whose_rows_stay_in_the_journal(
    venue: Path, archived_year: Path, tmp_path: Path
) -> None:
    await archive(venue, silent, keep_rows=True)
    checked = rex("journal", "verify", "--data-dir", venue)
    assert checked.exit_status == 0
    assert f"archives    4 days up to {DAYS[3]}, all files as sealed\n" in checked.out
    shutil.copytree(archived_year / "archives", tmp_path / "elsewhere")
    day, elsewhere = venue / "archives" / DAYS[1], tmp_path / "elsewhere"
    flip(day / ROWS, 5_000)
    flip(elsewhere / DAYS[3] / TRADES, 1_000)
    for options, name, file in (((), DAYS[1], ROWS), (("--archives", elsewhere), DAYS[3], TRADES)):
        damaged = rex("journal", "verify", "--data-dir", venue, *options, "--json")
        assert damaged.exit_status == ExitCode.TROUBLE
        found = json.loads(damaged.out)
        assert (found["good"], found["archives"]) == (False, None)
        assert f"the archive of {name} (seq " in found["error"]
        assert f"{file}: its bytes are not those of the manifest" in found["error"]
        assert "all files as sealed" not in rex("journal", "verify", "--data-dir", venue, *options).out


async def test_verify_compares_the_days_with_the_journal(venue: Path, tmp_path: Path) -> None:
    """An older copy of the journal is good beside newer archives; archives of other rows are not."""
    await archive(venue, silent, keep_rows=True)
    days = [read_day(venue / "archives" / name) for name in DAYS]
    await restore_days(venue / "archives", tmp_path / "past", DAYS[1], [], silent)
    past = rex("journal", "verify", "--data-dir", tmp_path / "past", "--archives", venue / "archives", "--json")
    assert past.exit_status == 0
    assert json.loads(past.out)["archives"] == {"days": 4, "last_day": DAYS[3], "later_days": 2}
    for fields, sentence in (
        ({"journal_id": "00"}, "it is of the journal 00"),
        ({"last_hash": bytes(32).hex()}, "it holds other rows than the journal"),
        ({"first_previous_hash": bytes(32).hex()}, "it holds other rows than the journal"),
    ):
        manifest = venue / "archives" / DAYS[2] / MANIFEST
        good = manifest.read_bytes()
        changed(**fields)(manifest.parent)
        checked = rex("journal", "verify", "--data-dir", venue, "--json")
        assert checked.exit_status == ExitCode.TROUBLE
        found = json.loads(checked.out)
        assert (found["error_seq"], sentence in found["error"]) == (days[2].first_seq, True)
        manifest.write_bytes(good)


async def test_a_forged_row_is_found_by_the_chain(year: Path, archived: Path) -> None:
    """A day whose rows, blocks and manifest agree, but not with the day after it."""
    whole = await rows_of(year)
    folder = archived / "archives" / DAYS[0]
    day = read_day(folder)
    mine = [batch for batch in whole if batch.last_seq <= day.last_seq]
    mine[-1] = replace(mine[-1], inbox_position=mine[-1].inbox_position + 1)
    seal(folder, b"".join(batch.encode() for batch in mine), last_hash=mine[-1].hash.hex())
    said, seq = await refused(archived)
    assert "does not continue the hash chain" in said
    assert seq == day.last_seq + 1


async def test_archives_elsewhere_are_named_or_linked(archived: Path, tmp_path: Path, year: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    shutil.move(archived / "archives", elsewhere)
    assert "are missing" in (await refused(archived))[0]
    assert len(await rows_of(archived, archives=elsewhere)) == len(await rows_of(year))
    assert rex("journal", "verify", "--prove", "--data-dir", archived, "--archives", elsewhere).exit_status == 0
    (archived / "archives").symlink_to(elsewhere)
    assert len(await rows_of(archived)) == len(await rows_of(year))


async def test_another_archive_in_its_place_is_not_touched(venue: Path, archived_year: Path) -> None:
    (venue / "archives").mkdir()
    shutil.copytree(archived_year / "archives" / DAYS[1], venue / "archives" / DAYS[0])
    with pytest.raises(ArchiveUnusable, match=f"it says {DAYS[1]}"):
        await archive(venue, silent)
    manifest = venue / "archives" / DAYS[0] / MANIFEST
    document = json.loads(manifest.read_bytes()) | {"day": DAYS[0]}
    manifest.write_bytes(json.dumps(document).encode())
    before = stored_in_file(venue)
    with pytest.raises(BackupRefused, match=r"is the archive of other rows .* Nothing was archived"):
        await archive(venue, silent)
    assert stored_in_file(venue) == before


async def test_a_device_that_holds_other_bytes_lets_no_row_leave(venue: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A frame that does not unpack to its rows."""
    monkeypatch.setattr(sealing, "pack", lambda rows: pack(rows[:-200] + bytes(200)))
    before = stored_in_file(venue)
    with pytest.raises(BackupFailed, match="cannot be read back"):
        await archive(venue, silent)
    assert stored_in_file(venue) == before
    assert os.listdir(venue / "archives") == []


async def test_a_damaged_journal_is_not_archived(venue: Path) -> None:
    seqs = stored_in_file(venue)
    with closing(sqlite3.connect(venue / JOURNAL_FILE)) as connection, connection:
        connection.execute("DELETE FROM rows WHERE first_seq = ?", (seqs[3],))
    with pytest.raises(JournalError, match=f"seq {seqs[4]} does not follow"):
        await archive(venue, silent)
    assert stored_in_file(venue) == [*seqs[:3], *seqs[4:]]


async def test_a_running_venue_and_an_empty_folder_are_refused(
    archived: Path, archived_year: Path, tmp_path: Path
) -> None:
    with pytest.raises(JournalMissing):
        await archive(tmp_path / "nowhere", silent)
    assert not (tmp_path / "nowhere").exists()
    with serve(archived, "--accept-clock") as running:
        assert rex("archive", "--data-dir", archived).exit_status == ExitCode.OTHER_WRITER
        beside = json.loads(rex("archive", "--keep-rows", "--data-dir", archived, "--json").out)
        assert [day["day"] for day in beside["days"]] == ["2025-01-08"], "the venue's first command closed that day"
        shutil.rmtree(archived / "archives" / DAYS[0])
        async with AsyncHttpClient(headers={"Authorization": f"Bearer {running.operator_key}"}) as client:
            past = await client.get(f"{running.url}/v1/reports/turnover/2025?seq=2000")
        assert (past.status_code, past.json()["code"]) == (503, "not_ready")
        assert past.json()["detail"] == (
            "The archive that holds command 1 is missing or damaged. Orders do not need it. Tell the operator."
        )
        assert running.stop() == 0
    shutil.copytree(archived_year / "archives" / DAYS[0], archived / "archives" / DAYS[0])
    assert rex("journal", "verify", "--prove", "--data-dir", archived).exit_status == 0
    writer = await SqliteJournal.open(archived / JOURNAL_FILE)
    with pytest.raises(JournalBusy):
        await archive(archived, silent)
    await writer.close()


async def test_where_files_may_not_grow_no_row_leaves(venue: Path, year: Path) -> None:
    """A full device."""
    done = limited("archive", "--data-dir", venue)
    assert (done.exit_status, done.out) == (ExitCode.DEVICE_FAILED, ""), done.err
    assert "File too large" in done.err
    assert len(await rows_of(venue)) == len(await rows_of(year))
    assert [
        name for name in os.listdir(venue / "archives") if not (venue / "archives" / name / MANIFEST).exists()
    ] == []


async def test_a_year_comes_back_from_its_archives(year: Path, archived: Path, tmp_path: Path) -> None:
    """The drill of docs/durability.md: nothing but the archives."""
    done = rex(
        "restore", "--archives", archived / "archives", "--to", DAYS[2], "--data-dir", tmp_path / "past", "--json"
    )
    manifest = json.loads(done.out)
    day = read_day(archived / "archives" / DAYS[2])
    assert (manifest["last_seq"], manifest["last_hash"], manifest["archived_seq"]) == (day.last_seq, day.last_hash, 0)
    expected = [batch.encode() for batch in await rows_of(year) if batch.last_seq <= day.last_seq]
    assert [batch.encode() for batch in await rows_of(tmp_path / "past")] == expected
    report = await report_at_rest(tmp_path / "past", 2025, prove=True)
    assert report.agree
    assert report.report == (await report_at_rest(year, 2025, seq=day.last_seq)).report
    assert (
        rex("restore", "--archives", archived / "archives", "--to", "2025-01-05").exit_status
        == ExitCode.JOURNAL_DAMAGED
    )
    assert rex("restore", "--data-dir", tmp_path / "none").exit_status == ExitCode.USAGE
    flip(archived / "archives" / DAYS[0] / ROWS, 5_000)
    damaged = rex("restore", "--archives", archived / "archives", "--data-dir", tmp_path / "none")
    assert damaged.exit_status == ExitCode.JOURNAL_DAMAGED
    assert f"the archive of {DAYS[0]} (seq 1 to" in damaged.err
    flip(archived / "archives" / DAYS[0] / ROWS, 5_000)
    shutil.rmtree(archived / "archives" / DAYS[1])
    missing = rex("restore", "--archives", archived / "archives", "--data-dir", tmp_path / "none")
    assert missing.exit_status == ExitCode.JOURNAL_DAMAGED
    assert f"the days after {DAYS[0]} up to {DAYS[1]} are missing" in missing.err
    assert not (tmp_path / "none").exists()


async def test_a_backup_of_an_archived_venue_comes_back_with_its_archives(
    year: Path, archived: Path, tmp_path: Path
) -> None:
    manifest = await backup(archived, tmp_path / "made", silent)
    assert manifest.archived_day == DAYS[-1]
    assert not (tmp_path / "made" / "archives").exists()
    with pytest.raises(BackupRefused, match=rf"up to {DAYS[-1]} are in archives. Name their folder: --archives FOLDER"):
        await restore(tmp_path / "made", tmp_path / "new", None, [], silent)
    assert await restore(tmp_path / "made", tmp_path / "new", archived / "archives", [], silent) == manifest
    assert sorted(os.listdir(tmp_path / "new" / "archives")) == DAYS
    assert [batch.encode() for batch in await rows_of(tmp_path / "new")] == [
        batch.encode() for batch in await rows_of(year)
    ]
    again = partial(restore, tmp_path / "made", tmp_path / "other", archived / "archives", [])
    await cancelled_at("copying the archives", again)
    shown: list[str] = []

    def cancel(what: str, _done: int, _total: int) -> None:
        shown.append(what)
        unpacking.cancel()

    unpacking = asyncio.ensure_future(restore_days(archived / "archives", tmp_path / "other", None, [], cancel))
    with pytest.raises(asyncio.CancelledError):
        await unpacking
    assert shown == ["unpacking"]
    assert sorted(os.listdir(tmp_path)) == ["made", "new", "venue"]
    flip(archived / "archives" / DAYS[2] / ROWS, 5_000)
    with pytest.raises(ArchiveUnusable, match=f"the archive of {DAYS[2]}"):
        await restore(tmp_path / "made", tmp_path / "other", archived / "archives", [], silent)
    assert not (tmp_path / "other").exists()


async def test_a_manifest_that_names_a_file_elsewhere_writes_none(archived: Path, tmp_path: Path) -> None:
    await backup(archived, tmp_path / "made", silent)
    deep = tmp_path / "deep"
    deep.mkdir()
    day, name = archived / "archives" / DAYS[0], "../../../escaped"
    (day / name).resolve().write_bytes(b"payload")
    add_file(day, name)
    with pytest.raises(ArchiveUnusable, match="it names other files"):
        await restore(tmp_path / "made", deep / "new", archived / "archives", [], silent)
    assert os.listdir(deep) == []


def test_a_manifest_says_what_the_docs_say() -> None:
    assert set(ArchivedDay.__struct_fields__) == {
        "format", "journal_id", "day", "previous_day", "first_seq", "last_seq", "first_previous_hash", "last_hash", "rows",
        "plain_bytes", "blocks", "files",
    }  # fmt: skip
