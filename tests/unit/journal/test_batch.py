"""A batch's bytes: they read back equal, and damage is always noticed."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matching_engine import ENGINE_VERSION
from matching_engine.records import COMMAND, EVENT, RECORD_FORMAT, pack_commands
from services.journal import JournalCorrupt, JournalRefused
from services.journal.batch import BATCH_FORMAT, HEADER, Applied, JournalBatch
from tests.unit.journal.chains import JOURNAL_ID, chain, next_batch, sealed, with_header

u64 = st.integers(0, 2**64 - 1)


@st.composite
def batches(draw: st.DrawFn) -> JournalBatch:
    first_seq = draw(st.integers(1, 2**63))
    count = draw(st.integers(1, 4))
    events = draw(st.integers(0, 4))
    return JournalBatch(
        journal_id=draw(st.binary(min_size=16, max_size=16)),
        epoch=draw(u64),
        first_seq=first_seq,
        last_seq=first_seq + count - 1,
        inbox_position=draw(u64),
        previous_hash=draw(st.binary(min_size=32, max_size=32)),
        commands=draw(st.binary(min_size=count * COMMAND.itemsize, max_size=count * COMMAND.itemsize)),
        events=draw(st.binary(min_size=events * EVENT.itemsize, max_size=events * EVENT.itemsize)),
        attachments=tuple(draw(st.lists(st.binary(max_size=20), max_size=3))),
    )


@given(batches())
def test_a_batch_comes_back_as_it_was_written(batch: JournalBatch) -> None:
    data = batch.encode()
    back = JournalBatch.decode(data)
    assert back == batch
    assert back.hash == batch.hash
    assert back.encode() == data


@given(batches(), st.data())
def test_a_changed_byte_is_seen(batch: JournalBatch, data: st.DataObject) -> None:
    damaged = bytearray(batch.encode())
    at = data.draw(st.integers(0, len(damaged) - 1))
    damaged[at] ^= data.draw(st.integers(1, 255))
    with pytest.raises(JournalCorrupt):
        JournalBatch.decode(bytes(damaged))


@given(batches(), st.data())
def test_a_batch_cut_short_or_run_on_is_seen(batch: JournalBatch, data: st.DataObject) -> None:
    whole = batch.encode()
    cut = whole[: data.draw(st.integers(0, len(whole) - 1))]
    with pytest.raises(JournalCorrupt):
        JournalBatch.decode(cut)
    with pytest.raises(JournalCorrupt):
        JournalBatch.decode(whole + data.draw(st.binary(min_size=1, max_size=9)))


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"batch_format": 99}, f"has row format 99; this version reads row format {BATCH_FORMAT}"),
        ({"record_format": 1}, f"has record format 1; this version reads record format {RECORD_FORMAT}"),
        ({"record_format": 99}, f"has record format 99; this version reads record format {RECORD_FORMAT}"),
        *(
            (
                {"engine_version": other},
                f"was made by engine version {other}; this REX runs version {ENGINE_VERSION}: use the REX that made it",
            )
            for other in (ENGINE_VERSION - 1, 99)
        ),
    ],
)
def test_another_version_s_batch_is_refused_not_called_damaged(changes: dict[str, int], sentence: str) -> None:
    with pytest.raises(JournalRefused) as refused:
        JournalBatch.decode(with_header(next_batch(None), **changes))
    assert (str(refused.value), refused.value.seq) == (f"the row from seq 1 {sentence}", 1)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"magic": b"SOMEROW\n"}, "a row does not begin with the magic bytes of a row"),
        ({"size": 7}, "the row from seq 1 has 690 bytes, its header says 7"),
        ({"last_seq": 5}, "the header of the row from seq 1 to 5 says 2 commands"),
        ({"event_count": 99}, "the row from seq 1 is too short for its records"),
        ({"event_count": 1}, "the attachments of the row from seq 1 have wrong lengths or a wrong number"),
        ({"attachment_count": 3}, "the attachments of the row from seq 1 have wrong lengths or a wrong number"),
    ],
)
def test_a_batch_that_contradicts_itself_is_corrupt_even_with_a_right_hash(
    changes: dict[str, object], sentence: str
) -> None:
    with pytest.raises(JournalCorrupt) as corrupt:
        JournalBatch.decode(with_header(next_batch(None), **changes))
    assert str(corrupt.value) == sentence


def test_a_rewritten_batch_with_a_right_checksum_is_seen_by_its_hash() -> None:
    data = bytearray(next_batch(None).encode())
    data[HEADER.size + 40] ^= 1
    with pytest.raises(JournalCorrupt, match="the row from seq 1 was rewritten: its hash is wrong"):
        JournalBatch.decode(sealed(bytes(data), with_hash=False))


def test_the_hash_covers_the_batch_before() -> None:
    first, second = chain([2, 3])
    assert second.hash != replace(second, previous_hash=replace(first, epoch=2).hash).hash


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({}, None),
        ({"journal_id": bytes(16)}, "seq 3 belongs to journal"),
        ({"first_seq": 4, "last_seq": 5}, "seq 4 does not follow seq 2"),
        ({"first_seq": 2, "last_seq": 3}, "seq 2 does not follow seq 2"),
        ({"previous_hash": bytes(32)}, "seq 3 does not continue the hash chain"),
        ({"last_seq": 9}, "the row from seq 3 does not hold the commands up to seq 9"),
    ],
)
def test_what_breaks_a_chain(changes: dict[str, object], sentence: str | None) -> None:
    first, second = chain([2, 2])
    reason = replace(second, **changes).break_of_chain(JOURNAL_ID, first.last_seq, first.hash)  # type: ignore[arg-type]
    assert (reason is None) if sentence is None else (reason is not None and reason.startswith(sentence))


def test_records_are_decoded_once() -> None:
    batch = next_batch(None, 3)
    assert [command.seq for command in batch.command_list] == [1, 2, 3]
    assert [event.seq for event in batch.event_list] == [1, 2, 3]
    assert batch.command_list is batch.command_list
    assert batch.event_list is batch.event_list


def test_a_reader_gets_each_event_with_its_command_and_its_attachment() -> None:
    batch = next_batch(None, 3, attachments=(b"a text", b"another"))
    commands = [command._replace(attachment=number) for number, command in enumerate(batch.command_list)]
    batch = replace(batch, commands=pack_commands(commands))
    texts = (b"", b"a text", b"another")
    every = [Applied(*found) for found in zip(batch.event_list, commands, texts, strict=True)]
    assert batch.applied() == every
    assert batch.applied(after_seq=2) == every[2:]
    assert batch.applied(after_seq=3) == []
