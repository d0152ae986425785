"""Compressed rows: they hold the same bytes, and damage, lies about their size and other versions are named."""

from __future__ import annotations

import zlib
from dataclasses import replace
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matching_engine import ENGINE_VERSION
from matching_engine.records import COMMAND, EVENT
from services.journal import JournalCorrupt, JournalRefused
from services.journal import chain as stored_chain
from services.journal.batch import HEADER, BatchHeader, JournalBatch
from services.journal.chain import ChainEnd
from services.journal.compression import COMPRESSED_FORMAT, LEAST_BYTES, MOST_BYTES, compress, decompress
from tests.unit.journal.chains import JOURNAL_ID, chain, next_batch

BATCH = next_batch(None, 70)
"""Of some 18 KiB."""
ROW = compress(BATCH.encode())


def decoded(row: bytes) -> JournalBatch:
    """The batch as a backend reads it, from a row that is stored for BATCH."""
    return stored_chain.decode((BATCH.first_seq, BATCH.last_seq, BATCH.epoch, row))


def resealed(row: bytes) -> bytes:
    """The row as a forger would leave it: with a correct checksum."""
    return row[:-4] + zlib.crc32(row[:-4]).to_bytes(4, "little")


def with_header(row: bytes, **changes: object) -> bytes:
    """The row with other values in its header, and a correct checksum."""
    header = BatchHeader._make(HEADER.unpack_from(row))._replace(**changes)  # type: ignore[arg-type]
    return resealed(HEADER.pack(*header) + row[HEADER.size :])


def with_body(row: bytes, body: bytes) -> bytes:
    """The row with other bytes deflated in it, and a correct checksum."""
    deflated = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return resealed(row[: HEADER.size] + deflated.compress(body) + deflated.flush() + row[-40:])


def body_of(row: bytes) -> bytes:
    return zlib.decompress(row[HEADER.size : -40], -zlib.MAX_WBITS)


@given(
    st.integers(1, 40),
    st.integers(0, 60),
    st.lists(st.binary(max_size=90), max_size=3),
    st.integers(0, 2**64 - 1).map(
        Random
    ),  # the records' bytes by a seed: kilobytes are too many to be drawn one by one
)
def test_any_batch_comes_back(commands: int, events: int, texts: list[bytes], random: Random) -> None:
    few = bytes(random.choices(range(256), k=7))
    batch = replace(
        next_batch(None, commands),
        commands=bytes(random.choices(few, k=commands * COMMAND.itemsize)),
        events=bytes(random.choices(few, k=events * EVENT.itemsize)),
        attachments=tuple(texts),
    )
    row = compress(batch.encode())
    assert decompress(row) == batch.encode()


def test_a_compressed_row_is_a_fraction_of_its_batch_and_keeps_hash_and_chain() -> None:
    first, second = chain([70, 300])
    rows = [compress(batch.encode()) for batch in (first, second)]
    assert [HEADER.unpack_from(row)[1] for row in rows] == [COMPRESSED_FORMAT] * 2
    assert all(len(row) < len(batch.encode()) / 10 for row, batch in zip(rows, (first, second), strict=True))
    back = stored_chain.decode_next(
        (second.first_seq, second.last_seq, second.epoch, rows[1]), JOURNAL_ID, ChainEnd.after(decoded(rows[0]))
    )
    assert (back, back.hash, back.encode()) == (second, second.hash, second.encode())


def test_small_rows_and_rows_that_do_not_get_smaller_stay_plain() -> None:
    small = next_batch(None, 3).encode()
    assert len(small) < LEAST_BYTES
    assert compress(small) is small
    noise = replace(BATCH, commands=Random(1).randbytes(len(BATCH.commands)), events=b"", attachments=()).encode()
    assert compress(noise) is noise
    assert decompress(noise) is noise


def test_a_row_of_more_than_the_most_bytes_stays_plain() -> None:
    large = replace(BATCH, attachments=(bytes(MOST_BYTES),)).encode()
    assert compress(large) is large


def test_every_changed_byte_is_found() -> None:
    for place in range(len(ROW)):
        damaged = bytearray(ROW)
        damaged[place] ^= 1 + place % 255
        with pytest.raises(JournalCorrupt):
            decoded(bytes(damaged))


@given(st.integers(0, len(ROW) - 1), st.binary(min_size=1, max_size=50))
def test_a_row_cut_short_or_run_on_is_found(end: int, more: bytes) -> None:
    for row in (ROW[:end], ROW + more, ROW[:end] + more + ROW[end:]):
        with pytest.raises(JournalCorrupt) as corrupt:
            decoded(row)
        assert corrupt.value.seq is not None


