"""Reading in short statements: how much each of them reads, and damage at its borders."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from services.journal import JournalCorrupt, batch_reader
from services.journal.batch import JournalBatch
from services.journal.batch_reader import CHUNK_ROWS, BatchReader
from services.journal.chain import ChainEnd
from tests.unit.journal.test_sqlite import read_until_error, tamper, written

pytestmark = pytest.mark.anyio

LEAF = 0x0D
"""The first byte of a page that holds rows."""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.sqlite"


def chunk(path: Path, batches: list[JournalBatch], number: int) -> int:
    """How many batches one statement returns behind this number of batches."""
    with closing(BatchReader(path)) as reader:
        end = ChainEnd.after(batches[number - 1] if number else None)
        found, error = reader.chunk(batches[0].journal_id, end.last_seq, end)
    assert error is None
    assert found == batches[number : number + len(found)]
    return len(found)


def pages_of(path: Path) -> list[bytes]:
    """The pages of a database."""
    data = path.read_bytes()
    size = int.from_bytes(data[16:18], "big")
    return [data[begin : begin + size] for begin in range(0, len(data), size)]


def write(path: Path, pages: list[bytes]) -> None:
    path.write_bytes(b"".join(pages))


async def test_a_statement_reads_a_bounded_number_of_rows_and_bytes(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    batches = await written(path, [1] * (CHUNK_ROWS + 5))
    assert chunk(path, batches, 0) == CHUNK_ROWS
    assert chunk(path, batches, CHUNK_ROWS) == 5
    assert chunk(path, batches, CHUNK_ROWS + 5) == 0
    size = len(batches[0].encode())
    monkeypatch.setattr(batch_reader, "CHUNK_BYTES", 3 * size)
    assert chunk(path, batches, 0) == 3
    monkeypatch.setattr(batch_reader, "CHUNK_BYTES", 1)
    assert (chunk(path, batches, 0), chunk(path, batches, 7), chunk(path, batches, CHUNK_ROWS + 5)) == (1, 1, 0)


async def test_damage_in_the_first_row_of_a_statement_is_found(path: Path) -> None:
    batches = await written(path, [1] * (2 * CHUNK_ROWS))
    seq = batches[CHUNK_ROWS].first_seq
    tamper(path, "UPDATE rows SET data = zeroblob(length(data)) WHERE first_seq = ?", seq)
    good, error = await read_until_error(path)
    assert good == [batch.last_seq for batch in batches[:CHUNK_ROWS]]
    assert isinstance(error, JournalCorrupt)
    assert error.seq == seq


@pytest.mark.parametrize("rows", range(2 * CHUNK_ROWS + 1, 2 * CHUNK_ROWS + 9))
async def test_an_old_page_in_the_place_of_the_last_one_is_no_shorter_journal(path: Path, rows: int) -> None:
    """A device may write a page to another's place, or keep an old one."""
    await written(path, [1] * rows)
    pages = pages_of(path)
    *older, last = [number for number, page in enumerate(pages) if number and page[0] == LEAF]
    for number in older[1:]:
        write(path, [*pages[:last], pages[number], *pages[last + 1 :]])
        _, error = await read_until_error(path)
        assert isinstance(error, JournalCorrupt), number
