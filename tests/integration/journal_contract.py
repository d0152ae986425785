"""The contract of every journal backend, each assertion once; `test_journal_contract.py` opens the backends."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from dataclasses import replace
from typing import Generic, TypeVar

import pytest

from services.journal import Journal, JournalCorrupt, JournalError, JournalRefused
from services.journal.batch import JournalBatch
from services.journal.compression import compress
from tests.unit.journal.chains import next_batch, sealed, with_header

Place = TypeVar("Place")
"""Where a backend keeps one journal: a path, a URL."""


async def read_all(journal: Journal, after_seq: int = 0) -> list[JournalBatch]:
    return [batch async for batch in journal.read(after_seq)]


async def read_damaged(journal: Journal) -> tuple[list[JournalBatch], int | None]:
    """The batches before the damage, and the seq that the error names."""
    batches: list[JournalBatch] = []
    try:
        async for batch in journal.read(0):
            batches.append(batch)
    except JournalCorrupt as error:
        return batches, error.seq
    pytest.fail("the damage was not found")


async def fill(journal: Journal, sizes: list[int]) -> list[JournalBatch]:
    batches: list[JournalBatch] = []
    previous = await journal.last_batch()
    for size in sizes:
        previous = next_batch(previous, size, journal_id=journal.journal_id, epoch=journal.epoch)
        await journal.append(previous)
        batches.append(previous)
    return batches


@pytest.mark.anyio
class JournalContract(ABC, Generic[Place]):
    """Fixtures `place` and `other_place`: empty places for one journal each."""

    @abstractmethod
    async def open(self, place: Place, *, read_only: bool = False) -> Journal:
        """Opens the journal in `place` for writing, or creates it."""

    @abstractmethod
    async def rewrite(self, place: Place, first_seq: int, data: bytes | None) -> None:
        """Changes the stored bytes of the batch that begins at first_seq behind the journal's back; None: removes it."""

    async def test_a_new_journal_is_empty_and_has_an_id_of_its_own(self, place: Place, other_place: Place) -> None:
        journal = await self.open(place)
        other = await self.open(other_place)
        assert await journal.last_batch() is None
        assert await read_all(journal) == []
        assert len(journal.journal_id) == len(other.journal_id) == 16
        assert journal.journal_id != other.journal_id
        assert journal.epoch == 1
        await journal.close()
        await other.close()

    async def test_batches_come_back_byte_for_byte_in_order(self, place: Place) -> None:
        journal = await self.open(place)
        batches = await fill(journal, [1, 3, 2])
        back = await read_all(journal)
        assert back == batches
        assert [batch.hash for batch in back] == [batch.hash for batch in batches]
        assert await journal.last_batch() == batches[-1]
        await journal.close()

    async def test_reading_begins_with_the_batch_that_holds_the_next_command(self, place: Place) -> None:
        journal = await self.open(place)
        batches = await fill(journal, [2, 3, 1])
        expected = {0: batches, 1: batches, 2: batches[1:], 4: batches[1:], 5: batches[2:], 6: [], 99: []}
        assert {after_seq: await read_all(journal, after_seq) for after_seq in expected} == expected
        await journal.close()

    async def test_it_survives_closing_and_goes_on_under_a_higher_epoch(self, place: Place) -> None:
        journal = await self.open(place)
        batches = await fill(journal, [2])
        journal_id = journal.journal_id
        await journal.close()
        again = await self.open(place)
        assert (again.journal_id, again.epoch) == (journal_id, 2)
        batches += await fill(again, [1, 1])
        assert await read_all(again) == batches
        assert [batch.epoch for batch in batches] == [1, 2, 2]
        await again.close()

    async def test_a_batch_that_does_not_continue_the_chain_is_refused_and_changes_nothing(self, place: Place) -> None:
        journal = await self.open(place)
        batches = await fill(journal, [2, 2])
        right = next_batch(batches[-1], 2, journal_id=journal.journal_id)
        wrong = [
            batches[-1],
            batches[0],
            replace(right, first_seq=6, last_seq=7),
            replace(right, last_seq=7),
            replace(right, previous_hash=batches[0].hash),
            replace(right, journal_id=bytes(16)),
        ]
        for batch in wrong:
            with pytest.raises(JournalRefused) as refused:
                await journal.append(batch)
            assert refused.value.seq == batch.first_seq
        assert await read_all(journal) == batches
        await journal.append(right)
        assert await read_all(journal) == [*batches, right]
        await journal.close()

    async def test_a_batch_of_another_epoch_is_refused(self, place: Place) -> None:
        journal = await self.open(place)
        batch = next_batch(None, journal_id=journal.journal_id, epoch=2)
        with pytest.raises(JournalRefused, match="seq 1 is of epoch 2; this is 1"):
            await journal.append(batch)
        assert await journal.last_batch() is None
        await journal.close()

    async def test_readers_see_what_a_running_writer_has_appended_and_write_nothing(self, place: Place) -> None:
        writer = await self.open(place)
        batches = await fill(writer, [2])
        reader = await self.open(place, read_only=True)
        assert (reader.journal_id, reader.epoch) == (writer.journal_id, writer.epoch)
        assert await read_all(reader) == batches
        batches += await fill(writer, [3])
        assert await read_all(reader) == batches
        assert await reader.last_batch() == batches[-1]
        with pytest.raises(JournalRefused):
            await reader.append(next_batch(batches[-1], journal_id=writer.journal_id))
        assert await read_all(writer) == batches
        await reader.close()
        await writer.close()

    async def test_reading_and_appending_at_once(self, place: Place) -> None:
        journal = await self.open(place)
        first = await fill(journal, [1] * 40)
        then, *reads = await asyncio.gather(fill(journal, [1] * 40), *(read_all(journal) for _ in range(3)))
        everything = first + then
        for batches in reads:
            assert len(batches) >= len(first)
            assert batches == everything[: len(batches)]
        await journal.close()

    async def test_a_long_journal_is_read_to_its_end(self, place: Place) -> None:
        journal = await self.open(place)
        batches = await fill(journal, [2_000] * 20)
        assert sum(len(batch.encode()) for batch in batches) > 2 * 4 * 2**20
        assert await read_all(journal) == batches
        await journal.close()

    async def test_after_closing_nothing_goes_in(self, place: Place) -> None:
        journal = await self.open(place)
        batch = next_batch(None, journal_id=journal.journal_id)
        await journal.close()
        await journal.close()
        with pytest.raises(JournalError):
            await journal.append(batch)
        with pytest.raises(JournalError):
            await journal.last_batch()
        again = await self.open(place, read_only=True)
        assert await again.last_batch() is None
        await again.close()

    async def test_changed_bytes_are_found_and_the_batches_before_them_are_read(self, place: Place) -> None:
        journal = await self.open(place)
        batches = await fill(journal, [2, 3, 1])
        data = batches[1].encode()
        for damaged in (
            data[:200] + bytes([data[200] ^ 1]) + data[201:],
            data[:-1],
            data + b"\0",
            b"",
            bytes(len(data)),
            sealed(data[:-37] + bytes([data[-37] ^ 1]) + data[-36:], with_hash=False),
        ):
            await self.rewrite(place, 3, damaged)
            assert await read_damaged(journal) == (batches[:1], 3)
            with pytest.raises(JournalCorrupt) as corrupt:
                await read_all(journal, 2)
            assert corrupt.value.seq == 3
        await journal.close()

    async def test_damage_of_a_compressed_row_is_found_at_its_seq(self, place: Place) -> None:
        journal = await self.open(place)
        batches = await fill(journal, [2, 30, 1])
        row = compress(batches[1].encode())
        assert len(row) < len(batches[1].encode())
        await self.rewrite(place, 3, row)
        assert await read_all(journal) == batches
        for at in (0, 8, 34, 41, 200, -50, -20, -1):
            damaged = bytearray(row)
            damaged[at] ^= 1
            await self.rewrite(place, 3, bytes(damaged))
            assert await read_damaged(journal) == (batches[:1], 3), at
        await journal.close()

    async def test_a_rewritten_batch_breaks_the_chain_at_the_next_one(self, place: Place) -> None:
        journal = await self.open(place)
        batches = await fill(journal, [2, 3, 1])
        await self.rewrite(place, 3, with_header(batches[1], inbox_position=8))
        with pytest.raises(JournalCorrupt, match="hash chain") as corrupt:
            await read_all(journal)
        assert corrupt.value.seq == 6
        await journal.close()

    async def test_a_missing_batch_is_found(self, place: Place) -> None:
        journal = await self.open(place)
        batches = await fill(journal, [2, 3, 1])
        await self.rewrite(place, 3, None)
        assert await read_damaged(journal) == (batches[:1], 6)
        await journal.close()

    async def test_a_batch_in_the_place_of_another_is_found(self, place: Place) -> None:
        journal = await self.open(place)
        batches = await fill(journal, [2, 2])
        await self.rewrite(place, 3, batches[0].encode())
        for read in (read_all(journal), journal.last_batch()):
            with pytest.raises(JournalCorrupt, match="the row stored for seq 3 is the one from seq 1"):
                await read
        await journal.close()