@pytest.mark.parametrize("size", range(HEADER.size, HEADER.size + 40))
def test_a_row_too_short_for_a_compressed_one_is_damage_even_with_a_right_checksum(size: int) -> None:
    row = resealed(ROW[:size])
    with pytest.raises(
        JournalCorrupt, match=f"a row of {size} bytes is shorter than a compressed row's header"
    ) as corrupt:
        decoded(row)
    assert corrupt.value.seq == BATCH.first_seq


@given(st.integers(0, len(BATCH.encode()) - HEADER.size - 37), st.integers(1, 255))
def test_a_forged_body_is_found_by_the_batch_s_own_checksum(place: int, bits: int) -> None:
    body = bytearray(body_of(ROW))
    body[place] ^= bits
    with pytest.raises(JournalCorrupt, match="the row from seq 1 is damaged: its checksum is wrong"):
        decoded(with_body(ROW, bytes(body)))


def test_a_rewritten_row_with_right_checksums_is_found_by_its_hash() -> None:
    plain = bytearray(BATCH.encode())
    plain[HEADER.size + 40] ^= 1
    plain[-4:] = zlib.crc32(plain[:-4]).to_bytes(4, "little")
    with pytest.raises(JournalCorrupt, match="the row from seq 1 was rewritten: its hash is wrong"):
        decoded(compress(bytes(plain)))


SIZE = len(BATCH.encode())


@pytest.mark.parametrize(
    ("size", "sentence"),
    [
        (0, "cannot have the 0 bytes that its header says"),
        (SIZE - 18_480, f"cannot have the {SIZE - 18_480} bytes that its header says"),
        (SIZE - 1, f"does not hold the {SIZE - 1} bytes that its header says"),
        (SIZE + 1, f"does not hold the {SIZE + 1} bytes that its header says"),
        (MOST_BYTES, f"does not hold the {MOST_BYTES} bytes that its header says"),
        (MOST_BYTES + 1, f"cannot have the {MOST_BYTES + 1} bytes that its header says"),
        (2**32 - 1, f"cannot have the {2**32 - 1} bytes that its header says"),
    ],
)
def test_a_row_that_lies_about_its_size_is_corrupt(size: int, sentence: str) -> None:
    with pytest.raises(JournalCorrupt) as corrupt:
        decoded(with_header(ROW, size=size))
    assert (str(corrupt.value), corrupt.value.seq) == (f"the row from seq 1 {sentence}", 1)


@pytest.mark.parametrize("count", [{"command_count": 2**32 - 1}, {"event_count": 2**32 - 1}, {"event_count": 100}])
def test_a_row_that_lies_about_its_records_is_corrupt(count: dict[str, int]) -> None:
    with pytest.raises(JournalCorrupt, match="the row from seq 1"):
        decoded(with_header(ROW, **count))


def test_a_bomb_makes_no_more_bytes_than_its_header_says() -> None:
    bomb = with_body(ROW, body_of(ROW) + bytes(30 * 2**20))
    assert len(bomb) < 40_000
    with pytest.raises(JournalCorrupt, match=f"does not hold the {SIZE} bytes that its header says"):
        decoded(bomb)


def test_bytes_that_are_not_deflated_are_corrupt() -> None:
    with pytest.raises(JournalCorrupt, match="the row from seq 1 cannot be decompressed"):
        decoded(resealed(ROW[: HEADER.size] + b"\xff" * 50 + ROW[-40:]))


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"batch_format": 3}, "has row format 3; this version reads row format 1"),
        ({"record_format": 9}, "has record format 9; this version reads record format 2"),
        ({"engine_version": ENGINE_VERSION + 1}, f"was made by engine version {ENGINE_VERSION + 1}"),
    ],
)
def test_a_row_of_another_version_is_refused_not_called_damaged(changes: dict[str, int], sentence: str) -> None:
    with pytest.raises(JournalRefused) as refused:
        decoded(with_header(ROW, **changes))
    assert str(refused.value).startswith(f"the row from seq 1 {sentence}")


def test_a_reader_that_knows_no_compressed_rows_refuses_one_by_name() -> None:
    """As a process that gets one from the feed does."""
    with pytest.raises(JournalRefused, match="the row from seq 1 has row format 2; this version reads row format 1"):
        JournalBatch.decode(ROW)
