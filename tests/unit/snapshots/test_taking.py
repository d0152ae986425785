"""Taking the next snapshot: the last good one is loaded and followed; nothing is removed before the new one is read back."""

from __future__ import annotations

from collections.abc import AsyncIterator

import numpy as np
import pytest

from matching_engine import Engine
from matching_engine.records import COMMAND
from services.journal.batch import JournalBatch
from services.journal.chain import ChainEnd
from services.journal.errors import JournalLost
from services.snapshots.errors import SnapshotFailed
from services.snapshots.record import Snapshot
from services.snapshots.taking import Taken, take
from tests.property.engine_flow import flow
from tests.unit.journal.chains import JOURNAL_ID
from tests.unit.snapshots.journals import Batches, MemoryStore, batches_of
from tests.unit.snapshots.test_record import resealed

pytestmark = pytest.mark.anyio

BATCHES = batches_of(flow(9, 900), (30, 3))
ENDS = [batch.last_seq for batch in BATCHES]


async def take_after(store: MemoryStore, batches: int) -> Taken:
    return await take(Batches(BATCHES[:batches]), store, clock=lambda: 77)


def snapshot_after(batches: int) -> Snapshot:
    engine = Engine()
    for batch in BATCHES[:batches]:
        engine.process(np.frombuffer(batch.commands, COMMAND))
    return Snapshot.of_engine(engine, JOURNAL_ID, ChainEnd.after(BATCHES[batches - 1]), 5)


async def test_two_are_kept_and_each_follows_the_last_one() -> None:
    store = MemoryStore()
    first = await take_after(store, 10)
    assert (first.followed_from, first.removed, first.size_bytes) == (0, (), len(store.data[ENDS[9]]))
    second = await take_after(store, 20)
    assert (second.followed_from, second.removed) == (ENDS[9], ())
    third = await take_after(store, 30)
    assert (third.followed_from, third.removed) == (ENDS[19], (ENDS[9],))
    assert sorted(store.data) == [ENDS[19], ENDS[29]]
    assert third.header == Snapshot.decode(store.data[ENDS[29]]).header
    assert third.header.taken_ns == 77


class Answering(Batches):
    """A journal that has read its last row before: it says that another one stands in its place."""

    async def read(self, after_seq: int) -> AsyncIterator[JournalBatch]:
        if self.batches[-1] is not BATCHES[10]:
            raise JournalLost.replaced(ENDS[9], "its row is another one")
        async for batch in super().read(after_seq):
            yield batch


@pytest.mark.parametrize("kind", [Batches, Answering])
async def test_no_snapshot_is_left_of_a_row_that_a_failover_takes_back_meanwhile(kind: type[Batches]) -> None:
    """The row was visible and not confirmed. A snapshot of it would say at every start that acknowledged commands are lost."""
    store, journal = MemoryStore(), kind(BATCHES[:11])
    await take_after(store, 10)
    with pytest.raises(SnapshotFailed, match=f"at {ENDS[10]} was removed again: a failover has taken back"):
        await take(journal, store, before_writing=lambda: journal.batches.__delitem__(10))
    assert sorted(store.data) == [ENDS[9]]


async def test_a_snapshot_stays_as_a_witness_where_the_journal_has_lost_commands() -> None:
    class Lost(Batches):
        async def read(self, after_seq: int) -> AsyncIterator[JournalBatch]:
            if len(self.batches) < 11:
                raise JournalLost.after(ENDS[9], "this process has read them")
            async for batch in super().read(after_seq):
                yield batch

    store, journal = MemoryStore(), Lost(BATCHES[:11])
    with pytest.raises(JournalLost, match="lost commands"):
        await take(journal, store, before_writing=lambda: journal.batches.__delitem__(10))
    assert sorted(store.data) == [ENDS[10]]


async def test_at_the_end_of_the_journal_there_is_nothing_to_do() -> None:
    store = MemoryStore()
    assert await take(Batches([]), store) == Taken(None, 0, 0, (), ())
    await take_after(store, 10)
    again = await take_after(store, 10)
    assert (again.size_bytes, again.followed_from, again.to_json()["written"]) == (0, ENDS[9], False)
    assert sorted(store.data) == [ENDS[9]]


async def test_a_damaged_one_goes_when_the_next_is_written_and_a_foreign_one_stays() -> None:
    store = MemoryStore()
    for cut in (10, 20, 30):
        await take_after(store, cut)
    store.data[ENDS[24]] = resealed(Snapshot.decode(store.data[ENDS[29]]), journal_id=b"another journal!")
    store.data[ENDS[29]] = store.data[ENDS[29]][:-1] + b"!"
    taken = await take_after(store, 40)
    assert (taken.followed_from, taken.removed) == (ENDS[19], (ENDS[29],))
    assert sorted(store.data) == [ENDS[19], ENDS[24], ENDS[39]]
    assert len(taken.passed) == 2


async def test_a_damaged_one_at_the_end_is_written_again() -> None:
    store = MemoryStore()
    for cut in (10, 20):
        await take_after(store, cut)
    whole = store.data[ENDS[19]]
    store.data[ENDS[19]] = whole[:100]
    taken = await take_after(store, 20)
    assert (taken.followed_from, taken.removed) == (ENDS[9], ())
    assert store.data[ENDS[19]] == whole


async def test_a_store_that_fails_loses_nothing() -> None:
    store = MemoryStore()
    for cut in (10, 20):
        await take_after(store, cut)
    before = dict(store.data)
    store.full = True
    with pytest.raises(SnapshotFailed, match="the store is full"):
        await take_after(store, 30)
    assert store.data == before


async def test_what_is_not_read_back_removes_nothing() -> None:
    class Forgetful(MemoryStore):
        async def write(self, snapshot: Snapshot) -> None:
            self.data[snapshot.header.seq] = snapshot.data[:-1] + b"!"

    store = Forgetful()
    store.data = {}
    for cut in (10, 20):
        await MemoryStore.write(store, snapshot_after(cut))
    with pytest.raises(SnapshotFailed, match="is not read back as it was written"):
        await take_after(store, 30)
    assert sorted(store.data) == [ENDS[9], ENDS[19], ENDS[29]]


async def test_the_rows_are_made_durable_before_the_snapshot_is_written() -> None:
    store = MemoryStore()
    seen: list[bool] = []
    await take(Batches(BATCHES), store, before_writing=lambda: seen.append(bool(store.data)))
    assert seen == [False]
