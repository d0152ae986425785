"""The audit program on compressed rows, which it decompresses by itself: the same numbers, and every damage is found."""

from __future__ import annotations

import sqlite3
import zlib
from contextlib import closing
from dataclasses import asdict
from pathlib import Path

import pytest

from services.journal.batch import HEADER, BatchHeader
from services.journal.compression import COMPRESSED_FORMAT, MOST_BYTES, compress, decompress
from services.journal.sqlite import SqliteJournal
from services.reporting import audit
from services.reporting.audit import Damaged, Decoder, audit_file
from services.reporting.figure import decode
from tests.integration.golden_journals import stored, unpack
from tests.unit.reporting.audited_journals import example, write

ROWS = [compress(batch.encode()) for batch in example()]
TRADES = ROWS[1]
"""The row from seq 17 to 23."""


def damage_of(row: bytes) -> str:
    """What the program says of this row in the place of TRADES."""
    decoder = Decoder(2026)
    decoder.take(ROWS[0])
    with pytest.raises(Damaged) as damaged:
        decoder.take(row)
    assert decoder.audit.seq == 16
    return str(damaged.value)


def resealed(row: bytes) -> bytes:
    """The row with a correct checksum."""
    return row[:-4] + zlib.crc32(row[:-4]).to_bytes(4, "little")


def with_header(**changes: object) -> bytes:
    """TRADES with other values in its header, and a correct checksum."""
    header = BatchHeader._make(HEADER.unpack_from(TRADES))._replace(**changes)  # type: ignore[arg-type]
    return resealed(HEADER.pack(*header) + TRADES[HEADER.size :])


def written_compressed(path: Path) -> Path:
    """The example's journal, its rows compressed."""
    written = write(path, example())
    with closing(sqlite3.connect(written)) as connection, connection:
        for batch, row in zip(example(), ROWS, strict=True):
            connection.execute("UPDATE rows SET data = ? WHERE first_seq = ?", (row, batch.first_seq))
    return written


def test_it_knows_the_format_of_compressed_rows() -> None:
    assert (audit.COMPRESSED, audit.MOST_BYTES) == (COMPRESSED_FORMAT, MOST_BYTES)
    assert all(len(row) < len(batch.encode()) for row, batch in zip(ROWS[:2], example()[:2], strict=True))
    assert [audit.decompressed(row) for row in ROWS[:2]] == [batch.encode() for batch in example()[:2]]


def test_its_numbers_are_those_of_plain_rows(tmp_path: Path) -> None:
    plain = write(tmp_path / "plain", example())
    compressed = written_compressed(tmp_path / "compressed")
    assert asdict(audit_file(compressed, 2026)) == asdict(audit_file(plain, 2026))
    assert asdict(audit_file(compressed, 2026, 18)) == asdict(audit_file(plain, 2026, 18))
    assert audit_file(compressed, 2026).net_fen == 94_603_000


def test_a_kept_journal_of_compressed_rows_is_read(tmp_path: Path) -> None:
    compressed, plain = (
        unpack("engine_5/traded", tmp_path / "compressed"),
        unpack("engine_5/traded", tmp_path / "plain"),
    )
    assert {HEADER.unpack_from(row)[1] for row in stored(compressed)} == {1, COMPRESSED_FORMAT}
    with closing(sqlite3.connect(plain)) as connection, connection:
        for row in stored(plain):
            change = (decompress(row), HEADER.unpack_from(row)[5])
            connection.execute("UPDATE rows SET data = ? WHERE first_seq = ?", change)
    assert {HEADER.unpack_from(row)[1] for row in stored(plain)} == {1}
    for year in (2023, 2024):
        found = audit_file(compressed, year)
        assert asdict(found) == asdict(audit_file(plain, year))
        assert (found.agree, found.trades > 0) == (True, True)


@pytest.mark.anyio
async def test_a_proof_gives_it_the_rows_as_they_are_stored(tmp_path: Path) -> None:
    taken: list[bytes] = []

    class Listening(Decoder):
        def take(self, row: bytes) -> None:
            taken.append(row)
            super().take(row)

    path = written_compressed(tmp_path / "compressed")
    journal = await SqliteJournal.open(path, read_only=True)
    decoder = Listening(2026)
    async for batch in journal.read(0):
        decode(decoder, batch)
    await journal.close()
    assert taken == ROWS
    assert asdict(decoder.audit) == asdict(audit_file(path, 2026))


def test_every_changed_byte_is_found() -> None:
    for place in range(len(TRADES)):
        row = bytearray(TRADES)
        row[place] ^= 1 + place % 255
        assert damage_of(bytes(row)).startswith("The row ")


def test_every_shorter_row_is_found() -> None:
    for end in range(len(TRADES)):
        assert damage_of(TRADES[:end]).startswith("The row ")


@pytest.mark.parametrize("size", [0, 1_000, MOST_BYTES, MOST_BYTES + 1, 2**32 - 1])
def test_a_row_that_lies_about_its_size_is_named(size: int) -> None:
    assert damage_of(with_header(size=size)) == "The row from seq 17 has another size than its header says."


def test_a_bomb_makes_no_more_bytes_than_its_header_says() -> None:
    deflated = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    body = deflated.compress(bytes(30 * 2**20)) + deflated.flush()
    row = resealed(TRADES[: HEADER.size] + body + TRADES[-40:])
    assert damage_of(row) == "The row from seq 17 has another size than its header says."


def test_bytes_that_are_not_deflated_are_named() -> None:
    row = resealed(TRADES[: HEADER.size] + b"\xff" * 50 + TRADES[-40:])
    assert damage_of(row).startswith("The row from seq 17 cannot be decompressed: ")


def test_a_rewritten_row_with_right_checksums_has_a_wrong_hash() -> None:
    plain = bytearray(example()[1].encode())
    plain[HEADER.size + 40] ^= 1
    plain[-4:] = zlib.crc32(plain[:-4]).to_bytes(4, "little")
    assert damage_of(compress(bytes(plain))) == "The row from seq 17 was rewritten: its hash is wrong."


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"batch_format": 3}, "has the formats [3, 2], which this program does not know"),
        ({"record_format": 3}, "has the formats [2, 3], which this program does not know"),
        ({"engine_version": 99}, "is damaged: its CRC is wrong"),
    ],
    ids=["row format", "record format", "a header that its batch did not have"],
)
def test_other_formats_are_named(changes: dict[str, int], sentence: str) -> None:
    assert damage_of(with_header(**changes)) == f"The row from seq 17 {sentence}."
