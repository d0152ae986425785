"""The journal in a process of its own: beside another writer, and on a device that is full."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from services.journal.connections import log_of
from services.journal.sqlite import SqliteJournal
from tests.unit.journal.chains import next_batch
from tests.unit.journal.killed import killed
from tests.unit.journal.test_sqlite import read_until_error, size, written

pytestmark = [pytest.mark.anyio, pytest.mark.rig]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.sqlite"


def in_another_process(program: str, path: Path) -> list[str]:
    """The lines a Python program prints that is given the path."""
    answer = subprocess.run([sys.executable, "-c", program, str(path)], capture_output=True, text=True, check=True)
    return answer.stdout.splitlines()


async def test_another_process_is_refused_as_a_writer_and_welcome_as_a_reader(path: Path) -> None:
    journal = await SqliteJournal.open(path)
    batch = next_batch(None, 3, journal_id=journal.journal_id)
    await journal.append(batch)
    program = """
import asyncio, sys
from pathlib import Path
from services.journal import JournalBusy
from services.journal.sqlite import SqliteJournal

async def main(path):
    try:
        await SqliteJournal.open(path)
    except JournalBusy:
        print("busy")
    reader = await SqliteJournal.open(path, read_only=True)
    print([batch.hash.hex() async for batch in reader.read(0)])
    await reader.close()

asyncio.run(main(Path(sys.argv[1])))
"""
    assert in_another_process(program, path) == ["busy", str([batch.hash.hex()])]
    second = next_batch(batch, 1, journal_id=journal.journal_id)
    await journal.append(second)
    assert await journal.last_batch() == second
    await journal.close()


async def test_a_full_device_at_the_start_is_named(path: Path) -> None:
    await written(path, [2])
    before = size(path)
    program = """
import asyncio, resource, sys
from pathlib import Path
from services.journal import JournalError
from services.journal import batch_writer, sqlite

def open_writer(path, open_writer=batch_writer.open_writer):
    writer = open_writer(path)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, resource.RLIM_INFINITY))
    return writer

batch_writer.open_writer = open_writer
try:
    asyncio.run(sqlite.SqliteJournal.open(Path(sys.argv[1])))
except JournalError as error:
    print(type(error).__name__, error)
"""
    (said,) = in_another_process(program, path)
    assert said.startswith(f"JournalError {path}: raising the epoch failed: ")
    assert size(path) == before


async def test_a_full_device_stops_the_writer_for_good_and_keeps_what_was_acknowledged(tmp_path: Path) -> None:
    program = """
import asyncio, resource, sys
from pathlib import Path
from services.journal import JournalError
from services.journal.sqlite import SqliteJournal
from tests.unit.journal.chains import next_batch

async def main(path):
    journal = await SqliteJournal.open(path)
    resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, resource.RLIM_INFINITY))
    batch = None
    try:
        while True:
            following = next_batch(batch, 100, journal_id=journal.journal_id)
            await journal.append(following)
            batch = following
            print("acknowledged", batch.last_seq)
    except JournalError as error:
        print("failed", error.seq)
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    try:
        await journal.append(following)
    except JournalError as error:
        print("still failed", error.seq)
    await journal.close()

asyncio.run(main(Path(sys.argv[1])))
"""
    path = tmp_path / "journal"
    *acknowledged, failed, still = in_another_process(program, path)
    assert len(acknowledged) > 3
    last_seq = int(acknowledged[-1].split()[1])
    assert (failed, still) == (f"failed {last_seq + 1}", f"still failed {last_seq + 1}")
    good, error = await read_until_error(path)
    assert error is None
    assert good[-1] >= last_seq


async def test_a_log_that_cannot_be_copied_stops_the_writer_for_good_and_is_left_as_it_is(path: Path) -> None:
    """The device takes the log, over blocks it has, and no more pages of the database."""
    program = """
import asyncio, resource, sys
from pathlib import Path
from services.journal import JournalError
from services.journal.connections import log_of
from services.journal.sqlite import SqliteJournal
from tests.unit.journal.chains import next_batch

