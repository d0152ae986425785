"""A start that is refused changes no file; of a damaged log that is emptied all the same a copy is kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.journal import JournalCorrupt, JournalLost
from services.journal.before_writing import KEPT
from services.journal.connections import log_of
from services.journal.sqlite import SqliteJournal
from services.journal.witness import Witness
from tests.unit.journal.killed import Image, files, flip, killed

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Image:
    """All rows in the log alone."""
    return killed(tmp_path_factory.mktemp("image"), [2, 1, 3])


@pytest.fixture
def torn(image: Image, tmp_path: Path) -> Path:
    """A bit of the last frame flipped: to the log by itself this is the torn end of a commit."""
    return image.with_log(flip(image.log, len(image.log) - 100)).put(tmp_path / "torn")


async def test_a_loss_that_is_remembered_is_told_before_the_log_is_emptied(image: Image, torn: Path) -> None:
    before, asked = files(torn), []

    def remembered(journal_id: bytes) -> Witness:
        asked.append(journal_id)
        return Witness(image.rows[-1].last_seq, image.rows[-1].hash, "the read database")

    for _ in range(2):
        with pytest.raises(JournalLost, match="lost commands from seq 4 on") as lost:
            await SqliteJournal.open(torn, remembered=remembered)
        assert "the read database knows commands up to seq 6" in str(lost.value)
        assert files(torn) == before
    assert not log_of(torn).with_name(log_of(torn).name + KEPT).exists()
    assert set(asked) == {image.rows[0].journal_id}


async def test_another_row_than_the_one_remembered_is_told_before_the_log_is_emptied(image: Image, torn: Path) -> None:
    before = files(torn)
    with pytest.raises(JournalCorrupt, match=f"the journal's row has hash {image.rows[0].hash.hex()}"):
        await SqliteJournal.open(torn, remembered=lambda _: Witness(2, b"h" * 32, "the read database"))
    assert files(torn) == before


async def test_of_a_torn_log_a_copy_is_kept(image: Image, torn: Path) -> None:
    _, log = files(torn)
    first_two = Witness(image.rows[1].last_seq, image.rows[1].hash, "the read database")
    journal = await SqliteJournal.open(torn, remembered=lambda _: first_two)
    assert await journal.last_row() == image.rows[1]
    await journal.close()
    kept = log_of(torn).with_name(log_of(torn).name + KEPT)
    assert (kept.read_bytes(), kept.stat().st_mode & 0o777) == (log, 0o600)


async def test_of_a_whole_log_none_is_kept(image: Image, tmp_path: Path) -> None:
    path = image.put(tmp_path / "whole")
    journal = await SqliteJournal.open(path)
    await journal.close()
    assert [file.name for file in path.parent.iterdir() if file.name.endswith(KEPT)] == []
