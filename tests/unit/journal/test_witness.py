"""What somebody else remembers of the journal, against what it holds."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.journal import JournalCorrupt, JournalLost
from services.journal.row import Row
from services.journal.sqlite import SqliteJournal
from services.journal.verify import Verification, verify
from services.journal.witness import Witness, check
from tests.unit.journal.chains import next_row

pytestmark = pytest.mark.anyio


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.sqlite"


@pytest.fixture
async def rows(path: Path) -> list[Row]:
    """The rows of a closed journal: seq 1 to 2, 3 to 5, 6."""
    journal = await SqliteJournal.open(path)
    rows: list[Row] = []
    for size in (2, 3, 1):
        rows.append(next_row(rows[-1] if rows else None, size, journal_id=journal.journal_id))
        await journal.append(rows[-1])
    await journal.close()
    return rows


def of(row: Row) -> Witness:
    return Witness(row.last_seq, row.hash, "an old report")


async def verified(path: Path, *witnesses: Witness) -> Verification:
    journal = await SqliteJournal.open(path, read_only=True)
    try:
        return await verify(journal, witnesses=witnesses)
    finally:
        await journal.close()


async def test_rows_that_are_there_are_confirmed(path: Path, rows: list[Row]) -> None:
    witnesses = [of(row) for row in (rows[2], rows[0], rows[1], rows[0])]
    found = await verified(path, *witnesses)
    assert (found.good, sorted(found.confirmed)) == (True, sorted(witnesses))
    journal = await SqliteJournal.open(path, read_only=True)
    for witness in witnesses:
        await check(journal, witness)
    await journal.close()


@pytest.mark.parametrize(
    ("witness", "error", "seq", "sentence"),
    [
        (
            Witness(9, b"h" * 32, "an old report"),
            JournalLost,
            7,
            "lost commands from seq 7 on: the journal ends there, and ",
        ),
        (Witness(9, b"h" * 32, "an old report"), JournalLost, 7, "an old report knows commands up to seq 9"),
        (
            Witness(5, b"h" * 32, "an old report"),
            JournalCorrupt,
            5,
            f"seq 5 with hash {b'h'.hex() * 32}; the journal's row",
        ),
        (Witness(4, b"h" * 32, "an old report"), JournalCorrupt, 4, "the journal's row goes on to seq 5"),
    ],
)
async def test_what_is_not_there_is_named(
    path: Path, rows: list[Row], witness: Witness, error: type[JournalCorrupt], seq: int, sentence: str
) -> None:
    found = await verified(path, witness, of(rows[0]))
    assert (found.good, found.error_seq, found.confirmed) == (False, seq, (of(rows[0]),))
    assert sentence in str(found.error)
    assert "remove nothing" in str(found.error).lower()
    journal = await SqliteJournal.open(path, read_only=True)
    with pytest.raises(error) as raised:
        await check(journal, witness)
    assert (type(raised.value), raised.value.seq, str(raised.value)) == (error, seq, found.error)
    await journal.close()


async def test_where_only_a_witness_contradicts_every_row_is_read_and_counted(path: Path, rows: list[Row]) -> None:
    wrong = Witness(2, b"h" * 32, "an old report")
    found = await verified(path, wrong, of(rows[1]), Witness(9, b"h" * 32, "another report"))
    assert (found.rows, found.commands, found.last_seq, found.last_hash) == (3, 6, 6, rows[2].hash)
    assert (found.good, found.error_seq, found.confirmed) == (False, 2, (of(rows[1]),))
    assert "the journal's row has hash" in str(found.error)


async def test_both_hashes_are_named_where_they_differ(path: Path, rows: list[Row]) -> None:
    found = await verified(path, Witness(5, rows[0].hash, "an old report"))
    assert rows[0].hash.hex() in str(found.error)
    assert rows[1].hash.hex() in str(found.error)


async def test_a_witness_of_the_last_row_under_another_number_does_not_claim_a_loss(
    path: Path, rows: list[Row]
) -> None:
    found = await verified(path, Witness(1_000, rows[2].hash, "an old report"))
    assert found.error == "an old report says seq 1000 of the journal's last row, which ends at seq 6: it was changed"
