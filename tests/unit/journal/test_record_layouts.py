"""A field that is added to a record: yesterday's journal, whose rows lack it, opens, and today's rows continue it."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from matching_engine import Engine, records
from matching_engine.records import COMMAND, EVENT, RECORD_FORMAT, EventKind, Side
from services.journal import JournalRefused, record_layouts
from services.journal.batch import HEADER, NO_HASH, BatchHeader, JournalBatch
from services.journal.chain import ChainEnd
from services.journal.chain import decode as stored_batch
from services.journal.compression import compress, decompress
from services.journal.record_layouts import layouts_of
from services.journal.sqlite import SqliteJournal
from services.journal.verify import verify
from services.messaging import Submission
from services.sequencer.recovery import recover
from tests.unit.journal.chains import JOURNAL_ID, sealed
from tests.unit.market_data.engine_batches import EngineBatches, limit, opening
from tests.unit.sequencer.venue import running, venue

pytestmark = pytest.mark.anyio

ADDED = {"Command.trigger_ticks": RECORD_FORMAT, "Event.reason": RECORD_FORMAT}
"""Two fields in the middle of their records, which the rows below do not use."""
YESTERDAY = RECORD_FORMAT - 1


@pytest.fixture(autouse=True)
def _added(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """As if today's version had added two fields."""
    monkeypatch.setattr(records, "BEGAN_IN", ADDED)
    monkeypatch.setattr(record_layouts, "OLDEST_RECORD_FORMAT", YESTERDAY)
    layouts_of.cache_clear()
    yield
    layouts_of.cache_clear()


def without(packed: bytes, now: np.dtype, was: np.dtype) -> bytes:
    todays, older = np.frombuffer(packed, now), np.zeros(len(packed) // now.itemsize, was)
    for name in was.names or ():
        older[name] = todays[name]
    return older.tobytes()


def row_of_yesterday(batch: JournalBatch, journal_id: bytes, previous_hash: bytes) -> bytes:
    """The row that yesterday's version wrote for the batch."""
    layouts = layouts_of(YESTERDAY)
    body = without(batch.commands, COMMAND, layouts.command) + without(batch.events, EVENT, layouts.event)
    header = BatchHeader._make(HEADER.unpack_from(batch.encode()))._replace(
        record_format=YESTERDAY,
        size=HEADER.size + len(body) + 36,
        journal_id=journal_id,
        previous_hash=previous_hash,
    )
    return sealed(HEADER.pack(*header) + body + bytes(36), with_hash=True)


def rows(journal_id: bytes = JOURNAL_ID) -> list[bytes]:
    """A journal of yesterday: an opening, two orders that trade, and as many that rest as make its row worth compressing."""
    engine, previous_hash, found = EngineBatches(), NO_HASH, list[bytes]()
    trading = [limit(2, Side.SELL, 1_000, 1), limit(3, Side.BUY, 1_000, 1)]
    for commands in (opening(1), trading, [limit(2, Side.BUY, 950, 1)] * 20):
        found.append(row_of_yesterday(engine.batch(*commands), journal_id, previous_hash))
        previous_hash = found[-1][-36:-4]
    return found


async def written(path: Path) -> list[bytes]:
    """The rows of a journal file that yesterday's version made."""
    journal = await SqliteJournal.open(path)
    try:
        stored = rows(journal.journal_id)
        for data in stored:
            await journal.append(JournalBatch.decode(data))
    finally:
        await journal.close()
    return stored


def test_the_later_field_reads_as_0_and_the_hash_is_that_of_the_stored_bytes() -> None:
    opened, traded, _ = (JournalBatch.decode(row) for row in rows())
    assert {command.trigger_ticks for command in opened.command_list} == {0}
    (trade,) = [event for event in traded.event_list if event.kind == EventKind.TRADE]
    assert (trade.price_ticks, trade.quantity_lots, trade.reason) == (1_000, 1, 0)
    assert [opened.encode(), opened.hash] == [rows()[0], rows()[0][-36:-4]]
    assert traded.break_of_chain(JOURNAL_ID, *ChainEnd.after(opened)) is None


def test_a_row_is_compressed_in_the_layout_that_it_has() -> None:
    data = rows()[2]
    stored = compress(data)
    assert len(stored) < len(data)
    assert decompress(stored) == data
    header = BatchHeader._make(HEADER.unpack_from(data))
    assert stored_batch((header.first_seq, header.last_seq, header.epoch, stored)).encode() == data


async def test_yesterdays_journal_opens_is_proven_and_goes_on_in_todays_layout(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    stored = await written(path)
    async with venue(path) as one, running(one):
        resting = one.engine.last_seq
        await one.inbox.put(Submission(records.pack_commands([limit(3, Side.SELL, 950, 1)])))
        batch = await one.next_batch()
        assert EventKind.TRADE in [event.kind for event in batch.event_list]
    journal = await SqliteJournal.open(path, read_only=True)
    try:
        found = [batch async for batch in journal.read(0)]
        assert [batch.encode() for batch in found[:3]] == stored
        formats = [BatchHeader._make(HEADER.unpack_from(batch.encode())).record_format for batch in found]
        assert formats == [YESTERDAY] * 3 + [RECORD_FORMAT]
        assert (await verify(journal, engine=Engine())).good
        again = Engine()
        assert (await recover(again, journal)).last_seq == resting + 1
        assert again.state_hash() == one.engine.state_hash()
    finally:
        await journal.close()


def test_a_format_before_the_oldest_is_refused() -> None:
    header = BatchHeader._make(HEADER.unpack_from(rows()[0]))._replace(record_format=YESTERDAY - 1)
    data = HEADER.pack(*header) + rows()[0][HEADER.size : -4]
    with pytest.raises(JournalRefused, match=f"has record format 0; this version reads record formats {YESTERDAY} to"):
        JournalBatch.decode(data + zlib.crc32(data).to_bytes(4, "little"))