async def main(path):
    journal = await SqliteJournal.open(path)
    batch, limit = None, resource.RLIM_INFINITY
    try:
        while True:
            following = next_batch(batch, 400, journal_id=journal.journal_id)
            await journal.append(following)
            batch = following
            print("acknowledged", batch.last_seq)
            if limit == resource.RLIM_INFINITY and path.stat().st_size > 4096:  # copied for the first time
                limit = max(path.stat().st_size, log_of(path).stat().st_size) + 40_000
                resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    except JournalError as error:
        print("failed", error)
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    try:
        await journal.append(next_batch(batch, 400, journal_id=journal.journal_id))
    except JournalError as error:
        print("still failed", error)
    before = log_of(path).read_bytes()
    await journal.close()
    print("log left", log_of(path).read_bytes() == before)

asyncio.run(main(Path(sys.argv[1])))
"""
    *acknowledged, failed, still, left = in_another_process(program, path)
    assert failed.startswith(f"failed {path}: copying its log into it failed: ")
    assert (still, left) == (f"still {failed}", "log left True")
    last_seq = int(acknowledged[-1].split()[1])
    journal = await SqliteJournal.open(path)
    last = await journal.last_batch()
    assert last is not None
    assert last.last_seq in (last_seq, last_seq + 400)  # the last one's outcome was unknown
    await journal.close()


async def test_an_idle_writer_whose_log_cannot_be_copied_stops(path: Path) -> None:
    program = """
import asyncio, resource, sys
from pathlib import Path
from services.journal import JournalError, sqlite
from tests.patience import PATIENCE_S
from tests.unit.journal.chains import next_batch

sqlite.IDLE_S = 60  # No check may copy the log before the limit holds.

async def main(path):
    journal = await sqlite.SqliteJournal.open(path)
    await journal.append(next_batch(None, journal_id=journal.journal_id))
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, resource.RLIM_INFINITY))
    sqlite.IDLE_S = 0.001
    journal._tick()
    try:
        await asyncio.wait_for(journal.watch(), PATIENCE_S)
    except JournalError as error:
        print(error)
        print("stopped", journal.failed is error)
    await journal.close()

asyncio.run(main(Path(sys.argv[1])))
"""
    failed, stopped = in_another_process(program, path)
    assert failed.startswith(f"{path}: copying its log into it failed: ")
    assert stopped == "stopped True"
    await check_that_the_log_kept_the_batch(path)


async def test_closing_says_that_the_log_could_not_be_copied(path: Path) -> None:
    program = """
import asyncio, resource, sys
from pathlib import Path
from services.journal import JournalError
from services.journal.sqlite import SqliteJournal
from tests.unit.journal.chains import next_batch

async def main(path):
    journal = await SqliteJournal.open(path)
    await journal.append(next_batch(None, journal_id=journal.journal_id))
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, resource.RLIM_INFINITY))
    try:
        await journal.close()
    except JournalError as error:
        print(error)
    await journal.close()

asyncio.run(main(Path(sys.argv[1])))
"""
    (failed,) = in_another_process(program, path)
    assert failed.startswith(f"{path}: copying its log into it failed: ")
    await check_that_the_log_kept_the_batch(path)


async def check_that_the_log_kept_the_batch(path: Path) -> None:
    assert size(log_of(path)) > 32
    again = await SqliteJournal.open(path)
    last = await again.last_batch()
    assert last == next_batch(None, journal_id=again.journal_id)
    await again.close()


async def test_a_start_whose_log_cannot_be_copied_leaves_it(path: Path) -> None:
    image = killed(path.parent / "before", [2, 400, 1])
    path = image.put(path.parent / "after")
    program = """
import asyncio, resource, sys
from pathlib import Path
from services.journal import JournalError
from services.journal.sqlite import SqliteJournal

resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, resource.RLIM_INFINITY))  # enough for SQLite's index of the log
try:
    asyncio.run(SqliteJournal.open(Path(sys.argv[1])))
except JournalError as error:
    print(error)
"""
    (failed,) = in_another_process(program, path)
    assert failed.startswith(f"{path}: copying its log into it failed: ")
    assert log_of(path).read_bytes() == image.log
    again = await SqliteJournal.open(path)
    assert await again.last_batch() == image.batches[-1]
    await again.close()
