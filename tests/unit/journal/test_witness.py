"""A witness's seq and hash, compared with the journal."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.journal import JournalCorrupt, JournalLost
from services.journal.batch import JournalBatch
from services.journal.sqlite import SqliteJournal
from services.journal.verify import Verification, verify
from services.journal.witness import Witness, check
from tests.unit.journal.chains import next_batch

pytestmark = pytest.mark.anyio


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.sqlite"


@pytest.fixture
async def batches(path: Path) -> list[JournalBatch]:
    """The batches of a closed journal: seq 1 to 2, 3 to 5, 6."""
    journal = await SqliteJournal.open(path)
    batches: list[JournalBatch] = []
    for size in (2, 3, 1):
        batches.append(next_batch(batches[-1] if batches else None, size, journal_id=journal.journal_id))
        await journal.append(batches[-1])
    await journal.close()
    return batches


def of(batch: JournalBatch) -> Witness:
    return Witness(batch.last_seq, batch.hash, "an old report")


async def verified(path: Path, *witnesses: Witness) -> Verification:
    journal = await SqliteJournal.open(path, read_only=True)
    try:
        return await verify(journal, witnesses=witnesses)
    finally:
        await journal.close()


async def test_batches_that_are_there_are_confirmed(path: Path, batches: list[JournalBatch]) -> None:
    witnesses = [of(batch) for batch in (batches[2], batches[0], batches[1], batches[0])]
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
    path: Path, batches: list[JournalBatch], witness: Witness, error: type[JournalCorrupt], seq: int, sentence: str
) -> None:
    found = await verified(path, witness, of(batches[0]))
    assert (found.good, found.error_seq, found.confirmed) == (False, seq, (of(batches[0]),))
    assert sentence in str(found.error)
    assert "remove nothing" in str(found.error).lower()
    journal = await SqliteJournal.open(path, read_only=True)
    with pytest.raises(error) as raised:
        await check(journal, witness)
    assert (type(raised.value), raised.value.seq, str(raised.value)) == (error, seq, found.error)
    await journal.close()


async def test_where_only_a_witness_contradicts_every_batch_is_read_and_counted(
    path: Path, batches: list[JournalBatch]
) -> None:
    wrong = Witness(2, b"h" * 32, "an old report")
    found = await verified(path, wrong, of(batches[1]), Witness(9, b"h" * 32, "another report"))
    assert (found.batches, found.commands, found.last_seq, found.last_hash) == (3, 6, 6, batches[2].hash)
    assert (found.good, found.error_seq, found.confirmed) == (False, 2, (of(batches[1]),))
    assert "the journal's row has hash" in str(found.error)


async def test_both_hashes_are_named_where_they_differ(path: Path, batches: list[JournalBatch]) -> None:
    found = await verified(path, Witness(5, batches[0].hash, "an old report"))
    assert batches[0].hash.hex() in str(found.error)
    assert batches[1].hash.hex() in str(found.error)


async def test_a_witness_of_the_last_batch_under_another_number_does_not_claim_a_loss(
    path: Path, batches: list[JournalBatch]
) -> None:
    found = await verified(path, Witness(1_000, batches[2].hash, "an old report"))
    assert found.error == "an old report says seq 1000 of the journal's last row, which ends at seq 6: it was changed"
